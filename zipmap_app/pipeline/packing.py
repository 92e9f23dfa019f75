"""From one depth map to coloured points: pure NumPy, all inputs in, one array out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from zipmap_app.pipeline.masks import MaskOptions, left_out
from zipmap_app.state.points import POINT_DTYPE

PointsFrom = Literal["all", "keyframes"]


@dataclass(frozen=True, kw_only=True)
class PackingOptions:
    """Which pixels become points. Raises ValueError on construction for values that make no sense."""

    max_points: int = 40_000  # per frame
    confidence_percentile: float = 20.0  # percent of the pixels, the least sure ones, that are left out
    max_slope_deg: float = 84.0  # a surface seen more edge-on than this is taken for a depth edge
    points_from: PointsFrom = "all"  # frames that give points
    masks: MaskOptions = field(default_factory=MaskOptions)

    def __post_init__(self) -> None:
        if self.max_points < 1:
            raise ValueError(f"max_points: want at least 1, got {self.max_points}")
        if not 0 <= self.confidence_percentile < 100:
            raise ValueError(f"confidence_percentile: want 0 to below 100, got {self.confidence_percentile}")
        if not 0 < self.max_slope_deg < 90:
            raise ValueError(f"max_slope_deg: want between 0 and 90, got {self.max_slope_deg}")
        if self.points_from not in ("all", "keyframes"):
            raise ValueError(f"points_from: want 'all' or 'keyframes', got {self.points_from!r}")


def pack_points(
    depth: np.ndarray,
    confidence: np.ndarray,
    rgb: np.ndarray,
    world_from_camera: np.ndarray,
    intrinsics: np.ndarray,
    options: PackingOptions,
    position: int = 0,
) -> np.ndarray:
    """Points (K,) POINT_DTYPE in world space of one view, the ``position``-th of the run.

    depth, confidence (H, W) float32, depth along z; rgb (H, W, 3) uint8; world_from_camera (4, 4); intrinsics
    (3, 3) in pixels, with pixels counted at integer coordinates. Left out: depth that is not finite or not
    positive, depth edges ("flying pixels"), what the masks cover, the least confident of the remaining pixels,
    and what exceeds ``max_points``.
    """
    width = depth.shape[1]
    is_valid = np.isfinite(depth) & np.isfinite(confidence) & (depth > 0)
    masked = left_out(rgb, depth, confidence, options.masks)
    is_edge = _is_edge(np.where(is_valid, depth, 0.0), intrinsics, options.max_slope_deg)
    if masked is not None:
        is_valid &= ~masked
    if not is_valid.any():
        return np.empty(0, POINT_DTYPE)
    is_kept = is_valid & ~is_edge
    # ">=" keeps everything where the model is equally sure of all pixels, as on a black picture.
    is_kept &= confidence >= np.percentile(confidence[is_valid], options.confidence_percentile)
    pixels = _within_budget(np.flatnonzero(is_kept.ravel()), width, options.max_points)
    v, u = np.divmod(pixels, width)
    z = depth.ravel()[pixels].astype(np.float32)
    # One matrix takes (u z, v z, z) all the way to the world; the products of float64 are small and exact enough.
    world_from_pixel = world_from_camera[:3, :3] @ np.linalg.inv(intrinsics)
    points = np.empty(len(pixels), POINT_DTYPE)
    scaled = np.stack([u * z, v * z, z], axis=1, dtype=np.float32)
    points["position"] = scaled @ world_from_pixel.T.astype(np.float32) + world_from_camera[:3, 3].astype(
        np.float32
    )
    colours = rgb.reshape(-1, 3)[pixels].astype(np.float32)
    points["rgb"] = colours @ np.array([1, 256, 65536], np.float32)
    points["confidence"] = confidence.ravel()[pixels]
    points["frame"] = position
    return points


def _is_edge(depth: np.ndarray, intrinsics: np.ndarray, max_slope_deg: float) -> np.ndarray:
    """Where depth jumps to a neighbour more than a surface at this slope would.

    A surface whose normal is ``slope`` off the viewing ray changes depth by tan(slope) / focal of itself from
    pixel to pixel, so the threshold means the same at every resolution. Both sides of a jump are marked.
    """
    slope = math.tan(math.radians(max_slope_deg))
    is_edge = np.zeros(depth.shape, bool)
    for axis, focal in ((1, intrinsics[0, 0]), (0, intrinsics[1, 1])):
        first, second = (depth[:, :-1], depth[:, 1:]) if axis == 1 else (depth[:-1], depth[1:])
        jumps = np.abs(second - first) > slope / focal * np.minimum(first, second)
        if axis == 1:
            is_edge[:, :-1] |= jumps
            is_edge[:, 1:] |= jumps
        else:
            is_edge[:-1] |= jumps
            is_edge[1:] |= jumps
    return is_edge


def _within_budget(pixels: np.ndarray, width: int, max_points: int) -> np.ndarray:
    """A regular subset of flat pixel indices, at most ``max_points`` of them.

    The lattice is "every k-th pixel" of rows counted as ``pitch`` wide, the next width coprime with k: each row
    starts at another column, so no stripes appear.
    """
    step = max(-(-len(pixels) // max_points), 1)
    while True:
        if step == 1:
            return pixels
        pitch = width
        while math.gcd(step, pitch) != 1:
            pitch += 1
        v, u = np.divmod(pixels, width)
        chosen = pixels[(u + pitch * v) % step == 0]
        if len(chosen) <= max_points:
            return chosen
        step += 1
