"""What a run was made of, so that it can be taken back and replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zipmap_app.pipeline.engine import EngineError, EngineSnapshot, FrameInput

_FIRST_INTERVAL = 8  # frames between snapshots, until memory asks for more
_SNAPSHOT_SHARE = 0.5  # of the budget, at most; the rest is for the frames
_MIN_SNAPSHOTS = 8  # from here on, forgetting the oldest frames is better than replaying many


@dataclass(frozen=True, slots=True, eq=False)
class PastFrame:
    """One frame that the engine took."""

    frame: FrameInput
    ends_window: bool  # the source ended after it, which made the engine finish the window


@dataclass(frozen=True, slots=True, eq=False)
class PastSnapshot:
    """The engine after the first ``n_frames`` frames."""

    n_frames: int
    snapshot: EngineSnapshot


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """How to get to a frame: from a snapshot, or the empty scene, by taking these frames again."""

    start: EngineSnapshot | None
    frames: tuple[PastFrame, ...]


@dataclass(frozen=True, slots=True, eq=False)
class HistoryTail:
    """What a rewind cut off."""

    n_before: int
    frames: tuple[PastFrame, ...]
    snapshots: tuple[PastSnapshot, ...]

    @property
    def memory_bytes(self) -> int:
        return _size_of(self.frames, self.snapshots)


class InputHistory:
    """The frames of a run and snapshots along it, within ``max_bytes``. Inference thread only.

    The empty scene needs no snapshot. When memory gets tight, every second snapshot goes and later ones come
    half as often; when there are few of them left, the oldest frames go, and with them the way back to that
    time.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._frames: list[PastFrame] = []
        self._frame_bytes = 0  # of all of these
        self._n_forgotten = 0
        self._snapshots: list[PastSnapshot] = []
        self._interval = _FIRST_INTERVAL
        self._takes_snapshots = True
        self._bytes_elsewhere = 0  # of the budget, held by a tail that was cut off

    @property
    def n_frames(self) -> int:
        return self._n_forgotten + len(self._frames)

    @property
    def n_forgotten(self) -> int:
        """How many frames from the start are no longer kept."""
        return self._n_forgotten

    @property
    def memory_bytes(self) -> int:
        return self._frame_bytes + _size_of((), self._snapshots)

    @property
    def wants_snapshot(self) -> bool:
        """Whether it is time for ``add_snapshot``."""
        last = self._snapshots[-1].n_frames if self._snapshots else self._n_forgotten
        return self._takes_snapshots and self.n_frames - last >= self._interval

    def append(self, frame: FrameInput) -> None:
        if self._n_forgotten and not self._snapshots:
            self._n_forgotten += 1  # there is no way to it, so it is of no use
            return
        self._frames.append(PastFrame(frame, ends_window=False))
        self._frame_bytes += frame.memory_bytes
        self._fit()

    def mark_finished(self) -> None:
        """The engine was told that no more frames come, after the newest one."""
        if self._frames:
            self._frames[-1] = PastFrame(self._frames[-1].frame, ends_window=True)

    def add_snapshot(self, snapshot: EngineSnapshot) -> None:
        """Keep the engine as it is after the newest frame, if there is room."""
        if 2 * snapshot.memory_bytes > _SNAPSHOT_SHARE * self._max_bytes:
            # Not even two: replaying from the start is slow, but forgetting frames would be worse.
            self._takes_snapshots = False
            return
        self._snapshots.append(PastSnapshot(self.n_frames, snapshot))
        self._fit()

    def way_to(self, n_frames: int) -> Replay:
        """How to get to the first ``n_frames`` frames. Raises EngineError where memory has not allowed it."""
        if not 0 <= n_frames <= self.n_frames:
            raise EngineError(f"The run has {self.n_frames} frames, so it cannot go back to {n_frames}.")
        starts = [past for past in self._snapshots if past.n_frames <= n_frames]
        if starts:
            first, start = starts[-1].n_frames, starts[-1].snapshot
        elif self._n_forgotten == 0:
            first, start = 0, None
        else:
            raise EngineError(self._refusal())
        frames = self._frames[first - self._n_forgotten : n_frames - self._n_forgotten]
        return Replay(start, tuple(frames))

    def cut(self, n_frames: int) -> HistoryTail:
        """Take away what follows the first ``n_frames`` frames, which must still be kept, and return it."""
        kept = n_frames - self._n_forgotten
        tail = HistoryTail(
            n_frames,
            tuple(self._frames[kept:]),
            tuple(past for past in self._snapshots if past.n_frames > n_frames),
        )
        del self._frames[kept:]
        self._frame_bytes -= _size_of(tail.frames, ())
        self._snapshots = [past for past in self._snapshots if past.n_frames <= n_frames]
        return tail

    def hold_elsewhere(self, memory_bytes: int) -> None:
        """So much of the budget is taken by a tail."""
        self._bytes_elsewhere = memory_bytes
        self._fit()

    def restore(self, tail: HistoryTail) -> None:
        """Replace what follows ``tail.n_before`` frames by the tail."""
        self._bytes_elsewhere = 0
        if self._n_forgotten > tail.n_before:
            self._frames, self._snapshots, self._frame_bytes = [], [], 0
            self._n_forgotten = tail.n_before
        else:
            self.cut(tail.n_before)
        self._frames += tail.frames
        self._frame_bytes += _size_of(tail.frames, ())
        self._snapshots += tail.snapshots
        self._fit()

    def _refusal(self) -> str:
        megabytes = self._max_bytes // 2**20
        earliest = self._snapshots[0].n_frames if self._snapshots else None
        where = "the newest frames only" if earliest is None else f"frame {earliest} and later"
        return (
            f"Going back that far is not possible any more: the {megabytes} MB for rewinding reach back to "
            f"{where}; raise the memory budget for longer runs."
        )

    def _fit(self) -> None:
        room = self._max_bytes - self._bytes_elsewhere
        while len(self._snapshots) > 2 and _size_of((), self._snapshots) > _SNAPSHOT_SHARE * room:
            self._thin()
        while self._frames and self.memory_bytes > room:
            if len(self._snapshots) > _MIN_SNAPSHOTS:
                self._thin()
            else:
                self._forget_oldest()

    def _thin(self) -> None:
        """Let go of every second snapshot, but not of the newest."""
        self._snapshots = [*self._snapshots[:-1:2], self._snapshots[-1]]
        self._interval *= 2

    def _forget_oldest(self) -> None:
        """Let go of the frames up to the next snapshot, from where the rest can still be reached."""
        later = [past for past in self._snapshots if past.n_frames > self._n_forgotten]
        n_forgotten = later[0].n_frames if later else self.n_frames
        n_going = n_forgotten - self._n_forgotten
        self._frame_bytes -= _size_of(self._frames[:n_going], ())
        del self._frames[:n_going]
        self._n_forgotten = n_forgotten
        self._snapshots = later


def _size_of(frames: Sequence[PastFrame], snapshots: Sequence[PastSnapshot]) -> int:
    return sum(past.frame.memory_bytes for past in frames) + sum(
        past.snapshot.memory_bytes for past in snapshots
    )
