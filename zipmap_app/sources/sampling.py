"""Take every k-th frame, so many a second, and at most so many."""

from __future__ import annotations

import bisect
import math
import time

from zipmap_app.sources.base import FrameSource, ReopenableSource, SourceError, SourceIdleError
from zipmap_app.state.messages import SourceFrame

_TURN_S = 1.0  # the longest that one read looks for a frame that is due
_JITTER = 1e-3  # of a frame's interval: time stamps are rounded


class SampledSource:
    """A source seen through ``--every``, ``--max-fps`` and ``--max-frames``. Frames keep the inner indices.

    ``max_fps`` goes by the frames' own time stamps: the first one, then the first in every interval of
    1 / max_fps.
    """

    def __init__(
        self,
        inner: FrameSource,
        *,
        every: int = 1,
        max_frames: int | None = None,
        max_fps: float | None = None,
    ) -> None:
        if every < 1:
            raise ValueError(f"every: want at least 1, got {every}")
        if max_frames is not None and max_frames < 1:
            raise ValueError(f"max_frames: want at least 1, got {max_frames}")
        if max_fps is not None and not max_fps > 0:
            raise ValueError(f"max_fps: want above 0, got {max_fps}")
        self._inner = inner
        self._every = every
        self._max_frames = max_frames
        self._max_fps = max_fps
        self._first_timestamp_s: float | None = None
        self._interval = -1  # the newest interval of 1 / max_fps that has a frame
        self._given: list[tuple[int, int]] = []  # frame_index and interval of all frames given
        self._n_to_skip = 0
        self.name = inner.name
        self.is_live = inner.is_live
        self.n_frames_hint = self._hint()

    def _hint(self) -> int | None:
        hint = self._inner.n_frames_hint
        if hint is None or self._max_fps is not None:
            return self._max_frames
        hint = -(-hint // self._every)
        return hint if self._max_frames is None else min(hint, self._max_frames)

    @property
    def notes(self) -> tuple[str, ...]:
        return self._inner.notes

    def read(self) -> SourceFrame | None:
        end_s = time.monotonic() + _TURN_S
        while self._is_before_limit():
            frame = self._read_every()
            if frame is None:
                return None
            if self._is_due(frame):
                self._given.append((frame.frame_index, self._interval))
                return frame
            if time.monotonic() > end_s:
                raise SourceIdleError(f"No frame of {self.name} is due yet.")
        return None

    def skip(self) -> bool:
        return self.read() is not None

    def close(self) -> None:
        self._inner.close()

    def reopened(self, after_frame_index: int) -> SampledSource:
        """The same choice of frames, from after this one on. Raises SourceError if the inner source cannot."""
        if not isinstance(self._inner, ReopenableSource):
            raise SourceError(f"{self.name} cannot be opened again: start it anew.")
        source = SampledSource(
            self._inner.reopened(after_frame_index),
            every=self._every,
            max_frames=self._max_frames,
            max_fps=self._max_fps,
        )
        n_given = bisect.bisect_right(self._given, (after_frame_index, math.inf))
        source._given = self._given[:n_given]
        if n_given:
            source._interval = source._given[-1][1]
            source._first_timestamp_s = self._first_timestamp_s
            source._n_to_skip = self._every - 1
        return source

    def _read_every(self) -> SourceFrame | None:
        # Counted down as it goes, so that a stalled camera does not start the count again.
        while self._n_to_skip:
            if not self._inner.skip():
                return None
            self._n_to_skip -= 1
        frame = self._inner.read()
        if frame is not None:
            self._n_to_skip = self._every - 1
        return frame

    def _is_due(self, frame: SourceFrame) -> bool:
        """Whether it is the first frame of its interval."""
        if self._max_fps is None:
            return True
        if self._first_timestamp_s is None:
            self._first_timestamp_s = frame.timestamp_s
        interval = math.floor((frame.timestamp_s - self._first_timestamp_s) * self._max_fps + _JITTER)
        if interval <= self._interval:
            return False
        self._interval = interval
        return True

    def _is_before_limit(self) -> bool:
        return self._max_frames is None or len(self._given) < self._max_frames
