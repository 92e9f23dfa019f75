"""How the points look: size and confidence."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QSlider, QWidget

from zipmap_app.state.appearance import Appearance
from zipmap_app.ui.card import Card, small_label

_SIZE_STEPS_PER_PX = 4


class AppearancePanel(Card):
    """Edits a Appearance and announces it whole."""

    changed = Signal(object)  # Appearance

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Points", parent)
        self._size = QSlider(Qt.Orientation.Horizontal)
        self._size.setRange(_SIZE_STEPS_PER_PX, 12 * _SIZE_STEPS_PER_PX)
        self._size.setToolTip("Point size in pixels (Ctrl+wheel over the scene)")
        self._size_value = small_label()
        self._hidden = QSlider(Qt.Orientation.Horizontal)
        self._hidden.setRange(0, 95)
        self._hidden.setToolTip("Hide the points the model is least sure of")
        self._hidden_value = small_label()
        self._attenuated = QCheckBox("Nearer points are larger")
        initial = Appearance()
        self._size.setValue(round(initial.size_px * _SIZE_STEPS_PER_PX))
        self._hidden.setValue(round(initial.hidden_fraction * 100))
        self._attenuated.setChecked(initial.is_attenuated)
        rows = QGridLayout()
        rows.setHorizontalSpacing(10)
        rows.setVerticalSpacing(8)
        rows.setColumnStretch(1, 1)
        for row, (title, slider, value) in enumerate(
            (
                ("Size", self._size, self._size_value),
                ("Hide unsure", self._hidden, self._hidden_value),
            )
        ):
            rows.addWidget(small_label(title), row, 0)
            rows.addWidget(slider, row, 1)
            value.setMinimumWidth(44)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            rows.addWidget(value, row, 2)
            slider.valueChanged.connect(self._on_edited)
        self.body.addLayout(rows)
        self._shaded = QCheckBox("Shade edges")
        self._shaded.setToolTip("Eye-dome lighting: darken what lies behind an edge")
        self._shaded.setChecked(initial.is_shaded)
        for box in (self._attenuated, self._shaded):
            self.body.addWidget(box)
            box.toggled.connect(self._on_edited)
        self._show_values()

    @property
    def appearance(self) -> Appearance:
        return Appearance(
            size_px=self._size.value() / _SIZE_STEPS_PER_PX,
            is_attenuated=self._attenuated.isChecked(),
            is_shaded=self._shaded.isChecked(),
            hidden_fraction=self._hidden.value() / 100,
        )

    def change_size(self, n_steps: int) -> None:
        """Grow or shrink the points by quarter pixels."""
        self._size.setValue(self._size.value() + n_steps)

    def _on_edited(self) -> None:
        self._show_values()
        self.changed.emit(self.appearance)

    def _show_values(self) -> None:
        self._size_value.setText(f"{self.appearance.size_px:.2g} px")
        self._hidden_value.setText(f"{self._hidden.value()} %")
