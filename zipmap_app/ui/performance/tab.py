"""The Performance tab: made when it is first looked at, at work only while it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from zipmap_app.state.appearance import AppearanceModel
from zipmap_app.state.session import SessionModel

if TYPE_CHECKING:
    from zipmap_app.ui.performance.histogram_card import HistogramCard
    from zipmap_app.ui.performance.latency_card import DropsCard, LatencyCard
    from zipmap_app.ui.performance.memory_card import MemoryCard

_REFRESH_MS = 250


class PerformanceTab(QWidget):
    """Latency, drops, memory and confidence of a session, at most four times a second. GUI thread only.

    The timer runs once after something has changed, and not while the tab is hidden.
    """

    latency: LatencyCard
    drops: DropsCard
    memory: MemoryCard
    histogram: HistogramCard

    def __init__(self, session: SessionModel, look: AppearanceModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._look = look
        self._is_built = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(10)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._disconnects = (
            session.history.appended.connect(lambda record: self._note_change()),
            session.history.changed.connect(self._note_change),
            session.undo.changed.connect(self._note_change),
        )

    def release(self) -> None:
        """Let go of the session."""
        self._timer.stop()
        for disconnect in self._disconnects:
            disconnect()
        if self._is_built:
            self.histogram.release()

    def refresh(self) -> None:
        """Show what is now."""
        if self._is_built:
            self.latency.refresh()
            self.drops.refresh()
            self.memory.show_use(self._session.memory_use, self._session.budget)
            self.histogram.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._is_built:
            self._build()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _note_change(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _build(self) -> None:
        # Not at the top: PyQtGraph takes half a second to import, which the start of the window must not.
        from zipmap_app.ui.performance.histogram_card import HistogramCard
        from zipmap_app.ui.performance.latency_card import DropsCard, LatencyCard
        from zipmap_app.ui.performance.memory_card import MemoryCard

        self.latency = LatencyCard(self._session.history)
        self.drops = DropsCard(self._session.history)
        self.memory = MemoryCard()
        self.histogram = HistogramCard(self._session.cloud, self._look)
        for card in (self.latency, self.drops, self.histogram, self.memory):
            self._layout.addWidget(card)
        self._is_built = True
