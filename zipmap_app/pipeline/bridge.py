"""The one crossing from the pipeline's threads into the GUI thread."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, Signal, Slot

from zipmap_app.pipeline.slots import Outbox

_TURN_S = 0.008  # the longest the GUI thread is kept at a time


class ResultBridge(QObject):
    """Emits ``received`` for every message of an outbox, in the thread that made the bridge (the GUI's)."""

    received = Signal(object)  # Message
    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._outbox: Outbox | None = None
        # Queued even within one thread: a turn must end before the next begins.
        self._woken.connect(self.drain, Qt.ConnectionType.QueuedConnection)

    def attach(self, outbox: Outbox) -> None:
        """Deliver from this outbox from now on. GUI thread."""
        self._outbox = outbox
        self.wake()

    def detach(self) -> None:
        """Deliver nothing more. GUI thread."""
        self._outbox = None

    def wake(self) -> None:
        """The outbox has something. Any thread."""
        self._woken.emit()

    @Slot()
    def drain(self) -> None:
        """Deliver what waits, for one turn at most. GUI thread."""
        end_s = time.monotonic() + _TURN_S
        while self._outbox is not None:
            # One at a time: a receiver may start a new run, which makes what is still inside stale.
            messages = self._outbox.take(1)
            if not messages:
                return
            self.received.emit(messages[0])
            if time.monotonic() >= end_s:
                self.wake()
                return
