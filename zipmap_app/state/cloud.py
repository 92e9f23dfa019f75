"""The growing point cloud as the window knows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zipmap_app.state.event import Event
from zipmap_app.state.points import POINT_DTYPE

MAX_POINTS = 24_000_000  # 480 MB of vertices in host memory and as much on the GPU
_MAX_SAMPLE = 40_000


@dataclass(frozen=True, slots=True)
class SceneExtent:
    """Where the bulk of the points is, robust against stray ones. World space, OpenCV axes."""

    centre: tuple[float, float, float]
    radius: float  # most points lie within this distance of the centre
    floor_y: float  # y points down: nearly all points lie above this plane


class CloudModel:
    """Points in the order they came, in the blocks they came in. GUI thread only.

    Memory is bounded: beyond ``max_points`` every second point of all that is stored is dropped, once, and
    ``thinned`` tells the views to start over from ``blocks()``.
    """

    def __init__(self, max_points: int = MAX_POINTS) -> None:
        if max_points < 2:
            raise ValueError(f"max_points: want at least 2, got {max_points}")
        self.appended: Event[[np.ndarray]] = Event()
        self.thinned: Event[[]] = Event()
        self.cleared: Event[[]] = Event()
        self._max_points = max_points
        self._blocks: list[np.ndarray] = []
        self._n_points = 0
        self._sample_parts: list[np.ndarray] = []
        self._sample_step = 16
        self._n_sample = 0

    @property
    def n_points(self) -> int:
        return self._n_points

    def blocks(self) -> Iterator[np.ndarray]:
        """The stored (K,) POINT_DTYPE arrays, oldest first; read-only."""
        return iter(tuple(self._blocks))

    def append(self, points: np.ndarray) -> None:
        """Take (K,) POINT_DTYPE points, which nobody may write to afterwards."""
        if points.dtype != POINT_DTYPE:
            raise ValueError(f"points: want POINT_DTYPE, got {points.dtype}")
        if not len(points):
            return
        self._blocks.append(points)
        self._n_points += len(points)
        self._extend_sample(points)
        if self._n_points > self._max_points:
            self._thin()
            self.thinned.emit()
        else:
            self.appended.emit(points)

    def clear(self) -> None:
        self._blocks.clear()
        self._n_points = 0
        self._sample_parts.clear()
        self._sample_step = 16
        self._n_sample = 0
        self.cleared.emit()

    def extent(self) -> SceneExtent | None:
        """The robust extent, or None while there are no points."""
        if not self._n_sample:
            return None
        positions = self._sample()["position"]
        centre = np.median(positions, axis=0)
        distances = np.linalg.norm(positions - centre, axis=1)
        radius = float(np.quantile(distances, 0.85))
        return SceneExtent(
            centre=(float(centre[0]), float(centre[1]), float(centre[2])),
            radius=max(radius, 1e-6),
            floor_y=float(np.quantile(positions[:, 1], 0.98)),
        )

    def confidence_quantile(self, fraction: float) -> float:
        """The confidence below which this fraction (0 to 1) of the points lies; -inf hides nothing."""
        if fraction <= 0 or not self._n_sample:
            return float("-inf")
        return float(np.quantile(self._sample()["confidence"], min(fraction, 1.0)))

    def _sample(self) -> np.ndarray:
        if len(self._sample_parts) > 1:
            self._sample_parts = [np.concatenate(self._sample_parts)]
        return self._sample_parts[0]

    def _extend_sample(self, points: np.ndarray) -> None:
        part = points[:: self._sample_step]
        self._sample_parts.append(part)
        self._n_sample += len(part)
        while self._n_sample > _MAX_SAMPLE:
            halved = self._sample()[::2].copy()
            self._sample_parts = [halved]
            self._n_sample = len(halved)
            self._sample_step *= 2

    def _thin(self) -> None:
        thinned = [block[::2].copy() for block in self._blocks]
        for block in thinned:
            block.setflags(write=False)
        self._blocks = thinned
        self._n_points = sum(len(block) for block in thinned)
