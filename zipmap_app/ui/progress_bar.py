"""The bar of a job that can be cancelled."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar, QWidget

_STEPS = 1000


class ProgressBar(QProgressBar):
    """Progress from 0 to 1 without text, or None while nobody knows how long.

    What changes with every frame is for ProgressLine.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextVisible(False)
        self.set_fraction(0.0)

    def set_fraction(self, fraction: float | None) -> None:
        self.setRange(0, 0 if fraction is None else _STEPS)
        self.setValue(round((fraction or 0.0) * _STEPS))
