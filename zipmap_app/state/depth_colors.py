"""Depth as a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# The turbo colour map at every fifteenth of its 256 places; the rest lies on straight lines between them.
_TURBO_ANCHORS = (
    "30123b 3f3e9c 4666dd 458cfd 2fb2f4 1ad4d0 22ebaa 52fa7a 8bff4b "
    "b7f735 dbe236 f5c53a fea130 f9751d e84b0c ce2d04 a91601 7a0403"
)


def _turbo_table() -> np.ndarray:
    anchors = np.array([tuple(bytes.fromhex(color)) for color in _TURBO_ANCHORS.split()])
    places = np.linspace(0, 255, len(anchors))
    channels = [np.interp(np.arange(256), places, channel) for channel in anchors.T]
    return (np.stack(channels, axis=1) + 0.5).astype(np.uint8)


TURBO = _turbo_table()  # (256, 3) uint8
_NO_DEPTH = np.array([30, 34, 40], np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class DepthPicture:
    """A coloured depth map and the range its colours span."""

    rgb: np.ndarray  # (H, W, 3) uint8
    near: float
    far: float


def depth_picture(depth: np.ndarray, near_far: tuple[float, float] | None = None) -> DepthPicture:
    """Colour (H, W) depth in turbo: near is red, far is blue.

    The ends are ``near_far``, by default the 2nd and 98th percentile. Colours follow inverse depth, which is
    where near things differ; invalid pixels are grey.
    """
    valid = np.isfinite(depth) & (depth > 0)
    if not valid.any():
        return DepthPicture(np.broadcast_to(_NO_DEPTH, (*depth.shape, 3)).copy(), 0.0, 0.0)
    if near_far is None:
        low, high = np.quantile(depth[valid], (0.02, 0.98))
        near_far = float(low), float(high)
    near, far = near_far
    inverse = 1.0 / np.where(valid, depth, 1.0)
    span = max(1 / near - 1 / far, 1e-9)
    index = np.clip((inverse - 1 / far) / span * 255, 0, 255).astype(np.uint8)
    rgb = TURBO[index]
    rgb[~valid] = _NO_DEPTH
    return DepthPicture(rgb, near, far)
