"""One-off jobs beside the GUI thread: opening a source, saving a cloud."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from zipmap_app.threads import give_way

logger = logging.getLogger(__name__)


class JobControl:
    """What a running job sees of its owner: where to report progress, and whether to give up."""

    def __init__(self, report: Callable[[float], None]) -> None:
        self._cancelled = threading.Event()
        self.report = report  # fraction done, 0 to 1; any thread

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()


class Job(QObject):
    """Runs a callable in a named thread and announces its end in the GUI thread, exactly once.

    ``done`` carries what the callable returned, ``failed`` its exception. The signals cross threads through the
    private slots below, because only a slot of a QObject living in the GUI thread runs there.
    """

    done = Signal(object)
    failed = Signal(object)  # Exception
    progressed = Signal(float)
    _ended = Signal(object, object)
    _reported = Signal(float)

    def __init__(self, name: str, work: Callable[[JobControl], Any], parent: QObject) -> None:
        super().__init__(parent)
        self._work: Callable[[JobControl], Any] | None = work
        self._control = JobControl(self._reported.emit)
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)
        self._reported.connect(self._on_reported, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """Ask the job to give up; it still ends through ``done`` or ``failed``."""
        self._control.cancel()

    @property
    def is_cancelled(self) -> bool:
        return self._control.is_cancelled

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; False when it is still busy."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        assert self._work is not None
        give_way()
        try:
            result = self._work(self._control)
        except Exception as error:  # the top of a thread: whatever it is, the window must hear of it
            logger.debug("job %s failed:\n%s", self._thread.name, traceback.format_exc())
            self._ended.emit(None, error)
        else:
            self._ended.emit(result, None)

    @Slot(object, object)
    def _on_ended(self, result: object, error: Exception | None) -> None:
        self._thread.join()
        # The parent would keep the job, and with it all that it worked on, for as long as the program runs.
        self._work = None
        self.deleteLater()
        if error is None:
            self.done.emit(result)
        else:
            self.failed.emit(error)

    @Slot(float)
    def _on_reported(self, fraction: float) -> None:
        self.progressed.emit(fraction)
