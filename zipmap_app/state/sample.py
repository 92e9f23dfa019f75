"""A bounded sample of the cloud, from which its extent and its confidence levels are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_MAX_SAMPLE = 40_000
_FIRST_STEP = 16
_MAX_MEASURED = 8_000  # points of the sample that say where the scene is
_NEWS = 1.02  # growth after which it is worth asking them again


@dataclass(frozen=True, slots=True)
class SceneExtent:
    """Where the bulk of the points is, robust against stray ones. OpenCV axes: y points down."""

    centre: tuple[float, float, float]
    radius: float  # most points lie within this distance of the centre
    floor_y: float  # nearly all points lie above this plane


class CloudSample:
    """Every k-th of all points, k doubling as they grow. GUI thread only."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._step = _FIRST_STEP
        self._n = 0
        self._n_points = 0  # that the sample stands for
        self._n_measured = 0  # of them, when the extents were taken
        self._extents: dict[bytes, SceneExtent] = {}  # by rotation

    def extend(self, points: np.ndarray) -> None:
        """Take (K,) POINT_DTYPE points into account."""
        part = points[:: self._step]
        self._parts.append(part)
        self._n += len(part)
        while self._n > _MAX_SAMPLE:
            halved = self._joined()[::2].copy()
            self._parts = [halved]
            self._n = len(halved)
            self._step *= 2
        self._n_points += len(points)
        if self._n_points > _NEWS * self._n_measured:
            self._extents.clear()

    def truncate(self, n_frames: int) -> None:
        """Forget the points of frames from ``n_frames`` on."""
        if not self._n:
            return
        joined = self._joined()
        kept = joined[joined["frame"] < n_frames]
        self._parts = [kept] if len(kept) else []
        self._n = len(kept)
        self._n_points = self._n * self._step
        self._extents.clear()

    def extent(self, stage_from_world: np.ndarray | None) -> SceneExtent | None:
        """The robust extent in world space, or in a space turned by a (3, 3) rotation."""
        if not self._n:
            return None
        key = b"" if stage_from_world is None else stage_from_world.tobytes()
        if key not in self._extents:
            positions = self._joined()["position"][:: -(-self._n // _MAX_MEASURED)]
            if stage_from_world is not None:
                positions = positions @ stage_from_world.T.astype(np.float32)
            self._extents[key] = _extent_of(positions)
            self._n_measured = self._n_points
        return self._extents[key]

    @property
    def confidences(self) -> np.ndarray:
        """(K,) float32, in no useful order; empty without points."""
        return self._joined()["confidence"] if self._n else np.empty(0, np.float32)

    def confidence_quantile(self, fraction: float) -> float:
        if fraction <= 0 or not self._n:
            return float("-inf")
        return float(np.quantile(self._joined()["confidence"], min(fraction, 1.0)))

    def _joined(self) -> np.ndarray:
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0]


def _extent_of(positions: np.ndarray) -> SceneExtent:
    centre = np.median(positions, axis=0)
    distances = np.linalg.norm(positions - centre, axis=1)
    return SceneExtent(
        centre=(float(centre[0]), float(centre[1]), float(centre[2])),
        radius=max(float(np.quantile(distances, 0.85)), 1e-6),
        floor_y=float(np.quantile(positions[:, 1], 0.98)),
    )
