"""What the inference thread remembers of a run besides the scene itself."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from zipmap_app.pipeline.engine import EngineError, EngineSnapshot, FrameInput, TrackedPicture
from zipmap_app.pipeline.history import HistoryTail, InputHistory
from zipmap_app.pipeline.kept import KeptFrames
from zipmap_app.state.messages import FrameResult


@dataclass(frozen=True, slots=True)
class PipelineMemory:
    """What the pipeline keeps, in bytes, the model not counted."""

    history_bytes: int = 0  # frames and snapshots for rewinding, and what a rewind cut off
    kept_bytes: int = 0  # of keyframes: depth, and pictures that the history has forgotten
    states_bytes: int = 0  # opened and forked scene states, and what a companion has seen

    @property
    def total_bytes(self) -> int:
        return self.history_bytes + self.kept_bytes + self.states_bytes


@dataclass(frozen=True, slots=True, eq=False)
class CutTail:
    """All that a rewind took away, so that it can be taken back."""

    snapshot: EngineSnapshot  # the engine just before
    history: HistoryTail
    kept: KeptFrames  # all of the run, as before
    frame_indices: tuple[int, ...]  # of the frames that were cut off
    cameras: tuple[np.ndarray, ...]
    n_results: int  # before

    @property
    def memory_bytes(self) -> int:
        return self.snapshot.memory_bytes + self.history.memory_bytes


class RunMemory:
    """History, keyframes and cameras of one run. Inference thread only."""

    def __init__(self, history_bytes: int, max_kept_frames: int) -> None:
        self.history = InputHistory(history_bytes)
        self.kept = KeptFrames(max_kept_frames)
        self.cameras: list[np.ndarray] = []  # (4, 4) world_from_camera of every result
        self._frame_indices: list[int] = []  # of every frame that the engine took
        self._tail: CutTail | None = None
        self._without_result: deque[FrameInput] = deque()  # a model may wait for more frames

    def take_input(self, frame: FrameInput) -> None:
        """The engine took this frame."""
        self.history.append(frame)
        self._frame_indices.append(frame.frame_index)
        self._without_result.append(frame)

    def take_result(self, result: FrameResult) -> None:
        """This result was handed on."""
        self.cameras.append(result.world_from_camera)
        self.kept.append(result, self._tracked_of(result))

    def _tracked_of(self, result: FrameResult) -> TrackedPicture | None:
        while self._without_result and self._without_result[0].frame_index < result.frame_index:
            self._without_result.popleft()
        if not self._without_result or self._without_result[0].frame_index != result.frame_index:
            return None
        return self._without_result.popleft().tracked

    @property
    def n_results(self) -> int:
        return len(self.cameras)

    @property
    def last_frame_index(self) -> int:
        """Of the newest frame that the engine took; -1 before the first."""
        return self._frame_indices[-1] if self._frame_indices else -1

    def cut(self, n_frames: int, snapshot: EngineSnapshot) -> None:
        """Keep the first ``n_frames`` frames, and the rest aside with the engine as it was after all of them."""
        history = self.history.cut(n_frames)
        self._tail = CutTail(
            snapshot=snapshot,
            history=history,
            kept=self.kept.copy(),
            frame_indices=tuple(self._frame_indices[n_frames:]),
            cameras=tuple(self.cameras[n_frames:]),
            n_results=self.n_results,
        )
        del self._frame_indices[n_frames:]
        del self.cameras[n_frames:]
        self.kept.cut(n_frames)
        self._without_result.clear()
        # Without the snapshot: that of a large model alone may exceed what is meant for frames.
        self.history.hold_elsewhere(history.memory_bytes)

    def restore(self) -> CutTail:
        """Put back what the newest ``cut`` took, in place of what came since. Raises EngineError without one."""
        tail, self._tail = self._tail, None
        if tail is None:
            raise EngineError("Nothing was cut off that could be brought back.")
        n_before = tail.history.n_before
        self.history.restore(tail.history)
        self.kept = tail.kept
        self._without_result.clear()
        self._frame_indices[n_before:] = tail.frame_indices
        self.cameras[n_before:] = tail.cameras
        return tail

    @property
    def history_bytes(self) -> int:
        return self.history.memory_bytes + (0 if self._tail is None else self._tail.memory_bytes)

    @property
    def kept_bytes(self) -> int:
        forgotten = self.history.n_forgotten
        frames = self.kept.frames
        pictures = sum(frame.picture_bytes for frame in frames if frame.position < forgotten)
        return pictures + sum(frame.depth_bytes for frame in frames)
