"""PyQtGraph in the look of the window. Importing this takes half a second: only the tab that shows plots does."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QColor, QWheelEvent

from zipmap_app.ui.theme import PALETTE

_AXIS_PX = 46


class _Plot(pg.PlotWidget):  # type: ignore[misc]  # the library has no types
    """A plot that leaves the wheel to the panel it stands in."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def make_plot(x_title: str, y_title: str, height_px: int) -> pg.PlotWidget:
    """A plot without menus that the mouse does not move."""
    plot = _Plot(background=PALETTE.surface)
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
