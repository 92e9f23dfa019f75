"""Which cameras are drawn, and how the view moves."""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from zipmap_app.state.appearance import Appearance, AppearanceModel, ShownFrusta
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.controls import Choice, SegmentedControl, SliderRow, check_box

_STEPS_PER_DECADE = 20  # the size slider runs from a tenth to ten times the size that fits
_FRUSTA = (
    Choice(ShownFrusta.ALL, "All", "Draw the cameras of all frames"),
    Choice(ShownFrusta.CURRENT, "Current", "Draw the camera of the frame under the playhead only"),
    Choice(ShownFrusta.NONE, "None", "Draw no cameras"),
)


class CamerasCard(Card):
    """Frusta, path and view modes. The modes belong to the scene: they are asked for by signals."""

    path_toggled = Signal(bool)
    follow_toggled = Signal(bool)
    fly_toggled = Signal(bool)

    def __init__(self, look: AppearanceModel, parent: QWidget | None = None) -> None:
        super().__init__("Cameras", parent)
        self._frusta: SegmentedControl[ShownFrusta] = SegmentedControl(_FRUSTA)
        self._frusta.chosen.connect(lambda shown: look.edit(shown_frusta=shown))
        self._size = SliderRow(
            "Size",
            "Size of the drawn cameras (Alt+wheel over the scene)",
            (-_STEPS_PER_DECADE, _STEPS_PER_DECADE),
            lambda step: f"{10 ** (step / _STEPS_PER_DECADE):.2g}×",
        )
        self._size.moved.connect(lambda step: look.edit(frustum_scale=10 ** (step / _STEPS_PER_DECADE)))
        self._pictures = check_box("Pictures", "Show each frame's picture in its camera")
        self._pictures.clicked.connect(lambda is_on: look.edit(has_pictures=is_on))
        self._path = check_box("Path", "Draw the way of the camera (C)")
        self._path.setChecked(True)
        self._path.clicked.connect(self.path_toggled)
        self._follow = check_box("Follow camera", "Ride behind the current camera; dragging ends it (T)")
        self._follow.clicked.connect(self.follow_toggled)
        self._fly = check_box("Fly", "Move with W A S D, Q and E, look around with the mouse (V)")
        self._fly.clicked.connect(self.fly_toggled)
        frusta = QHBoxLayout()
        frusta.setSpacing(10)
        frusta.addWidget(small_label("Show"))
        frusta.addWidget(self._frusta, 1)
        boxes = QGridLayout()
        boxes.setVerticalSpacing(8)
        for place, box in enumerate((self._pictures, self._follow, self._path, self._fly)):
            boxes.addWidget(box, place // 2, place % 2)
        self.body.addLayout(frusta)
        self.body.addWidget(self._size)
        self.body.addLayout(boxes)
        self._disconnect = look.changed.connect(self._show)
        self._show(look.value)

    def release(self) -> None:
        """Let go of the model."""
        self._disconnect()

    def show_path(self, is_on: bool) -> None:
        self._path.setChecked(is_on)

    def show_follow(self, is_on: bool) -> None:
        self._follow.setChecked(is_on)

    def show_fly(self, is_on: bool) -> None:
        self._fly.setChecked(is_on)

    def change_size(self, n_steps: int) -> None:
        """Grow or shrink the drawn cameras."""
        slider = self._size.slider
        slider.setValue(slider.value() + n_steps)

    def _show(self, appearance: Appearance) -> None:
        self._frusta.set_value(appearance.shown_frusta)
        self._size.set_step(_step_from_scale(appearance.frustum_scale))
        self._pictures.setChecked(appearance.has_pictures)
        self._pictures.setEnabled(appearance.shown_frusta is not ShownFrusta.NONE)
        self._size.setEnabled(appearance.shown_frusta is not ShownFrusta.NONE)


def _step_from_scale(scale: float) -> int:
    return round(_STEPS_PER_DECADE * math.log10(scale))
