"""How many points to draw while something moves."""

from __future__ import annotations

import math

SOFTWARE_BUDGET = 300_000
HARDWARE_BUDGET = 5_000_000
_MIN_BUDGET, _MAX_BUDGET = 30_000, 50_000_000
_HARDWARE_TARGET_MS = 16.0
_SOFTWARE_TARGET_MS = 25.0  # drawn by the GUI thread's own cores: a picture must not hold it up
# Primes that divide few usual widths: a stride that shares a factor with the width shows as stripes.
_STRIDES = (1, 3, 7, 11, 13, 17, 19, 23, 29, 31, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
MAX_STRIDE = _STRIDES[-1]


def stride_for(n_points: int, budget: float) -> int:
    """The smallest usable stride that keeps within a budget, at most 83 (any driver's stride limit)."""
    wanted = math.ceil(n_points / budget)
    return next((stride for stride in _STRIDES if stride >= wanted), MAX_STRIDE)


class DetailController:
    """Chooses the vertex stride from a point budget, and the budget from measured frame times."""

    def __init__(self) -> None:
        self._target_ms = _HARDWARE_TARGET_MS
        self._budget = float(HARDWARE_BUDGET)
        self._is_software = False

    @property
    def budget(self) -> int:
        return int(self._budget)

    def set_renderer(self, renderer: str) -> None:
        """Start from what the GL renderer can likely do; measurements take over from there."""
        names = ("llvmpipe", "softpipe", "swiftshader", "software")
        self._is_software = any(name in renderer.lower() for name in names)
        self._budget = float(SOFTWARE_BUDGET if self._is_software else HARDWARE_BUDGET)
        self._target_ms = _SOFTWARE_TARGET_MS if self._is_software else _HARDWARE_TARGET_MS

    def allows_shading(self, *, is_moving: bool) -> bool:
        """Without a GPU a second pass over the picture would cost as much as the points: only at rest."""
        return not (is_moving and self._is_software)

    def stride(self, n_points: int, *, is_moving: bool) -> int:
        """1 draws everything; k draws every k-th point."""
        if not is_moving or n_points <= self._budget:
            return 1
        return stride_for(n_points, self._budget)

    def skip(self, n_points: int, *, is_moving: bool) -> int:
        """1 draws every run of points; k one run in k, where even the largest stride draws too many."""
        if not is_moving:
            return 1
        return max(math.ceil(n_points / (MAX_STRIDE * self._budget)), 1)

    def add_measurement(self, drawn_ms: float, n_drawn: int) -> None:
        """Learn from a frame that drew ``n_drawn`` points; small frames say nothing about the points."""
        if n_drawn < 0.5 * self._budget or drawn_ms <= 0:
            return
        change = min(max(self._target_ms / drawn_ms, 0.3), 1.3)
        self._budget = min(max(self._budget * change, _MIN_BUDGET), _MAX_BUDGET)
