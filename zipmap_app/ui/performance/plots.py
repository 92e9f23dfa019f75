"""PyQtGraph in the look of the window. Importing this takes half a second: only the tab that shows plots does."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QColor, QWheelEvent

from zipmap_app.ui.theme import PALETTE

_AXIS_PX = 46


class Plot(pg.PlotWidget):  # type: ignore[misc]  # the library has no types
    """A plot that leaves the wheel to the panel it stands in."""

    _ceiling = 0.0

    def set_ceiling(self, ceiling: float) -> bool:
        """Let the axis end there; False if it does already.

        An axis that moves is laid out and drawn anew, which costs more than the lines.
        """
        if ceiling == self._ceiling:
            return False
        self._ceiling = ceiling
        self.setYRange(0, ceiling, padding=0)
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def make_plot(x_title: str, y_title: str, height_px: int) -> Plot:
    """A plot without menus that the mouse does not move."""
    plot = Plot(background=PALETTE.surface)
    plot.setFixedHeight(height_px)
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.setFrameShape(plot.Shape.NoFrame)
    plot.getPlotItem().setContentsMargins(0, 4, 4, 0)
    small = {"color": PALETTE.dim, "font-size": "11px"}
    for side, title in (("bottom", x_title), ("left", y_title)):
        axis = plot.getAxis(side)
        axis.setPen(pg.mkPen(PALETTE.line))
        axis.setTextPen(pg.mkPen(PALETTE.dim))
        axis.setStyle(tickLength=-4, tickTextOffset=4, maxTickLevel=0)
        font = plot.font()
        font.setPixelSize(10)
        axis.setTickFont(font)
        axis.enableAutoSIPrefix(False)
        plot.setLabel(side, title, **small)
    plot.getAxis("left").setWidth(_AXIS_PX)
    return plot


def line_pen(color: str, width: float = 1) -> pg.mkPen:
    """A pen of a palette colour; Qt draws wider ones many times slower."""
    return pg.mkPen(QColor(color), width=width)
