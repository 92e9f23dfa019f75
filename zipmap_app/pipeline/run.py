"""One source on its way through the pipeline, and the thread that reads it."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable

from zipmap_app.pipeline.slots import BoundedSlot, FrameSlot, LatestSlot, Outbox
from zipmap_app.sources.base import FrameSource, SourceError, SourceStalledError
from zipmap_app.state.messages import PipelineFault, SourceFrame, StreamEnded

logger = logging.getLogger(__name__)

_PUT_TIMEOUT_S = 0.2


class Run:
    """A source, its slot and its counts. Shared by the control, capture and inference threads."""

    def __init__(self, source: FrameSource, on_change: Callable[[], None]) -> None:
        self.source = source
        self.slot: FrameSlot = LatestSlot(on_change) if source.is_live else BoundedSlot(on_change=on_change)
        self.n_read = 0  # capture thread writes
        self.is_begun = False  # inference thread only
        self.last_notes: tuple[str, ...] = ()  # notes not yet told as faults; capture thread writes
        self._lock = threading.Lock()
        self._n_results = 0
        self._is_ended = threading.Event()

    @property
    def is_ended(self) -> bool:
        return self._is_ended.is_set()

    def admit_result(self) -> bool:
        """Count one more result; False when the run has ended and wants no more."""
        with self._lock:
            if self._is_ended.is_set():
                return False
            self._n_results += 1
            return True

    def end(self, outbox: Outbox, *, was_stopped: bool) -> None:
        """End the run, once: free whoever waits on it and post its StreamEnded."""
        with self._lock:
            if self._is_ended.is_set():
                return
            self._is_ended.set()
            n_results = self._n_results
        n_dropped = self.slot.n_dropped
        self.slot.close()
        outbox.post(
            StreamEnded(
                n_frames=n_results,
                was_stopped=was_stopped,
                notes=self.last_notes,
                n_read=self.n_read,
                n_dropped=n_dropped,
            )
        )


def capture(run: Run, outbox: Outbox) -> None:
    """Read a run's source to its end into its slot. The body of the capture thread; owns the source."""
    try:
        _capture_frames(run, outbox)
    except SourceError as error:
        _post_fault(run, outbox, PipelineFault(str(error), origin="source"))
    except Exception as error:
        # The top of the thread: whatever a decoder raises must reach the user, not vanish with the thread.
        logger.exception("capture failed")
        sentence = f"Reading {run.source.name} failed ({type(error).__name__}: {error}); try another source."
        _post_fault(run, outbox, PipelineFault(sentence, traceback.format_exc(), origin="source"))
    finally:
        run.source.close()
        run.slot.finish()


def _capture_frames(run: Run, outbox: Outbox) -> None:
    n_notes_told = 0
    is_stalled = False
    while not run.is_ended:
        try:
            frame = run.source.read()
        except SourceStalledError as stall:
            if not is_stalled:
                _post_fault(run, outbox, PipelineFault(str(stall), fatal=False, origin="source"))
            is_stalled = True
            continue
        is_stalled = False
        notes = run.source.notes
        if frame is None:
            run.last_notes = notes[n_notes_told:]
            return
        for note in notes[n_notes_told:]:
            _post_fault(run, outbox, PipelineFault(_sentence(note), fatal=False, origin="source"))
        n_notes_told = len(notes)
        run.n_read += 1
        _hand_over(run, frame)


def _hand_over(run: Run, frame: SourceFrame) -> None:
    while not run.is_ended and not run.slot.put(frame, _PUT_TIMEOUT_S):
        pass


def _post_fault(run: Run, outbox: Outbox, fault: PipelineFault) -> None:
    outbox.post(fault, admit=lambda: not run.is_ended)


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + ("" if note.endswith((".", "!", "?")) else ".")
