"""One source on its way through the pipeline, and the threads that read it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from zipmap_app.pipeline.capture import Feed, start_capture
from zipmap_app.pipeline.slots import FrameSlot, Outbox
from zipmap_app.sources.base import FrameSource, ReopenableSource
from zipmap_app.state.messages import StreamEnded


class Run:
    """A scene's source and its counts. Shared by the control, capture and inference threads.

    A run that has ended can come to life again, when the scene is rewound, until it is retired.
    """

    def __init__(self, source: FrameSource, outbox: Outbox, on_change: Callable[[], None]) -> None:
        self.name = source.name
        self.is_begun = False  # inference thread only
        self._source = source
        self._outbox = outbox
        self._on_change = on_change
        self._lock = threading.Lock()
        self._n_results = 0
        self._is_ended = threading.Event()
        self._is_retired = False
        self._feed = Feed(source.is_live, lambda: source, on_change)
        self._threads: list[threading.Thread] = []
        self._n_read_before = 0  # by earlier feeds
        self._n_dropped_before = 0

    @property
    def is_ended(self) -> bool:
        return self._is_ended.is_set()

    @property
    def slot(self) -> FrameSlot:
        """Where the frames arrive."""
        return self._feed.slot

    @property
    def n_results(self) -> int:
        """How many results were handed on; a scene that was rewound to n frames counts on from n."""
        return self._n_results

    @property
    def n_dropped(self) -> int:
        """Frames that a live source lost so far."""
        return self._n_dropped_before + self._feed.slot.n_dropped

    @property
    def threads(self) -> list[threading.Thread]:
        """The capture threads that may still run."""
        with self._lock:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            return list(self._threads)

    def start(self) -> None:
        """Begin to read. Control thread."""
        with self._lock:
            self._start_capture()

    def admit_result(self) -> bool:
        """Count one more result; False when the run has ended and wants no more."""
        with self._lock:
            if self._is_ended.is_set():
                return False
            self._n_results += 1
            return True

    def can_continue(self) -> bool:
        """Whether frames can come after a rewind: the source still runs, or can be opened again."""
        is_running = self._source.is_live and not self.is_ended
        return is_running or isinstance(self._source, ReopenableSource)

    def rewind(self, n_results: int, after_frame_index: int) -> bool:
        """Go on with the frame after this one, as result number ``n_results``; an ended run lives again.

        A file is opened again by its new capture thread, which joins the old one first; a live source that
        still runs just goes on. False if the run was retired meanwhile. Inference thread.
        """
        source = self._source
        with self._lock:
            if self._is_retired:
                return False
            self._n_results = n_results
            is_running = not self._is_ended.is_set()
            self._is_ended.clear()
            if source.is_live and is_running:
                self._feed.slot.clear()
                return True
            assert isinstance(source, ReopenableSource)
            self._n_dropped_before += self._feed.slot.n_dropped
            self._n_read_before += self._feed.n_read
            self._feed.stop()

            def reopened() -> FrameSource:
                self._source = source.reopened(after_frame_index)
                return self._source

            self._feed = Feed(source.is_live, reopened, self._on_change, is_reopened=True)
            self._start_capture()
        return True

    def end(self, *, was_stopped: bool) -> None:
        """End the run, once: free whoever waits on it and post its StreamEnded."""
        with self._lock:
            if self._is_ended.is_set():
                return
            self._is_ended.set()
            feed = self._feed
            ended = StreamEnded(
                n_frames=self._n_results,
                was_stopped=was_stopped,
                notes=feed.last_notes,
                n_read=self._n_read_before + feed.n_read,
                n_dropped=self._n_dropped_before + feed.slot.n_dropped,
            )
        feed.stop()
        self._outbox.post(ended)

    def retire(self) -> None:
        """End the run for good."""
        with self._lock:
            self._is_retired = True
        self.end(was_stopped=True)

    def _start_capture(self) -> None:
        before = self._threads[-1] if self._threads else None
        thread = start_capture(self._feed, self.name, self._outbox, before)
        self._threads = [*(old for old in self._threads if old.is_alive()), thread]
