"""The middle of the window: notices, the 3D canvas, and what floats over it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from zipmap_app.scene.view import SceneView
from zipmap_app.state.session import SessionModel
from zipmap_app.ui.finalise_bar import FinaliseBar
from zipmap_app.ui.notice_bar import NoticeBar
from zipmap_app.ui.side_tabs import SideTabs
from zipmap_app.ui.tool_hint import ToolHint
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
        self._tabs: SideTabs | None = None
        self.scene.native.installEventFilter(self)
        self.hint = ToolHint(session.tools, stage)
        self.hint.cancel_requested.connect(session.tools.cancel)
        self.finalise_bar = FinaliseBar(stage)
        self._welcome = welcome
        welcome.setParent(stage)
        stage.installEventFilter(self)
        self.setMinimumSize(360, 260)

    def set_welcome_visible(self, is_visible: bool) -> None:
        self._welcome.setVisible(is_visible)
        if is_visible:
            self._welcome.setGeometry(self._stage.rect())
            self._welcome.raise_()

    def use_wheel_for_size(self, tabs: SideTabs) -> None:
        """Ctrl+wheel over the canvas changes the size of the points, Alt+wheel that of the frusta."""
        self._tabs = tabs

    def close_scene(self) -> None:
        """Let go of the session and the GPU."""
        self.scene.native.removeEventFilter(self)
        self.hint.disconnect_model()
        self.scene.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._stage and event.type() == QEvent.Type.Resize:
            self._welcome.setGeometry(self._stage.rect())
            self.hint.place()
            self.finalise_bar.place()
        if isinstance(event, QWheelEvent) and self._tabs is not None:
            # With Alt, Qt turns the wheel sideways.
            n_steps = 1 if event.angleDelta().y() + event.angleDelta().x() > 0 else -1
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._tabs.appearance.change_size(n_steps)
                return True
            if event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._tabs.cameras.change_size(n_steps)
                return True
        return super().eventFilter(watched, event)
