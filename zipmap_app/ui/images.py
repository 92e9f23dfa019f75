"""Arrays to pictures: QImage conversion and the depth colour map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtGui import QImage

# Polynomial of degree five for each channel that follows the turbo colour map to about a hundredth.
_TURBO = np.array(
    [
        [0.13572138, 4.61539260, -42.66032258, 132.13108234, -152.94239396, 59.28637943],
        [0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604],
        [0.10667330, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973],
    ]
)


def _turbo_table() -> np.ndarray:
    powers = np.linspace(0, 1, 256)[:, None] ** np.arange(6)
    table: np.ndarray = np.clip(powers @ _TURBO.T, 0, 1) * 255 + 0.5
    return table.astype(np.uint8)


TURBO = _turbo_table()  # (256, 3) uint8
_NO_DEPTH = np.array([30, 34, 40], np.uint8)


def qimage_from_rgb(rgb: np.ndarray) -> QImage:
    """A QImage that owns its pixels, from (H, W, 3) uint8."""
    height, width = rgb.shape[:2]
    data = np.ascontiguousarray(rgb)
    return QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


@dataclass(frozen=True, slots=True, eq=False)
class DepthPicture:
    """A coloured depth map and the range its colours span."""

    rgb: np.ndarray  # (H, W, 3) uint8
    near: float
    far: float


def depth_picture(depth: np.ndarray) -> DepthPicture:
    """Colour (H, W) depth in turbo: near is red, far is blue; the ends are the 2nd and 98th percentile.

    Colours follow inverse depth, which is where near things differ; invalid pixels are grey.
    """
    valid = np.isfinite(depth) & (depth > 0)
    if not valid.any():
        return DepthPicture(np.broadcast_to(_NO_DEPTH, (*depth.shape, 3)).copy(), 0.0, 0.0)
    near, far = (float(value) for value in np.quantile(depth[valid], (0.02, 0.98)))
    inverse = 1.0 / np.where(valid, depth, 1.0)
    span = max(1 / near - 1 / far, 1e-9)
    index = np.clip((inverse - 1 / far) / span * 255, 0, 255).astype(np.uint8)
    rgb = TURBO[index]
    rgb[~valid] = _NO_DEPTH
    return DepthPicture(rgb, near, far)
