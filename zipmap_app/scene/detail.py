"""How many points to draw at a time, and which."""

from __future__ import annotations

import math
from dataclasses import dataclass

SOFTWARE_BUDGET = 40_000
HARDWARE_BUDGET = 5_000_000
_MIN_BUDGET, _MAX_BUDGET = 5_000, 50_000_000
_HARDWARE_TARGET_MS = 16.0
_SOFTWARE_TARGET_MS = 20.0  # drawn by the GUI thread's own cores: a picture must not hold it up
_SAMPLE_FILL_PX = 300_000  # pixels that the enlarged points of a small sample may cover together
_PATIENCE = 2.0  # a part of the picture at rest may take so many times as long
# Primes that divide few usual widths: a stride that shares a factor with the width shows as stripes.
_STRIDES = (1, 3, 7, 11, 13, 17, 19, 23, 29, 31, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
MAX_STRIDE = _STRIDES[-1]  # any driver's stride limit, for points of 24 bytes
_SOFTWARE_NAMES = ("llvmpipe", "softpipe", "swiftshader", "software", "gdi generic")


def is_software(renderer: str) -> bool:
    """Whether a GL_RENDERER computes on the processor."""
    return any(name in renderer.lower() for name in _SOFTWARE_NAMES)


@dataclass(frozen=True, slots=True)
class Part:
    """Every ``stride``-th point from the ``phase``-th on; of those, one run of neighbours in ``skip``."""

    stride: int = 1
    phase: int = 0
    skip: int = 1
    run: int = 0


@dataclass(frozen=True, slots=True)
class Sampling:
    """A cloud in ``n_parts`` disjoint parts, each spread evenly over the whole."""

    stride: int = 1
    skip: int = 1

    @property
    def n_parts(self) -> int:
        return self.stride * self.skip

    def part(self, index: int) -> Part:
        """Parts that follow each other lie far apart, so that the picture fills evenly."""
        step = max(int(0.382 * self.stride), 1)  # strides are prime, so every step visits every phase
        return Part(self.stride, index * step % self.stride, self.skip, index // self.stride)


def sampling_for(n_points: int, budget: float) -> Sampling:
    """Parts of at most ``budget`` points: by stride as far as that goes, then by skipping runs."""
    wanted = math.ceil(n_points / budget)
    stride = next((stride for stride in _STRIDES if stride >= wanted), MAX_STRIDE)
    return Sampling(stride, max(math.ceil(n_points / (stride * budget)), 1))


def enlargement(n_points: int, n_parts: int, size_px: float) -> float:
    """How much larger the points of one part of a cloud are drawn, so that they close the gaps of the others.

    Growing with the square root of the number of parts would fill as many pixels as drawing all points; only few
    points can afford that.
    """
    affordable = math.sqrt(_SAMPLE_FILL_PX * n_parts / max(n_points, 1)) / size_px
    return min(max(min(math.pow(n_parts, 0.25), 2.0), min(affordable, 4.0)), math.sqrt(n_parts))


class DetailController:
    """Chooses the sampling from a point budget, and the budget from measured frame times."""

    def __init__(self) -> None:
        self._target_ms = _HARDWARE_TARGET_MS
        self._budget = float(HARDWARE_BUDGET)
        self.is_software = False

    @property
    def budget(self) -> int:
        """Points of one draw while something moves."""
        return int(self._budget)

    def set_renderer(self, renderer: str) -> None:
        """Start from what the GL renderer can likely do; measurements take over from there."""
        self.is_software = is_software(renderer)
        self._budget = float(SOFTWARE_BUDGET if self.is_software else HARDWARE_BUDGET)
        self._target_ms = _SOFTWARE_TARGET_MS if self.is_software else _HARDWARE_TARGET_MS

    def allows_shading(self, *, is_complete: bool) -> bool:
        """Without a GPU the second pass over the picture costs as much as points: once, at the end."""
        return is_complete or not self.is_software

    def sampling(self, n_points: int, *, is_moving: bool) -> Sampling:
        return sampling_for(n_points, self._budget * (1.0 if is_moving else _PATIENCE))

    def add_measurement(self, drawn_ms: float, n_drawn: int, *, is_moving: bool) -> None:
        """Learn from a frame that drew ``n_drawn`` points; small frames say nothing about the points."""
        patience = 1.0 if is_moving else _PATIENCE
        if n_drawn < 0.5 * self._budget * patience or drawn_ms <= 0:
            return
        change = min(max(self._target_ms * patience / drawn_ms, 0.3), 1.3)
        self._budget = min(max(self._budget * change, _MIN_BUDGET), _MAX_BUDGET)
