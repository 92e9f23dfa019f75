"""How the view moves by itself: short flights from pose to pose, and steering with keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zipmap_app.scene.orbit import OrbitPose

GLIDE_S = 0.28
_FAST = 4.0
# Of the distance to the pivot, per second: speed follows the size of what is looked at.
_SPEED = 0.6
_KEYS = {
    "D": (0, 1.0),
    "A": (0, -1.0),
    "Q": (1, 1.0),  # down
    "E": (1, -1.0),
    "W": (2, 1.0),
    "S": (2, -1.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Glide:
    """A short way from one pose to another, slow at both ends."""

    start: OrbitPose
    goal: OrbitPose
    start_s: float  # on any clock
    duration_s: float = GLIDE_S

    def pose_at(self, now_s: float) -> OrbitPose:
        t = min(max((now_s - self.start_s) / self.duration_s, 0.0), 1.0)
        # The goal itself at the end: interpolation would leave rounding errors in the angles.
        return self.goal if t >= 1.0 else self.start.towards(self.goal, t * t * (3 - 2 * t))

    def is_over(self, now_s: float) -> bool:
        return now_s - self.start_s >= self.duration_s


class FlyKeys:
    """Which keys are down and where they steer: W A S D along the view, Q E down and up, Shift fast."""

    def __init__(self) -> None:
        self._down: set[str] = set()

    @property
    def is_moving(self) -> bool:
        return bool(self._down & _KEYS.keys())

    def set(self, name: str, *, is_down: bool) -> bool:
        """A key by its name ("W", "Shift"); returns whether it steers."""
        key = name.capitalize()
        if key not in _KEYS and key != "Shift":
            return False
        (self._down.add if is_down else self._down.discard)(key)
        return True

    def release_all(self) -> None:
        self._down.clear()

    def moved(self, pose: OrbitPose, elapsed_s: float) -> OrbitPose:
        """Where the keys have taken ``pose`` after a while."""
        steps = np.zeros(3)
        for key in self._down & _KEYS.keys():
            axis, sign = _KEYS[key]
            steps[axis] += sign
        speed = _SPEED * pose.distance * (_FAST if "Shift" in self._down else 1.0)
        return pose.flown(steps * speed * elapsed_s)
