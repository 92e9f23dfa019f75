"""How the points look: size, colour and confidence."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from zipmap_app.state.appearance import Appearance, AppearanceModel, ColorMode
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.controls import Choice, SegmentedControl, SliderRow, check_box

_SIZE_STEPS_PER_PX = 4
_MAX_HIDDEN_PERCENT = 95
_COLORS = (
    Choice(ColorMode.RGB, "Picture", "Colour of the pictures (F5)"),
    Choice(ColorMode.DEPTH, "Distance", "Distance from where you look: warm is near (F6)"),
    Choice(ColorMode.CONFIDENCE, "Sureness", "How sure the model is: violet is unsure, yellow is sure (F7)"),
    Choice(ColorMode.TIME, "Time", "When it was seen: blue is oldest, amber newest (F8)"),
)


class AppearancePanel(Card):
    """Edits the part of an AppearanceModel that concerns the points. GUI thread only."""

    def __init__(self, look: AppearanceModel, parent: QWidget | None = None) -> None:
        super().__init__("Points", parent)
        self._look = look
        self._size = SliderRow(
            "Size",
            "Point size in pixels (Ctrl+wheel over the scene)",
            (_SIZE_STEPS_PER_PX, 12 * _SIZE_STEPS_PER_PX),
            lambda step: f"{step / _SIZE_STEPS_PER_PX:.2g} px",
        )
        self._hidden = SliderRow(
            "Hide unsure",
            "Hide the points that the model is least sure of",
            (0, _MAX_HIDDEN_PERCENT),
            lambda step: f"{step} %",
        )
        self._colors: SegmentedControl[ColorMode] = SegmentedControl(_COLORS)
        self._attenuated = check_box(
            "Nearer points are larger", "Let points grow as you come closer, so that surfaces stay closed"
        )
        self._shaded = check_box("Shade edges", "Eye-dome lighting: darken what lies behind an edge")
        self._size.moved.connect(lambda step: look.edit(size_px=step / _SIZE_STEPS_PER_PX))
        self._hidden.moved.connect(lambda step: look.edit(hidden_fraction=step / 100))
        self._colors.chosen.connect(lambda mode: look.edit(color_mode=mode))
        self._attenuated.clicked.connect(lambda is_on: look.edit(is_attenuated=is_on))
        self._shaded.clicked.connect(lambda is_on: look.edit(is_shaded=is_on))
        colors = QHBoxLayout()
        colors.setSpacing(10)
        colors.addWidget(small_label("Colour"))
        colors.addWidget(self._colors, 1)
        self.body.addWidget(self._size)
        self.body.addWidget(self._hidden)
        self.body.addLayout(colors)
        self.body.addWidget(self._attenuated)
        self.body.addWidget(self._shaded)
        self._disconnect = look.changed.connect(self._show)
        self._show(look.value)

    def release(self) -> None:
        """Let go of the model."""
        self._disconnect()

    def change_size(self, n_steps: int) -> None:
        """Grow or shrink the points by quarter pixels."""
        slider = self._size.slider
        slider.setValue(slider.value() + n_steps)

    def _show(self, appearance: Appearance) -> None:
        self._size.set_step(round(appearance.size_px * _SIZE_STEPS_PER_PX))
        self._hidden.set_step(round(appearance.hidden_fraction * 100))
        self._colors.set_value(appearance.color_mode)
        self._attenuated.setChecked(appearance.is_attenuated)
        self._shaded.setChecked(appearance.is_shaded)
