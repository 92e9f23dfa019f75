"""Camera paths in TUM format: timestamp tx ty tz qx qy qz qw, of world_from_camera."""

from __future__ import annotations

import numpy as np


def tum_line(timestamp_s: float, world_from_camera: np.ndarray) -> str:
    """One line, with its end, for a camera (4, 4)."""
    numbers = (*world_from_camera[:3, 3], *quaternion_xyzw(world_from_camera[:3, :3]))
    return f"{timestamp_s:.6f} " + " ".join(f"{number:.9g}" for number in numbers) + "\n"


def quaternion_xyzw(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternion (x, y, z, w), w >= 0, of a rotation matrix (3, 3) that may be off by rounding."""
    r = rotation
    # The outer product of the quaternion with itself, times four; its largest diagonal entry is the safe divisor.
    outer = np.array(
        [
            [1 + r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
            [r[0, 1] + r[1, 0], 1 - r[0, 0] + r[1, 1] - r[2, 2], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
            [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], 1 - r[0, 0] - r[1, 1] + r[2, 2], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], 1 + r[0, 0] + r[1, 1] + r[2, 2]],
        ]
    )
    quaternion = outer[int(np.argmax(np.diag(outer)))]
    quaternion = quaternion / np.linalg.norm(quaternion)
    sign = -1.0 if quaternion[3] < 0 else 1.0
    return np.asarray(sign * quaternion)
