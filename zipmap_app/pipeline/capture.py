"""The capture thread: reads one source to its end into a slot."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable

from zipmap_app.pipeline.slots import BoundedSlot, FrameSlot, LatestSlot, Outbox
from zipmap_app.sources.base import FrameSource, SourceError, SourceIdleError, SourceStalledError
from zipmap_app.state.messages import PipelineFault, SourceFrame

logger = logging.getLogger(__name__)

_PUT_TIMEOUT_S = 0.2
_PREDECESSOR_TIMEOUT_S = 5.0


class Feed:
    """One opened source and the slot it fills. Shared by its capture thread and those who stop it."""

    def __init__(
        self,
        is_live: bool,
        open_source: Callable[[], FrameSource],
        on_change: Callable[[], None],
        *,
        is_reopened: bool = False,
    ) -> None:
        self.slot: FrameSlot = LatestSlot(on_change) if is_live else BoundedSlot(on_change=on_change)
        self.n_read = 0  # capture thread writes
        self.last_notes: tuple[str, ...] = ()  # notes not yet told as faults; capture thread writes
        self.open_source = open_source
        self.is_reopened = is_reopened  # its first notes were told when it was opened the first time
        self._is_stopped = threading.Event()

    @property
    def is_stopped(self) -> bool:
        return self._is_stopped.is_set()

    def stop(self) -> None:
        """Read no more and forget what was not taken. Any thread."""
        self._is_stopped.set()
        self.slot.close()


def start_capture(
    feed: Feed, name: str, outbox: Outbox, predecessor: threading.Thread | None
) -> threading.Thread:
    """Start the thread that reads a feed, once the one that read the same device before has let go of it."""
    thread = threading.Thread(target=_capture, args=(feed, name, outbox, predecessor), name="capture")
    thread.start()
    return thread


def _capture(feed: Feed, name: str, outbox: Outbox, predecessor: threading.Thread | None) -> None:
    """The body of the capture thread; owns the source."""
    source: FrameSource | None = None
    try:
        if predecessor is not None:
            predecessor.join(_PREDECESSOR_TIMEOUT_S)
        source = feed.open_source()
        _read_frames(feed, source, outbox)
    except SourceError as error:
        _post_fault(feed, outbox, PipelineFault(str(error), origin="source"))
    except Exception as error:
        # The top of the thread: whatever a decoder raises must reach the user, not vanish with the thread.
        logger.exception("capture failed")
        sentence = f"Reading {name} failed ({type(error).__name__}: {error}); try another source."
        _post_fault(feed, outbox, PipelineFault(sentence, traceback.format_exc(), origin="source"))
    finally:
        if source is not None:
            source.close()
        feed.slot.finish()


def _read_frames(feed: Feed, source: FrameSource, outbox: Outbox) -> None:
    n_notes_told = len(source.notes) if feed.is_reopened else 0
    is_stalled = False
    while not feed.is_stopped:
        try:
            frame = source.read()
        except SourceIdleError:
            continue
        except SourceStalledError as stall:
            if not is_stalled:
                _post_fault(feed, outbox, PipelineFault(str(stall), fatal=False, origin="source"))
            is_stalled = True
            continue
        is_stalled = False
        notes = source.notes
        if frame is None:
            feed.last_notes = notes[n_notes_told:]
            return
        for note in notes[n_notes_told:]:
            _post_fault(feed, outbox, PipelineFault(_sentence(note), fatal=False, origin="source"))
        n_notes_told = len(notes)
        feed.n_read += 1
        _hand_over(feed, frame)


def _hand_over(feed: Feed, frame: SourceFrame) -> None:
    while not feed.is_stopped and not feed.slot.put(frame, _PUT_TIMEOUT_S):
        pass


def _post_fault(feed: Feed, outbox: Outbox, fault: PipelineFault) -> None:
    outbox.post(fault, admit=lambda: not feed.is_stopped)


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + ("" if note.endswith((".", "!", "?")) else ".")
