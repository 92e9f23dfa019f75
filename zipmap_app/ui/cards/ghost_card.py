"""Where the query camera stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from zipmap_app.state.alignment import AlignmentModel
from zipmap_app.state.ghost import GhostCamera, numbers_from_pose, pose_from_numbers
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.controls import (
    check_box,
    number_box,
    push_button,
    set_enabled_or_why,
    show_number,
    wrapped_label,
)
from zipmap_app.ui.length_box import LengthBox
from zipmap_app.ui.theme import PALETTE, icon

_STEP = 0.1  # scene units
_LIVE_TIP = "Ask again by itself whenever the query camera moves or the scene grows"
_REMOVE_TIP = "Take the query camera away (Shift+Del)"


class GhostPlace(Enum):
    """Where the ghost is put."""

    VIEW = "view"  # where the user looks from
    POINT = "point"  # there, but looking at a point that is clicked next
    FRAME = "frame"  # where the current frame was taken


_PLACES = {
    GhostPlace.VIEW: ("Here", "Put the query camera where you look from, and ask (Q)"),
    GhostPlace.POINT: ("At a point…", "Click a point: the query camera looks at it from here (Shift+Q)"),
    GhostPlace.FRAME: ("At frame", "Put the query camera where the frame under the playhead was taken"),
}
_POSITION = (
    ("x", "Position to the right"),
    ("y", "Position downwards"),
    ("z", "Position forwards"),
)
_ANGLES = (
    ("yaw_deg", "Turn to the right"),
    ("pitch_deg", "Look up"),
    ("roll_deg", "Tilt to the right"),
)


class GhostCard(Card):
    """Places the ghost and edits its pose in numbers, in stage space. GUI thread only."""

    place_requested = Signal(object)  # GhostPlace
    live_toggled = Signal(bool)
    model_wanted = Signal()  # choose one that can be asked

    def __init__(self, ghost: GhostCamera, alignment: AlignmentModel, parent: QWidget | None = None) -> None:
        super().__init__("Query camera", parent)
        self._ghost = ghost
        self._alignment = alignment
        self._why_not = ""
        self._needs_model = False
        self.live = check_box("Live", _LIVE_TIP)
        self.live.setChecked(True)
        self.live.clicked.connect(self.live_toggled)
        self.title_row.addWidget(self.live)
        self._places = {place: push_button(*_PLACES[place]) for place in GhostPlace}
        self._places[GhostPlace.VIEW].setIcon(icon("query", PALETTE.query))
        places = QHBoxLayout()
        places.setSpacing(6)
        for place, button in self._places.items():
            button.clicked.connect(lambda _=False, place=place: self.place_requested.emit(place))
            places.addWidget(button, 1)
        self._position = {name: LengthBox(tip) for name, tip in _POSITION}
        self._angles = {
            name: number_box(tip, -360, 360, decimals=1, step=5, suffix="°") for name, tip in _ANGLES
        }
        grid = QGridLayout()
        grid.setSpacing(6)
        for name, length_box in self._position.items():
            length_box.edited.connect(partial(self._on_edited, name))
        for name, angle_box in self._angles.items():
            angle_box.valueChanged.connect(partial(self._on_edited, name))
        rows: tuple[tuple[str, Iterable[QDoubleSpinBox]], ...] = (
            ("x y z", self._position.values()),
            ("turn up tilt", self._angles.values()),
        )
        for row, (title, boxes) in enumerate(rows):
            grid.addWidget(small_label(title), row, 0)
            for column, box in enumerate(boxes, 1):
                grid.addWidget(box, row, column)
                grid.setColumnStretch(column, 1)
        self._note = wrapped_label()
        self._remove = push_button("Remove", _REMOVE_TIP)
        self._remove.clicked.connect(lambda: ghost.remove())
        self._choose = push_button(
            "Choose who answers…", "To the settings of the run, where another model can be chosen"
        )
        self._choose.clicked.connect(lambda: self.model_wanted.emit())
        self._pose = QWidget()
        pose = QVBoxLayout(self._pose)
        pose.setContentsMargins(0, 0, 0, 0)
        pose.setSpacing(8)
        pose.addLayout(places)
        pose.addLayout(grid)
        foot = QHBoxLayout()
        foot.addWidget(self._note, 1)
        foot.addWidget(self._remove)
        self.body.addWidget(self._pose)
        self.body.addLayout(foot)
        self.body.addWidget(self._choose)
        self._disconnects = (
            ghost.changed.connect(lambda view: self._show()),
            alignment.changed.connect(lambda value: self._show()),
        )
        self._show()

    def release(self) -> None:
        """Let go of the models."""
        for disconnect in self._disconnects:
            disconnect()

    def set_available(self, why_not: str = "", *, needs_model: bool = False) -> None:
        """Whether the model can be asked now; a reason makes it unavailable.

        ``needs_model``: there is nobody to ask, so the way to a choice takes the place of the controls.
        """
        self._why_not = why_not
        self._needs_model = needs_model
        self._show()

    def _on_edited(self, name: str, value: float) -> None:
        view = self._ghost.view
        if view is None:
            return
        # Only the edited number: the others are shown rounded, and the pose must not drift.
        turn = self._alignment.value.stage_from_world
        numbers = replace(numbers_from_pose(view.world_from_camera, turn), **{name: value})
        self._ghost.move(pose_from_numbers(numbers, turn))

    def _show(self) -> None:
        view = self._ghost.view
        for place, button in self._places.items():
            set_enabled_or_why(button, self._why_not, _PLACES[place][1])
        set_enabled_or_why(self.live, self._why_not, _LIVE_TIP)
        set_enabled_or_why(self._remove, "" if view is not None else "There is none", _REMOVE_TIP)
        for widget in (self._pose, self.live, self._remove):
            widget.setVisible(not self._needs_model)
        self._choose.setVisible(self._needs_model)
        for box in (*self._position.values(), *self._angles.values()):
            box.setEnabled(view is not None)
        if view is not None:
            alignment = self._alignment.value
            numbers = numbers_from_pose(view.world_from_camera, alignment.stage_from_world)
            for name, length_box in self._position.items():
                length_box.show_length(getattr(numbers, name), alignment.length_unit, _STEP)
            for name, angle_box in self._angles.items():
                show_number(angle_box, getattr(numbers, name))
        placed = "Drag its arrows and rings in the scene, or type" if view is not None else ""
        self._note.setText(self._why_not or placed or "Place it to see what the model remembers there")
