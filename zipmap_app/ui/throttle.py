"""Not more often than the eye can follow."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Throttle(QObject):
    """Calls a function at once, and again at most every ``gap_ms``; the last call of a burst always comes.

    GUI thread only. ``stop`` drops a call that is still to come.
    """

    def __init__(self, call: Callable[[], None], gap_ms: int, parent: QObject) -> None:
        super().__init__(parent)
        self._call = call
        self._gap_s = gap_ms / 1000
        self._called_s = float("-inf")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._run)

    def __call__(self) -> None:
        rest_s = self._called_s + self._gap_s - time.monotonic()
        if rest_s <= 0:
            self._run()
        elif not self._timer.isActive():
            self._timer.start(round(rest_s * 1000) + 1)

    def stop(self) -> None:
        self._timer.stop()

    def _run(self) -> None:
        self._timer.stop()
        self._call()
        self._called_s = time.monotonic()
