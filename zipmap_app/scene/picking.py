"""Which point of the cloud lies under the mouse, computed on the host.

A click is rare and the points are in memory anyway, so no second render pass and no read-back is needed.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_MAX_TESTED = 1_000_000


def pick_point(
    blocks: Iterable[np.ndarray],
    n_points: int,
    clip_from_world: np.ndarray,
    size_px: tuple[float, float],
    mouse_px: tuple[float, float],
    *,
    radius_px: float = 6.0,
    min_confidence: float = float("-inf"),
) -> np.ndarray | None:
    """Nearest visible surface point under the mouse, (3,) world space, or None over empty space.

    ``blocks`` hold POINT_DTYPE vertices, ``clip_from_world`` is (4, 4) in column convention, pixels count
    from the view's top left. Of the points within ``radius_px``, those up to a twentieth behind the frontmost
    count as the same surface, and the one nearest to the mouse wins. Very large clouds are tested by every
    k-th point.
    """
    step = n_points // _MAX_TESTED + 1
    matrix = clip_from_world.astype(np.float32)
    width, height = size_px
    hits, depths, distances = [], [], []
    for block in blocks:
        part = block[::step]
        clip = part["position"] @ matrix[:, :3].T + matrix[:, 3]
        w = clip[:, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            dx = (clip[:, 0] / w + 1) * (width / 2) - mouse_px[0]
            dy = (1 - clip[:, 1] / w) * (height / 2) - mouse_px[1]
            distance = np.hypot(dx, dy)
            in_view = (w > 0) & (np.abs(clip[:, 2]) <= w)
        near = in_view & (distance <= radius_px) & (part["confidence"] >= min_confidence)
        if near.any():
            hits.append(part["position"][near])
            depths.append(w[near])
            distances.append(distance[near])
    if not hits:
        return None
    depth = np.concatenate(depths)
    same_surface = depth <= depth.min() * 1.05
    distance = np.where(same_surface, np.concatenate(distances), np.inf)
    picked: np.ndarray = np.concatenate(hits)[int(np.argmin(distance))]
    return picked.astype(float)
