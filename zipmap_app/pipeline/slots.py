"""The hand-overs between threads: each has a bound and a stated policy, and every wait has a timeout."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from zipmap_app.state.commands import FlightFrame
from zipmap_app.state.messages import FrameResult, Message, SourceFrame

_BOUNDED = (FrameResult, FlightFrame)


def _nothing() -> None:
    """The default for "tell me about changes"."""


def _always() -> bool:
    """The default for "is this still wanted"."""
    return True


class FrameSlot(Protocol):
    """Where the capture thread leaves frames for the inference thread."""

    n_dropped: int

    def put(self, frame: SourceFrame, timeout_s: float) -> bool: ...
    def take(self, timeout_s: float = 0.0) -> SourceFrame | None: ...
    def take_pair(self) -> tuple[SourceFrame | None, SourceFrame | None]: ...
    def clear(self) -> None: ...
    def finish(self) -> None: ...
    def close(self) -> None: ...
    @property
    def is_exhausted(self) -> bool: ...
    @property
    def has_frame(self) -> bool: ...


class _Slot:
    """What both slots share: a queue, its end, and who to tell about a change."""

    def __init__(self, on_change: Callable[[], None] = _nothing) -> None:
        self.n_dropped = 0
        self._on_change = on_change
        self._changed = threading.Condition()
        self._frames: deque[SourceFrame] = deque()
        self._n_promised = 0  # of the frames, at the front
        self._is_finished = False

    def take(self, timeout_s: float = 0.0) -> SourceFrame | None:
        """The next frame, or None if none comes in time or none is left."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._is_finished, timeout_s)
            frame = self._next() if self._frames else None
            self._n_promised = 0
            self._changed.notify_all()
        return frame

    def take_pair(self) -> tuple[SourceFrame | None, SourceFrame | None]:
        """The next frame, and the one that the next ``take_pair`` will return unless the slot is cleared.

        None for those that are not there yet.
        """
        with self._changed:
            frame = self._frames.popleft() if self._frames else None
            upcoming = self._frames[0] if self._frames else None
            self._n_promised = 0 if upcoming is None else 1
            self._changed.notify_all()
        return frame, upcoming

    def _next(self) -> SourceFrame:
        """Under the lock, with a frame inside."""
        return self._frames.popleft()

    def finish(self) -> None:
        """No more frames will be put; those inside can still be taken."""
        with self._changed:
            self._is_finished = True
            self._changed.notify_all()
        self._on_change()

    def clear(self) -> None:
        """Throw away what is inside, and count it as dropped."""
        with self._changed:
            self.n_dropped += len(self._frames)
            self._forget()
            self._changed.notify_all()

    def close(self) -> None:
        """Finish and throw away what is inside: nobody will take it. Wakes whoever waits."""
        with self._changed:
            self._forget()
        self.finish()

    def _forget(self) -> None:
        """Under the lock."""
        self._frames.clear()
        self._n_promised = 0

    @property
    def has_frame(self) -> bool:
        """Whether ``take`` would find one now."""
        with self._changed:
            return bool(self._frames)

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is inside and nothing will come."""
        with self._changed:
            return self._is_finished and not self._frames


class LatestSlot(_Slot):
    """For live sources: a new frame replaces unread ones, and the loss is counted.

    ``take`` returns the newest frame. ``take_pair`` wants two, so two are kept: the one that was promised and the
    newest, or the newest two.
    """

    def put(self, frame: SourceFrame, timeout_s: float = 0.0) -> bool:
        """Leave a frame without waiting; False once the slot is finished."""
        with self._changed:
            if self._is_finished:
                return False
            if len(self._frames) == 2:
                del self._frames[self._n_promised]  # the older one of those that may go
                self.n_dropped += 1
            self._frames.append(frame)
            self._changed.notify_all()
        self._on_change()
        return True

    def _next(self) -> SourceFrame:
        self.n_dropped += len(self._frames) - 1
        newest = self._frames.pop()
        self._frames.clear()
        return newest


class BoundedSlot(_Slot):
    """A few places for files: a full slot makes the reader wait, and nothing is lost."""

    def __init__(self, capacity: int = 2, on_change: Callable[[], None] = _nothing) -> None:
        super().__init__(on_change)
        self._capacity = capacity

    def put(self, frame: SourceFrame, timeout_s: float) -> bool:
        """Leave a frame once there is room; False if there was none in time or the slot is finished."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._frames) < self._capacity or self._is_finished, timeout_s)
            if self._is_finished or len(self._frames) >= self._capacity:
                return False
            self._frames.append(frame)
            self._changed.notify_all()
        self._on_change()
        return True


class Outbox:
    """Results on their way to the consumer, in order.

    Frames, of the run and of flights, have a bound: when the consumer is slow, ``put`` waits and the pipeline
    slows down with it. Everything else is rare and small and is always accepted, so that an end or a fault
    never gets lost. ``on_wake`` is called, from the thread that put, whenever the box becomes non-empty.
    """

    def __init__(self, capacity: int = 4, on_wake: Callable[[], None] = _nothing) -> None:
        self._capacity = capacity
        self._on_wake = on_wake
        self._changed = threading.Condition()
        self._messages: deque[Message] = deque()
        self._n_frames = 0
        self._is_closed = False

    def put(
        self, result: FrameResult | FlightFrame, timeout_s: float, admit: Callable[[], bool] = _always
    ) -> bool:
        """Add a frame once there is room.

        False if there was none in time, the box is closed, or ``admit`` says no. That is asked under the lock,
        just before adding: once a run has ended, nothing of it can slip in behind its end.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._n_frames < self._capacity or self._is_closed, timeout_s)
            if self._is_closed or self._n_frames >= self._capacity or not admit():
                return False
            was_empty = not self._messages
            self._messages.append(result)
            self._n_frames += 1
            self._changed.notify_all()
        if was_empty:
            self._on_wake()
        return True

    def post(self, message: Message, admit: Callable[[], bool] = _always) -> None:
        """Add a rare message (model, fault, answer, end) without waiting; ignored once closed or unwanted."""
        with self._changed:
            if self._is_closed or not admit():
                return
            was_empty = not self._messages
            self._messages.append(message)
            self._changed.notify_all()
        if was_empty:
            self._on_wake()

    def take(self, max_items: int = 1, timeout_s: float = 0.0) -> list[Message]:
        """Up to ``max_items`` messages in order; an empty list if none comes in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._is_closed, timeout_s)
            taken = [self._messages.popleft() for _ in range(min(max_items, len(self._messages)))]
            self._n_frames -= sum(isinstance(message, _BOUNDED) for message in taken)
            self._changed.notify_all()
        return taken

    def discard(self, kinds: tuple[type[Message], ...]) -> None:
        """Throw away unread messages of some kinds: a new run makes them meaningless."""
        with self._changed:
            self._messages = deque(message for message in self._messages if not isinstance(message, kinds))
            self._n_frames = sum(isinstance(message, _BOUNDED) for message in self._messages)
            self._changed.notify_all()

    def close(self) -> None:
        """Refuse new messages and wake whoever waits; what is inside can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def is_empty(self) -> bool:
        with self._changed:
            return not self._messages
