"""Images for the model: files by the published rules, and single frames in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zipmap_model.config import ZipMapConfig

Mode = Literal["crop", "pad"]

_MAX_ASPECT = 2.0  # longer side over shorter that the model is shown; the rest is cropped


def load_images(
    paths: Sequence[str | PathLike[str]], size: int = 518, mode: Mode = "crop", *, patch_size: int = 14
) -> Tensor:
    """Load image files by the rules the published models were trained with (spec/model.md 2).

    Returns (N, 3, H, W) in [0, 1]. ``crop`` makes the width ``size`` and crops tall images to a square;
    ``pad`` fits the longer side and pads with white to a square. Files of different shapes are padded to the
    largest. EXIF orientation is not applied, as in training. Raises ValueError for an empty list, an unknown
    mode or an image too flat to leave a patch, and Pillow's errors for unreadable files.
    """
    if mode not in ("crop", "pad"):
        raise ValueError(f"mode: want 'crop' or 'pad', got {mode!r}")
    if not paths:
        raise ValueError("no images given: name at least one file")
    images = []
    for path in paths:
        with Image.open(path) as file:
            image = _rgb_over_white(file)
        try:
            images.append(_published_tensor(image, size, mode, patch_size))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    height = max(image.shape[-2] for image in images)
    width = max(image.shape[-1] for image in images)
    return torch.stack([_pad_white(image, height, width) for image in images])


def _rgb_over_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return image.convert("RGB")


def _published_tensor(image: Image.Image, size: int, mode: Mode, patch: int) -> Tensor:
    width, height = image.size
    if mode == "crop" or width >= height:
        new_w, new_h = size, round(height * (size / width) / patch) * patch
    else:
        new_w, new_h = round(width * (size / height) / patch) * patch, size
    if min(new_w, new_h) < patch:
        raise ValueError(f"an image of {width}x{height} is too narrow to leave one patch; crop it first")
    tensor = _tensor(image.resize((new_w, new_h), Image.Resampling.BICUBIC))
    if mode == "pad":
        return _pad_white(tensor, size, size)
    if new_h > size:
        top = (new_h - size) // 2
        tensor = tensor[:, top : top + size]
    return tensor


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div(255)


def _pad_white(image: Tensor, height: int, width: int) -> Tensor:
    extra_h, extra_w = height - image.shape[-2], width - image.shape[-1]
    top, left = extra_h // 2, extra_w // 2
    padding = (left, extra_w - left, top, extra_h - top)
    return torch.nn.functional.pad(image, padding, value=1.0)


@dataclass(frozen=True, slots=True, eq=False)
class FramedImage:
    """One frame as the model sees it, and where its pixels came from.

    A pixel centre (u, v) of ``image`` lies at ``(scale_x * (u + 0.5) + left, scale_y * (v + 0.5) + top)`` of the
    original picture, in pixels with centres at +0.5.
    """

    image: Tensor  # (3, H, W) float32
    scale_x: float
    scale_y: float
    left: float
    top: float


def model_size(height: int, width: int, config: ZipMapConfig) -> tuple[int, int]:
    """Input size (H, W) for pictures of height x width: multiples of the patch, about the native area.

    Published models get width 518 as in ``load_images`` (mode crop). The small model keeps the pixel count it
    was trained at. Beyond 2:1 the picture is cropped.
    """
    patch = config.patch_size
    if config.native_size is None:
        new_h = round(height * (config.image_size / width) / patch) * patch
        return min(max(new_h, patch), config.image_size), config.image_size
    aspect = min(max(width / height, 1 / _MAX_ASPECT), _MAX_ASPECT)
    area = config.native_size[0] * config.native_size[1]
    new_w = max(round((area * aspect) ** 0.5 / patch), 1) * patch
    new_h = max(round((area / aspect) ** 0.5 / patch), 1) * patch
    return new_h, new_w


def frame_from_rgb(
    rgb: np.ndarray, config: ZipMapConfig, size_hw: tuple[int, int] | None = None
) -> FramedImage:
    """Scale and centre-crop one picture (H, W, 3) uint8 to the model's input size.

    ``size_hw`` overrides ``model_size``, which a stream does to keep the size of its first frame. Raises
    ValueError for an array that is no RGB picture.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"rgb: want (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}")
    height, width = rgb.shape[:2]
    new_h, new_w = model_size(height, width, config) if size_hw is None else size_hw
    scale = min(width / new_w, height / new_h)
    crop_w, crop_h = min(scale * new_w, width), min(scale * new_h, height)  # min: against rounding
    left, top = (width - crop_w) / 2, (height - crop_h) / 2
    if config.native_size is None and min(crop_w / width, crop_h / height) > 0.9:
        # Rounding to patches moves the aspect by a few percent; the published rules squeeze rather than crop.
        crop_w, crop_h, left, top = float(width), float(height), 0.0, 0.0
    box = (left, top, left + crop_w, top + crop_h)
    resized = Image.fromarray(rgb).resize((new_w, new_h), Image.Resampling.BICUBIC, box=box)
    return FramedImage(_tensor(resized), crop_w / new_w, crop_h / new_h, left, top)
