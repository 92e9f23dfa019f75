"""Which way is up, and how long things are."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from zipmap_app.state.alignment import Alignment, AlignmentModel
from zipmap_app.state.tools import PointTool
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.controls import push_button, set_enabled_or_why, wrapped_label


class AlignWay(Enum):
    """Where "up" is taken from."""

    PATH = "path"
    VIEW = "view"
    RESET = "reset"


_NO_SCENE = "There is no scene yet"
_UP_TIPS = {
    AlignWay.PATH: "Up is where the camera's pictures had their top",
    AlignWay.VIEW: "Up is the top of the current view",
    AlignWay.RESET: "Back to the first camera's up, and to units without a name",
}
_FLOOR_TIP = "Click three points of the floor: up stands on it"
_SCALE_TIP = "Click the two ends of a length that you know, then say how long it is"
_CLEAR_TIP = "Back to units without a name; up stays as it is"


class AlignCard(Card):
    """Shows an Alignment and asks for another. GUI thread only."""

    align_requested = Signal(object)  # AlignWay
    tool_requested = Signal(object)  # PointTool.UP or .SCALE
    scale_clear_requested = Signal()

    def __init__(self, alignment: AlignmentModel, parent: QWidget | None = None) -> None:
        super().__init__("Up and scale", parent)
        self._alignment = alignment
        self._has_scene = False
        self._ways = {
            AlignWay.PATH: push_button("From path", ""),
            AlignWay.VIEW: push_button("From view", ""),
            AlignWay.RESET: push_button("Reset", ""),
        }
        for way, button in self._ways.items():
            button.clicked.connect(lambda _=False, way=way: self.align_requested.emit(way))
        self._floor = push_button("From floor…", _FLOOR_TIP)
        self._floor.clicked.connect(lambda: self.tool_requested.emit(PointTool.UP))
        self._set_scale = push_button("Set from two points…", _SCALE_TIP, "measure")
        self._set_scale.clicked.connect(lambda: self.tool_requested.emit(PointTool.SCALE))
        self._clear_scale = push_button("Clear", _CLEAR_TIP)
        self._clear_scale.clicked.connect(lambda: self.scale_clear_requested.emit())
        self._scale = wrapped_label()
        up = QGridLayout()
        up.setSpacing(6)
        buttons = (
            self._ways[AlignWay.PATH],
            self._floor,
            self._ways[AlignWay.VIEW],
            self._ways[AlignWay.RESET],
        )
        for place, button in enumerate(buttons):
            up.addWidget(button, place // 2, place % 2)
        scale = QHBoxLayout()
        scale.setSpacing(6)
        scale.addWidget(self._set_scale, 1)
        scale.addWidget(self._clear_scale)
        self.body.addWidget(small_label("Up"))
        self.body.addLayout(up)
        self.body.addWidget(small_label("Scale"))
        self.body.addLayout(scale)
        self.body.addWidget(self._scale)
        self._disconnect = alignment.changed.connect(self._show)
        self._show(alignment.value)

    def release(self) -> None:
        """Let go of the model."""
        self._disconnect()

    def set_has_scene(self, has_scene: bool) -> None:
        """Whether there is something to turn and measure."""
        self._has_scene = has_scene
        self._show(self._alignment.value)

    def _show(self, alignment: Alignment) -> None:
        why_not = "" if self._has_scene else _NO_SCENE
        for way, button in self._ways.items():
            set_enabled_or_why(button, why_not, _UP_TIPS[way])
        set_enabled_or_why(self._floor, why_not, _FLOOR_TIP)
        set_enabled_or_why(self._set_scale, why_not, _SCALE_TIP)
        metres = alignment.metres_per_unit
        set_enabled_or_why(self._clear_scale, "" if metres else "No scale is set", _CLEAR_TIP)
        self._scale.setText(
            "Lengths are in relative units: the pictures do not say how large the scene is"
            if metres is None
            else f"1 unit is {alignment.length_unit.text(1.0)}"
        )
