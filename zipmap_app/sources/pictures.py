"""Decode one picture file to upright RGB, whatever a camera or a browser made of it."""

from __future__ import annotations

import logging
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pi_heif
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from zipmap_app.sources.base import SourceError, check_size
from zipmap_app.sources.quiet import quiet_stderr

# Formats that photos come in. Pillow knows many more; each is a parser that a stray file could reach.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "HEIF", "AVIF", "JPEG2000")
_FILM_DIAGONAL_MM = math.hypot(36, 24)  # equivalent focal lengths compare diagonals
_EQUIVALENT_MM = (6.0, 800.0)  # what is outside is a camera's way to say that it does not know
_ANIMATED_FORMATS = ("GIF", "WEBP", "PNG")
_NAMES = "JPEG, PNG, WebP, GIF, BMP, TIFF, PPM, HEIC, AVIF or JPEG 2000"

# Models look at pictures at most 518 pixels wide; keeping more than this costs time and memory only.
MAX_SIDE_PX = 2048
# A whole picture is decoded before it is reduced, except JPEG, whose decoder reduces by itself.
_MAX_PIXELS = 90_000_000
_MAX_PIXELS_JPEG = 2 * _MAX_PIXELS

Image.init()  # formats can be named only after their plugins are loaded
pi_heif.register_heif_opener()
# Sizes are checked here, with a message, and broken EXIF is expected; Pillow would write both to stderr.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)


def is_picture(path: Path) -> bool:
    """Whether the content of a file, not its name, is a picture we read. Decodes nothing."""
    try:
        with path.open("rb") as file, Image.open(file, formats=FORMATS):
            return True
    except Exception as error:
        # A file that is too large or damaged inside is still a picture, and is refused as one.
        return not isinstance(error, (UnidentifiedImageError, OSError))


def is_animated(path: Path) -> bool:
    """Whether a file holds a moving picture (several pages or a burst are not one)."""
    with _picture(path) as image:
        return image.format in _ANIMATED_FORMATS and getattr(image, "n_frames", 1) > 1


def rgb_from_picture(path: Path) -> np.ndarray:
    """The first picture of a file as upright (H, W, 3) uint8, at most MAX_SIDE_PX a side, alpha over white.

    Raises SourceError that names the file when it is damaged, too large, too small or no picture.
    """
    with _picture(path) as image:
        if image.format in ("JPEG", "MPO"):
            image.draft("RGB" if image.mode == "YCbCr" else image.mode, (MAX_SIDE_PX, MAX_SIDE_PX))
        with quiet_stderr() if image.format == "TIFF" else nullcontext():
            image.load()
        upright = _upright(image)
        check_size(path.name, upright.height, upright.width)
        return _rgb(upright)


def fov_from_picture(path: Path, size_hw: tuple[int, int]) -> float | None:
    """Horizontal field of view in radians of a picture of this upright size, if its EXIF data tell."""
    try:
        with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
            equivalent_mm = float(
                image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm]
            )
    except Exception:
        # Most pictures have none, and EXIF of unknown origin breaks in any way; see _picture.
        return None
    if not _EQUIVALENT_MM[0] <= equivalent_mm <= _EQUIVALENT_MM[1]:
        return None
    height, width = size_hw
    return 2 * math.atan(0.5 * width / math.hypot(height, width) * _FILM_DIAGONAL_MM / equivalent_mm)


def frames_from_animation(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """Frames of a moving picture, composed: time in seconds and (H, W, 3) uint8.

    Raises SourceError as ``rgb_from_picture``; a frame that is damaged ends the iteration that way too.
    """
    with _picture(path) as image:
        time_s = 0.0
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            image.load()
            check_size(path.name, image.height, image.width)
            yield time_s, _rgb(image)
            # Browsers show frames without a sensible duration for a tenth of a second.
            duration_ms = float(image.info.get("duration", 0) or 0)
            time_s += duration_ms / 1000 if duration_ms > 10 else 0.1


@contextmanager
def _picture(path: Path) -> Iterator[Image.Image]:
    """An open picture; every error that decoding raises becomes a SourceError with the file's name."""
    try:
        with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
            _check_pixels(path, image)
            yield image
    except (SourceError, GeneratorExit):
        raise
    except UnidentifiedImageError as error:
        why = "it is empty" if _is_empty(path) else f"it is damaged or not a {_NAMES} file"
        raise SourceError(
            f"{path.name} cannot be read as a picture: {why}; convert or replace it."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        found = re.search(r"\d+ pixels", str(error))
        size = found.group() if found else "too many pixels"
        raise SourceError(
            f"{path.name} claims {size}, more than the {_MAX_PIXELS} that are safe to decode: reduce it first."
        ) from error
    except Exception as error:
        # Pillow's decoders raise nearly every type on damaged data: TypeError, SyntaxError, struct.error ...
        raise SourceError(
            f"{path.name} cannot be read as a picture: {_reason(error)}; replace the file or copy it again."
        ) from error


def _check_pixels(path: Path, image: Image.Image) -> None:
    n_pixels = image.width * image.height
    limit = _MAX_PIXELS_JPEG if image.format in ("JPEG", "MPO") else _MAX_PIXELS
    if n_pixels > limit:
        raise SourceError(
            f"{path.name} has {image.width}x{image.height} = {n_pixels} pixels, more than the {limit} that are "
            "safe to decode: reduce it first."
        )


def _is_empty(path: Path) -> bool:
    return path.stat().st_size == 0


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "reading it is not permitted"
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.rstrip(". ")


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; broken EXIF is as good as none."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        # Parsing EXIF of unknown origin; see _picture on what Pillow raises.
        return image


def _rgb(image: Image.Image) -> np.ndarray:
    if max(image.size) > MAX_SIDE_PX and image.mode not in ("I", "F") and not image.mode.startswith("I;"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.BICUBIC, reducing_gap=2.0)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        grey = _eight_bits(np.asarray(image), image.mode)
        image = Image.fromarray(grey)
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return np.array(image.convert("RGB"))


def _eight_bits(values: np.ndarray, mode: str) -> np.ndarray:
    """Deep grey values to 8 bits by scaling: 16-bit types by their range, others by what they contain."""
    values = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if mode == "F":
        low, high = float(values.min()), float(values.max())
        values = (values - low) * (255 / (high - low) if high > low else 0)
    elif mode != "I" or values.max() > 255:
        values = values / 257  # 65535 -> 255
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
