"""Where the time of the latest frames went, and how many frames were lost."""

from __future__ import annotations

import statistics

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from zipmap_app.state.history import FrameHistory, FrameRecord
from zipmap_app.ui.card import Card
from zipmap_app.ui.controls import wrapped_label
from zipmap_app.ui.performance.plots import line_pen, make_plot
from zipmap_app.ui.rounding import round_ceiling
from zipmap_app.ui.theme import PALETTE

N_SHOWN = 200
_STAGES = (
    ("waiting", PALETTE.warning, "From the camera to the start of the model: above zero the model is behind"),
    ("model", PALETTE.accent, "The model's own time"),
    ("packing", PALETTE.good, "From depth to points"),
)


class LatencyCard(Card):
    """Three lines over the newest frames. Reads the history only when it is told to. GUI thread only."""

    def __init__(self, history: FrameHistory, parent: QWidget | None = None) -> None:
        super().__init__("Time per frame", parent)
        self._history = history
        self._plot = make_plot("frames ago", "ms", 150)
        self._plot.setXRange(-N_SHOWN, 0, padding=0)
        self._plot.setToolTip(f"Milliseconds that each of the newest {N_SHOWN} frames took, by stage")
        self._plot.set_ceiling(100)
        self.curves = {name: self._plot.plot(pen=line_pen(color)) for name, color, _ in _STAGES}
        legend = QHBoxLayout()
        legend.setSpacing(14)
        for name, color, tip in _STAGES:
            label = QLabel(f'<span style="color:{color}">●</span>&nbsp; {name}')
            label.setProperty("role", "small")
            label.setToolTip(tip)
            legend.addWidget(label)
        legend.addStretch(1)
        self._text = wrapped_label()
        self.body.addLayout(legend)
        self.body.addWidget(self._plot)
        self.body.addWidget(self._text)
        self.refresh()

    def refresh(self) -> None:
        """Show the newest frames."""
        records = newest_records(self._history)
        if not records:
            for curve in self.curves.values():
                curve.setData([], [])
            self._text.setText("No frame yet")
            return
        ages = np.arange(1.0 - len(records), 1.0)
        times = np.array([[t.wait_ms, t.infer_ms, t.pack_ms] for t in (r.timings for r in records)])
        for curve, column in zip(self.curves.values(), times.T, strict=True):
            curve.setData(ages, column)
        self._plot.set_ceiling(round_ceiling(float(np.quantile(times, 0.99))))
        work_ms = sorted((times[:, 1] + times[:, 2]).tolist())
        p95_ms = work_ms[min(int(0.95 * len(work_ms)), len(work_ms) - 1)]
        self._text.setText(f"median {statistics.median(work_ms):.0f} ms  ·  95 % below {p95_ms:.0f} ms")


class DropsCard(Card):
    """Frames of a live source that were lost before each of the newest frames. GUI thread only."""

    def __init__(self, history: FrameHistory, parent: QWidget | None = None) -> None:
        super().__init__("Dropped frames", parent)
        self._history = history
        self._plot = make_plot("frames ago", "lost", 96)
        self._plot.setXRange(-N_SHOWN, 0, padding=0)
        self._plot.setToolTip(
            "Frames of the live source that came faster than they could be processed, before each frame"
        )
        self.curve = self._plot.plot(pen=line_pen(PALETTE.error), stepMode="left")
        self._text = wrapped_label()
        self.body.addWidget(self._plot)
        self.body.addWidget(self._text)
        self.refresh()

    def refresh(self) -> None:
        """Show the newest frames."""
        records = newest_records(self._history)
        n_dropped = records[-1].n_dropped if records else 0
        # A file loses nothing: a flat line would only take room.
        self._plot.setVisible(n_dropped > 0)
        if n_dropped:
            lost = np.diff([record.n_dropped for record in records], prepend=records[0].n_dropped)
            self.curve.setData(np.arange(1.0 - len(records), 1.0), lost.astype(float))
            ceiling = round_ceiling(max(float(lost.max()), 1.0))
            if self._plot.set_ceiling(ceiling):
                self._plot.getAxis("left").setTicks([[(0, "0"), (ceiling, f"{ceiling:g}")]])
        share = n_dropped / max(n_dropped + len(self._history), 1)
        self._text.setText(f"{n_dropped:,} dropped, {share:.0%} of what came" if n_dropped else "None so far")


def newest_records(history: FrameHistory) -> list[FrameRecord]:
    """The last N_SHOWN records."""
    return [history[position] for position in range(max(len(history) - N_SHOWN, 0), len(history))]
