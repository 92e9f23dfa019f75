"""Which frames show enough that is new."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class KeyframePolicy:
    """A frame is a keyframe when the camera has moved or turned enough since the last one, or it is time."""

    min_translation: float = 0.03  # camera motion, as a share of the last keyframe's median depth
    min_rotation_deg: float = 3.0
    max_gap: int = 20  # frames after which one is a keyframe whatever the camera did

    def __post_init__(self) -> None:
        if not (self.min_translation > 0 and self.min_rotation_deg > 0 and self.max_gap >= 1):
            raise ValueError(f"a keyframe policy needs positive thresholds, got {self}")


@dataclass(frozen=True, slots=True, eq=False)
class Keyframe:
    """The newest keyframe, which later frames are compared with."""

    position: int
    world_from_camera: np.ndarray  # (4, 4)
    median_depth: float


def is_keyframe(
    policy: KeyframePolicy, last: Keyframe | None, position: int, world_from_camera: np.ndarray
) -> bool:
    """Whether the frame at this position, seen by this camera (4, 4), is one; the first always is."""
    if last is None or position - last.position >= policy.max_gap:
        return True
    moved = float(np.linalg.norm(world_from_camera[:3, 3] - last.world_from_camera[:3, 3]))
    if moved >= policy.min_translation * last.median_depth:
        return True
    turn = last.world_from_camera[:3, :3].T @ world_from_camera[:3, :3]
    cosine = (float(np.trace(turn)) - 1) / 2
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0))) >= policy.min_rotation_deg


def median_depth(depth: np.ndarray) -> float:
    """The median of the depths that are depths at all, (H, W); 1 where none is."""
    valid = depth[np.isfinite(depth) & (depth > 0)]
    return float(np.median(valid)) if len(valid) else 1.0
