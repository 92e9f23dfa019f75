"""Take every k-th frame, and at most so many."""

from __future__ import annotations

from zipmap_app.sources.base import FrameSource
from zipmap_app.state.messages import SourceFrame


class SampledSource:
    """A source seen through ``--every`` and ``--max-frames``. Frames keep the inner source's indices."""

    def __init__(self, inner: FrameSource, *, every: int = 1, max_frames: int | None = None) -> None:
        if every < 1:
            raise ValueError(f"every: want at least 1, got {every}")
        if max_frames is not None and max_frames < 1:
            raise ValueError(f"max_frames: want at least 1, got {max_frames}")
        self._inner = inner
        self._every = every
        self._max_frames = max_frames
        self._n_read = 0
        self._n_to_skip = 0
        self.name = inner.name
        self.is_live = inner.is_live
        self.n_frames_hint = self._hint()

    def _hint(self) -> int | None:
        hint = self._inner.n_frames_hint
        if hint is None:
            return self._max_frames
        hint = -(-hint // self._every)
        return hint if self._max_frames is None else min(hint, self._max_frames)

    @property
    def notes(self) -> tuple[str, ...]:
        return self._inner.notes

    def read(self) -> SourceFrame | None:
        if not self._is_before_limit():
            return None
        # Counted down as it goes, so that a stalled camera does not start the count again.
        while self._n_to_skip:
            if not self._inner.skip():
                return None
            self._n_to_skip -= 1
        frame = self._inner.read()
        if frame is not None:
            self._n_read += 1
            self._n_to_skip = self._every - 1
        return frame

    def skip(self) -> bool:
        return self.read() is not None

    def close(self) -> None:
        self._inner.close()

    def _is_before_limit(self) -> bool:
        return self._max_frames is None or self._n_read < self._max_frames
