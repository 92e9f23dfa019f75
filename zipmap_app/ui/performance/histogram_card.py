"""How sure the model is of the points, and which of them are hidden."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from zipmap_app.state.appearance import Appearance, AppearanceModel
from zipmap_app.state.cloud import CloudModel
from zipmap_app.ui.card import Card
from zipmap_app.ui.controls import wrapped_label
from zipmap_app.ui.performance.plots import line_pen, make_plot
from zipmap_app.ui.theme import PALETTE

_N_BINS = 60
_MAX_HIDDEN = 0.95  # as the slider of the View tab
_SHOWN_SHARE = 0.99  # the few surest points would squeeze all others into the first bins


class HistogramCard(Card):
    """Confidences of the cloud with a line that can be dragged: what lies left of it is hidden.

    The line and the slider of the View tab edit the same hidden fraction. GUI thread only.
    """

    def __init__(self, cloud: CloudModel, look: AppearanceModel, parent: QWidget | None = None) -> None:
        super().__init__("Confidence of the points", parent)
        self._cloud = cloud
        self._look = look
        self._sorted = np.empty(0, np.float32)
        self._plot = make_plot("confidence", "points", 150)
        self._plot.setToolTip("Drag the line: points left of it are hidden")
        self._plot.getAxis("left").setStyle(showValues=False)
        self._plot.setYRange(0, 1.05, padding=0)
        self._range = (0.0, 0.0)
        fill = QColor(PALETTE.accent)
        fill.setAlpha(90)
        self.bars = pg.PlotCurveItem(
            np.array([0.0, 1.0]),
            np.zeros(1),
            pen=line_pen(PALETTE.accent, 1),
            brush=fill,
            fillLevel=0,
            stepMode="center",
        )
        self._plot.addItem(self.bars)
        self.line = pg.InfiniteLine(
            angle=90,
            movable=True,
            pen=line_pen(PALETTE.text, 2),
            hoverPen=line_pen(PALETTE.accent_bright, 3),
        )
        self.line.sigPositionChanged.connect(self._on_dragged)
        self._plot.addItem(self.line)
        self._text = wrapped_label()
        self.body.addWidget(self._plot)
        self.body.addWidget(self._text)
        self._disconnect = look.changed.connect(self._show_line)
        self.refresh()

    def release(self) -> None:
        """Let go of the model."""
        self._disconnect()

    def refresh(self) -> None:
        """Look at the cloud again."""
        confidences = self._cloud.confidences
        self._sorted = np.sort(confidences[np.isfinite(confidences)])
        self._plot.setVisible(len(self._sorted) > 0)
        if not len(self._sorted):
            self._text.setText("No points yet")
            return
        low = float(self._sorted[0])
        high = max(float(self._sorted[int((len(self._sorted) - 1) * _SHOWN_SHARE)]), low + 1e-6)
        edges = np.linspace(low, high, _N_BINS + 1)
        # The values are sorted: counting is a search for the edges.
        counts = np.diff(np.searchsorted(self._sorted, edges)).astype(float)
        self._set_range(low, high)
        # The height says nothing in numbers: with the tallest bar at 1 the axis stays as it is.
        self.bars.setData(edges, counts / max(float(counts.max()), 1.0))
        self._show_line(self._look.value)

    def _set_range(self, low: float, high: float) -> None:
        # An axis that moves is laid out and drawn anew: only for a change that can be seen.
        margin = 0.02 * (high - low)
        if max(abs(low - self._range[0]), abs(high - self._range[1])) > margin:
            self._range = (low, high)
            self._plot.setXRange(low - margin, high + margin, padding=0)

    def _show_line(self, appearance: Appearance) -> None:
        if not len(self._sorted):
            return
        hidden = appearance.hidden_fraction
        with QSignalBlocker(self.line):
            self.line.setValue(self._value_from_fraction(hidden))
        self._text.setText(f"{hidden:.0%} of the points are hidden" if hidden else "No points are hidden")

    def _on_dragged(self) -> None:
        if len(self._sorted):
            n_below = int(np.searchsorted(self._sorted, self.line.value()))
            self._look.edit(hidden_fraction=min(n_below / len(self._sorted), _MAX_HIDDEN))

    def _value_from_fraction(self, fraction: float) -> float:
        return float(self._sorted[min(int(fraction * len(self._sorted)), len(self._sorted) - 1)])
