"""A number box for lengths and coordinates of the scene."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QWidget

from zipmap_app.state.lengths import LengthUnit
from zipmap_app.ui.controls import style_number_box
from zipmap_app.ui.rounding import round_ceiling

_FAR = 1e6


class LengthBox(QDoubleSpinBox):
    """Says and takes lengths in scene units; shows them, and is typed into, in the user's. GUI thread only."""

    edited = Signal(float)  # scene units; by the user only

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._what = what
        self._unit = LengthUnit()
        self._step = 0.0
        style_number_box(self)
        self.setRange(-_FAR, _FAR)
        self.valueChanged.connect(lambda number: self.edited.emit(self._unit.in_units(number)))
        self.show_length(0.0, self._unit, 0.1)

    def show_length(self, length_in_units: float, unit: LengthUnit, step_in_units: float) -> None:
        """Show a length without announcing it; keys and wheel move it by ``step_in_units`` or a little more."""
        step = round_ceiling(unit.number(step_in_units))
        with QSignalBlocker(self):
            if (unit, step) != (self._unit, self._step):
                self._unit, self._step = unit, step
                self.setSuffix(unit.suffix)
                self.setToolTip(f"{self._what}, in {unit.name}")
                self.setSingleStep(step)
                self.setDecimals(max(2 - math.floor(math.log10(step)), 0))  # a hundredth of a step is seen
            self.setValue(unit.number(length_in_units))
