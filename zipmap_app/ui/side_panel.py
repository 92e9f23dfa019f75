"""The column beside the viewport: current frame, query, points."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from zipmap_app.state.appearance import AppearanceModel
from zipmap_app.ui.appearance_panel import AppearancePanel
from zipmap_app.ui.query_panel import QueryPanel
from zipmap_app.ui.video_panel import VideoPanel

_STACK_FROM_HEIGHT_PX = 1150  # above this everything fits with the depth below the picture


class SidePanel(QScrollArea):
    """Holds the three cards and scrolls when the window is low."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.video = VideoPanel()
        self.query = QueryPanel()
        self.appearance = AppearancePanel(AppearanceModel())
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(10)
        for panel in (self.video, self.query, self.appearance):
            layout.addWidget(panel)
        layout.addStretch(1)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(290)
        self.setMaximumWidth(620)
        self.setWidget(column)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.video.set_stacked(event.size().height() >= _STACK_FROM_HEIGHT_PX)
