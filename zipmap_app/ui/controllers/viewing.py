"""What is drawn follows the models: looks, up, the timeline's cursor, and the pointed-at frame."""

from __future__ import annotations

import base64

from PySide6.QtCore import QBuffer, QEvent, QIODevice, QObject
from PySide6.QtGui import QCursor, QKeyEvent
from PySide6.QtWidgets import QToolTip

from zipmap_app.state.alignment import Alignment
from zipmap_app.state.appearance import Appearance, ColorMode
from zipmap_app.state.history import FrameRecord
from zipmap_app.ui.actions import ActionId
from zipmap_app.ui.images import qimage_from_rgb
from zipmap_app.ui.parts import WindowParts
from zipmap_app.ui.shortcut_guard import ShortcutGuard

_COLOR_ACTIONS = {
    ActionId.COLOR_PICTURE: ColorMode.RGB,
    ActionId.COLOR_DISTANCE: ColorMode.DEPTH,
    ActionId.COLOR_CONFIDENCE: ColorMode.CONFIDENCE,
    ActionId.COLOR_TIME: ColorMode.TIME,
}


class ViewController(QObject):
    """Between the scene, the View tab and the view actions. GUI thread only."""

    def __init__(self, parts: WindowParts, guard: ShortcutGuard, parent: QObject) -> None:
        super().__init__(parent)
        self._parts = parts
        self._guard = guard
        session, scene, tabs = parts.session, parts.scene, parts.tabs
        self._disconnects = (
            parts.look.changed.connect(self._on_look),
            session.alignment.changed.connect(self._on_alignment),
            session.timeline.changed.connect(self._on_timeline),
            scene.frustum_hovered.connect(self._on_hovered),
            scene.frustum_clicked.connect(self._on_clicked),
            scene.fly_changed.connect(self._on_fly_changed),
            scene.follow_camera_changed.connect(self._on_follow_changed),
        )
        tabs.cameras.path_toggled.connect(parts.actions[ActionId.PATH].setChecked)
        tabs.cameras.follow_toggled.connect(scene.set_follow_camera)
        tabs.cameras.fly_toggled.connect(scene.set_fly)
        parts.actions[ActionId.PATH].toggled.connect(tabs.cameras.show_path)
        for action_id, mode in _COLOR_ACTIONS.items():
            action = parts.actions[action_id]
            action.triggered.connect(lambda _=False, mode=mode: parts.look.edit(color_mode=mode))
        scene.native.installEventFilter(self)
        self._on_look(parts.look.value)

    def close(self) -> None:
        self._guard.set_flying(False)
        self._parts.scene.native.removeEventFilter(self)
        for disconnect in self._disconnects:
            disconnect()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) and isinstance(event, QKeyEvent):
            is_down = event.type() == QEvent.Type.KeyPress
            name = "Shift" if event.key() == 0x01000020 else chr(event.key()) if event.key() < 128 else ""
            return bool(name) and self._parts.scene.fly_key(name, is_down)
        return False

    def _on_look(self, appearance: Appearance) -> None:
        self._parts.scene.set_appearance(appearance)
        for action_id, mode in _COLOR_ACTIONS.items():
            self._parts.actions[action_id].setChecked(appearance.color_mode is mode)

    def _on_alignment(self, alignment: Alignment) -> None:
        self._parts.scene.set_alignment(alignment)

    def _on_timeline(self) -> None:
        self._parts.scene.set_cursor(self._parts.session.timeline.cursor)

    def _on_hovered(self, position: int | None) -> None:
        history = self._parts.session.history
        if position is None or position >= len(history):
            QToolTip.hideText()
        else:
            QToolTip.showText(QCursor.pos(), _frame_tip(history[position]), self._parts.scene.native)

    def _on_clicked(self, position: int) -> None:
        """Stand on the frame and look through its camera."""
        history = self._parts.session.history
        if position < len(history):
            record = history[position]
            self._parts.session.timeline.seek(position)
            self._parts.scene.look_through(record.world_from_camera, record.intrinsics, record.size_hw)

    def _on_fly_changed(self, is_on: bool) -> None:
        self._guard.set_flying(is_on)
        self._parts.actions[ActionId.FLY].setChecked(is_on)
        self._parts.tabs.cameras.show_fly(is_on)
        if is_on:
            self._parts.scene.native.setFocus()  # or its keys would go to whatever was clicked last

    def _on_follow_changed(self, is_on: bool) -> None:
        self._parts.actions[ActionId.FOLLOW_CAMERA].setChecked(is_on)
        self._parts.tabs.cameras.show_follow(is_on)


def _frame_tip(record: FrameRecord) -> str:
    """A tooltip with the frame's picture."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    qimage_from_rgb(record.thumbnail).save(buffer, b"PNG")
    picture = base64.b64encode(buffer.data().data()).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{picture}" width="160"><br>'
        f"Frame {record.position + 1}  ·  {record.timestamp_s:.2f} s"
    )
