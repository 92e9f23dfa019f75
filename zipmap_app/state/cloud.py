"""The growing point cloud as the window knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from zipmap_app.state.event import Event
from zipmap_app.state.points import POINT_DTYPE, seal
from zipmap_app.state.sample import CloudSample, SceneExtent
from zipmap_app.state.thinning import ThinnedCloud, ThinningRequest, thin

MAX_POINTS = 24_000_000  # 576 MB of vertices in host memory and as much on the GPU
# While a job thins, the cloud may outgrow its bound by this factor; then new frames are stored sparsely.
HARD_BOUND = 1.5
_SPARSE_STEP = 4


class CloudModel:
    """Points in the order of their frames, one block a frame. GUI thread only.

    Memory is bounded: beyond ``max_points`` the model asks for voxel thinning. Whoever listens to
    ``thinning_wanted`` runs ``thin(request)`` where he likes and hands the outcome to ``apply_thinned``;
    without a listener the model thins at once, itself. Blocks are read-only and may be shared.
    """

    def __init__(self, max_points: int = MAX_POINTS) -> None:
        self.appended: Event[[np.ndarray]] = Event()
        self.truncated: Event[[int]] = Event()  # points of frames from this number on are gone
        self.replaced: Event[[]] = Event()  # start over from blocks()
        self.thinned: Event[[]] = Event()  # start over from blocks(), which look the same
        self.cleared: Event[[]] = Event()
        self.thinning_wanted: Event[[ThinningRequest]] = Event()
        self._max_points = _checked_bound(max_points)
        self._blocks: list[np.ndarray] = []
        self._n_points = 0
        self._voxel_size: float | None = None
        self._pending: ThinningRequest | None = None
        self._sample = CloudSample()

    @property
    def n_points(self) -> int:
        return self._n_points

    @property
    def memory_bytes(self) -> int:
        """What the points take on the host and on the GPU together."""
        return 2 * self._n_points * POINT_DTYPE.itemsize

    @property
    def voxel_size(self) -> float | None:
        """Side of the cubes that the cloud was thinned to, scene units; None while every point is kept."""
        return self._voxel_size

    @property
    def max_points(self) -> int:
        """The bound; lowering it below what is stored starts a thinning."""
        return self._max_points

    @max_points.setter
    def max_points(self, max_points: int) -> None:
        self._max_points = _checked_bound(max_points)
        self._want_thinning_if_full()

    def blocks(self) -> Iterator[np.ndarray]:
        """The stored (K,) POINT_DTYPE arrays in order of their frames; read-only."""
        return iter(tuple(self._blocks))

    def append(self, points: np.ndarray) -> None:
        """Take the (K,) POINT_DTYPE points of one frame, which nobody may write to afterwards.

        Raises ValueError for another dtype, for points of several frames, and for a frame before the last one.
        """
        if points.dtype != POINT_DTYPE:
            raise ValueError(f"points: want POINT_DTYPE, got {points.dtype}")
        if not len(points):
            return
        frame = points["frame"][0]
        # Looking at all of them would hold up the GUI thread; a block of several frames has them in order.
        is_mixed = points["frame"][-1] != frame
        if is_mixed or (self._blocks and frame < self._blocks[-1]["frame"][0]):
            raise ValueError("points: want one frame, not before that of the points so far")
        if self._n_points >= HARD_BOUND * self._max_points:
            points = points[::_SPARSE_STEP].copy()
            seal(points)
        self._blocks.append(points)
        self._n_points += len(points)
        self._sample.extend(points)
        self.appended.emit(points)
        self._want_thinning_if_full()

    def truncate(self, n_frames: int) -> tuple[np.ndarray, ...]:
        """Drop the points of frames from ``n_frames`` on; returns their blocks, for ``restore``."""
        n_kept = len(self._blocks)
        while n_kept and self._blocks[n_kept - 1]["frame"][0] >= n_frames:
            n_kept -= 1
        removed = tuple(self._blocks[n_kept:])
        if removed:
            del self._blocks[n_kept:]
            self._n_points -= sum(len(block) for block in removed)
            self._sample.truncate(n_frames)
            self.truncated.emit(n_frames)
        return removed

    def restore(self, blocks: Sequence[np.ndarray]) -> None:
        """Put back what ``truncate`` returned."""
        for block in blocks:
            self.append(block)

    def replace(self, blocks: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Exchange everything; returns the old blocks. Raises ValueError for points ``append`` would refuse."""
        if any(block.dtype != POINT_DTYPE for block in blocks):
            raise ValueError("blocks: want POINT_DTYPE")
        kept = [block for block in blocks if len(block)]
        frames = [float(block["frame"][0]) for block in kept]
        if frames != sorted(frames):
            raise ValueError("blocks: want them in order of their frames")
        old = tuple(self._blocks)
        self._blocks = kept
        self._n_points = sum(len(block) for block in kept)
        self._sample = CloudSample()
        for block in kept:
            self._sample.extend(block)
        self.replaced.emit()
        self._want_thinning_if_full()
        return old

    def clear(self) -> None:
        self._blocks.clear()
        self._n_points = 0
        self._voxel_size = None
        self._pending = None
        self._sample = CloudSample()
        self.cleared.emit()

    def apply_thinned(self, thinned: ThinnedCloud) -> None:
        """Take over a thinning. Blocks that came, went or changed meanwhile are left as they are."""
        if thinned.request is not self._pending:
            return  # the cloud was cleared meanwhile
        self._pending = None
        left = {
            id(old): new for old, new in zip(thinned.request.blocks, thinned.blocks, strict=True)
        }  # the request keeps the old blocks alive, so their ids stay theirs
        merged = [left.get(id(block), block) for block in self._blocks]
        self._blocks = [block for block in merged if len(block)]
        self._n_points = sum(len(block) for block in self._blocks)
        self._voxel_size = thinned.voxel_size
        self.thinned.emit()
        self._want_thinning_if_full()

    def give_up_thinning(self) -> None:
        """The job that was to thin ended without an outcome; the next frame asks again."""
        self._pending = None

    def extent(self, stage_from_world: np.ndarray | None = None) -> SceneExtent | None:
        """The robust extent, or None while there are no points.

        World space, or stage space given its (3, 3) rotation.
        """
        return self._sample.extent(stage_from_world)

    @property
    def confidences(self) -> np.ndarray:
        """(K,) float32 confidences of an even sample of the points, at most 40,000."""
        return self._sample.confidences

    def confidence_quantile(self, fraction: float) -> float:
        """The confidence below which this fraction (0 to 1) of the points lies; -inf hides nothing."""
        return self._sample.confidence_quantile(fraction)

    def _want_thinning_if_full(self) -> None:
        if self._n_points <= self._max_points or self._pending is not None:
            return
        # Half of the bound, whatever is stored: a lowered bound is met at once.
        kept_fraction = 0.5 * self._max_points / self._n_points
        self._pending = ThinningRequest(tuple(self._blocks), self._voxel_size or 0.0, kept_fraction)
        if self.thinning_wanted.n_listeners:
            self.thinning_wanted.emit(self._pending)
            return
        thinned = thin(self._pending)
        assert thinned is not None  # nobody cancels here
        self.apply_thinned(thinned)


def _checked_bound(max_points: int) -> int:
    if max_points < 2:
        raise ValueError(f"max_points: want at least 2, got {max_points}")
    return max_points
