"""The middle of the window: notices, the 3D canvas, and the welcome card over it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from zipmap_app.scene.view import SceneView
from zipmap_app.state.session import SessionModel
from zipmap_app.ui.appearance_panel import AppearancePanel
from zipmap_app.ui.notice_bar import NoticeBar
from zipmap_app.ui.welcome import Welcome


class Viewport(QWidget):
    """Owns the SceneView; the canvas is made with its final parent and never moves to another."""

    def __init__(self, session: SessionModel, welcome: Welcome, parent: QWidget) -> None:
        super().__init__(parent)
        self.notices = NoticeBar()
        stage = QWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.notices)
        layout.addWidget(stage, 1)
        self._stage = stage
        self.scene = SceneView(session, stage)
        stage_layout = QVBoxLayout(stage)
        stage_layout.setContentsMargins(0, 0, 0, 0)
        stage_layout.addWidget(self.scene.native)
        self._size_panel: AppearancePanel | None = None
        self.scene.native.installEventFilter(self)
        self._welcome = welcome
        welcome.setParent(stage)
        stage.installEventFilter(self)
        self.setMinimumSize(360, 260)

    def set_welcome_visible(self, is_visible: bool) -> None:
        self._welcome.setVisible(is_visible)
        if is_visible:
            self._welcome.setGeometry(self._stage.rect())
            self._welcome.raise_()

    def use_wheel_for_size(self, panel: AppearancePanel) -> None:
        """Ctrl+wheel over the canvas changes the point size."""
        self._size_panel = panel

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._stage and event.type() == QEvent.Type.Resize:
            self._welcome.setGeometry(self._stage.rect())
        if (
            isinstance(event, QWheelEvent)
            and self._size_panel is not None
            and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self._size_panel.change_size(1 if event.angleDelta().y() > 0 else -1)
            return True
        return super().eventFilter(watched, event)
