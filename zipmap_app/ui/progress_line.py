"""A thin line that fills up."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from zipmap_app.ui.theme import PALETTE

_HEIGHT = 3


class ProgressLine(QWidget):
    """Progress from 0 to 1, or None while nobody knows how long.

    QProgressBar repaints at once whenever its value changes, and with it the OpenGL canvas beside it: with a
    value a frame that alone would hold the window up. This one waits for the next regular repaint.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fraction: float | None = 0.0
        self.setFixedHeight(_HEIGHT)

    @property
    def fraction(self) -> float | None:
        return self._fraction

    def set_fraction(self, fraction: float | None) -> None:
        if fraction != self._fraction:
            self._fraction = fraction
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(100, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(PALETTE.base))
        # Of unknown length: the whole line, dim.
        color = QColor(PALETTE.accent if self._fraction is not None else PALETTE.accent_line)
        width = self.width() * (1.0 if self._fraction is None else self._fraction)
        painter.fillRect(QRectF(0, 0, width, self.height()), color)
        painter.end()
