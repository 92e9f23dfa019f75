"""What is evaluated: procedural sequences that training never draws, and real sequences from a folder."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.data.batches import intrinsics_from_focal
from training.data.procedural import ProceduralConfig, compose_clips, film_clips
from zipmap_model import FramedImage, ZipMapConfig, frame_from_rgb, model_size

_HELD_OUT_SEED = 900_000_017  # far from any pool's seeds
_CHUNK = 16  # sequences composed at once; fixed, because it decides which scenes are drawn
_MAX_FRAMES = 64


@dataclass(frozen=True, slots=True, eq=False)
class EvalSequence:
    """Frames as the model sees them, with whatever truth there is."""

    name: str
    images: Tensor  # (S, 3, H, W) float32 in [0, 1]
    depth: Tensor | None  # (S, H, W); 0 where unknown
    world_from_camera: Tensor | None  # (S, 4, 4)
    intrinsics: Tensor | None  # (S, 3, 3) pixels of `images`


def procedural_suite(
    n_sequences: int = 64, n_frames: int = 12, *, device: torch.device, compiled: bool = False
) -> list[EvalSequence]:
    """Held-out procedural sequences of 192 x 144; the first n of them are always the same."""
    config = ProceduralConfig(n_frames=n_frames)
    sequences: list[EvalSequence] = []
    for index in range(math.ceil(n_sequences / _CHUNK)):
        composed = compose_clips(config, _CHUNK, _HELD_OUT_SEED + index)
        clips = film_clips(composed, config, device, compiled=compiled)
        intrinsics = intrinsics_from_focal(clips.focal_px.cpu(), config.size)
        for i in range(clips.n_clips):
            sequences.append(
                EvalSequence(
                    f"procedural_{len(sequences):02d}",
                    clips.rgb[i].cpu().movedim(-1, 1).float() / 255,
                    clips.depth[i].cpu().float(),
                    clips.world_from_camera[i].cpu(),
                    intrinsics[i].expand(n_frames, 3, 3),
                )
            )
    return sequences[:n_sequences]


def real_sequences(folder: Path, config: ZipMapConfig) -> list[EvalSequence]:
    """All sequences with frames below `folder`, at the model's input size. Empty if there are none."""
    roots = sorted(path.parent for path in folder.glob("*/meta.json") if (path.parent / "frames").is_dir())
    return [load_real_sequence(root, config) for root in roots]


def load_real_sequence(root: Path, config: ZipMapConfig) -> EvalSequence:
    """One sequence: frames/*, meta.json, and where there are any poses.npz (c2w, K, K_depth) and depth/*.png."""
    name = json.loads((root / "meta.json").read_text())["name"]
    paths = sorted((root / "frames").iterdir())[:_MAX_FRAMES]
    first = _read_rgb(paths[0])
    size = model_size(first.shape[0], first.shape[1], config)
    framed = [frame_from_rgb(_read_rgb(path), config, size) for path in paths]
    truth = dict(np.load(root / "poses.npz")) if (root / "poses.npz").is_file() else {}
    K = _per_frame(truth["K"], len(paths)) if "K" in truth else None
    K_depth = _per_frame(truth["K_depth"], len(paths)) if "K_depth" in truth else K
    depth = None
    if (root / "depth").is_dir():
        maps = []
        for index, (path, frame) in enumerate(zip(paths, framed, strict=True)):
            depth_path = root / "depth" / (path.stem + ".png")
            pair = (K[index], K_depth[index]) if K is not None and K_depth is not None else None
            maps.append(_read_depth(depth_path, frame, size, pair))
        depth = torch.stack(maps)
    cameras = torch.from_numpy(truth["c2w"][: len(paths)]) if "c2w" in truth else None
    intrinsics = (
        None if K is None else torch.stack([_framed_intrinsics(k, f) for k, f in zip(K, framed, strict=True)])
    )
    return EvalSequence(name, torch.stack([f.image for f in framed]), depth, cameras, intrinsics)


def _read_rgb(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _per_frame(K: np.ndarray, n_frames: int) -> np.ndarray:
    return np.broadcast_to(K, (n_frames, 3, 3)) if K.ndim == 2 else K[:n_frames]


def _framed_intrinsics(K: np.ndarray, frame: FramedImage) -> Tensor:
    """Intrinsics of the picture after scaling and cropping."""
    return torch.tensor(
        [
            [K[0, 0] / frame.scale_x, 0, (K[0, 2] - frame.left) / frame.scale_x],
            [0, K[1, 1] / frame.scale_y, (K[1, 2] - frame.top) / frame.scale_y],
            [0, 0, 1],
        ]
    )


def _read_depth(
    path: Path,
    frame: FramedImage,
    size: tuple[int, int],
    color_and_depth_K: tuple[np.ndarray, np.ndarray] | None,
) -> Tensor:
    """Depth in metres at the model's pixels, nearest sample; zeros if the frame has no depth file.

    Where depth has intrinsics of its own, a pixel is looked up along the same ray.
    """
    height, width = size
    if not path.is_file():
        return torch.zeros(height, width)
    with Image.open(path) as image:
        millimetres = np.asarray(image).astype(np.float32)
    x = frame.scale_x * (np.arange(width) + 0.5) + frame.left
    y = frame.scale_y * (np.arange(height) + 0.5) + frame.top
    if color_and_depth_K is not None:
        K, K_depth = color_and_depth_K
        x = (x - K[0, 2]) / K[0, 0] * K_depth[0, 0] + K_depth[0, 2]
        y = (y - K[1, 2]) / K[1, 1] * K_depth[1, 1] + K_depth[1, 2]
    rows, columns = np.floor(y).astype(int), np.floor(x).astype(int)
    inside = (rows >= 0) & (rows < millimetres.shape[0])
    inside_x = (columns >= 0) & (columns < millimetres.shape[1])
    picked = millimetres[rows.clip(0, millimetres.shape[0] - 1)][:, columns.clip(0, millimetres.shape[1] - 1)]
    return torch.from_numpy(np.where(inside[:, None] & inside_x, picked, 0.0) / 1000).float()
