"""The line at the bottom: what runs, how fast, how much."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from zipmap_app.state.session import RunState, SessionStatus
from zipmap_app.ui.theme import PALETTE

_STATE_TEXT = {
    RunState.IDLE: ("Ready", PALETTE.faint),
    RunState.LOADING: ("Loading model", PALETTE.warning),
    RunState.RUNNING: ("Running", PALETTE.good),
    RunState.PAUSED: ("Paused", PALETTE.warning),
    RunState.ENDED: ("Done", PALETTE.accent),
    RunState.FAILED: ("Stopped by an error", PALETTE.error),
}


def count_text(n: int) -> str:
    """1234 -> '1,234', 1234567 -> '1.23 M'."""
    return f"{n / 1e6:.2f} M" if n >= 1_000_000 else f"{n:,}"


class StatusBar(QFrame):
    """Shows a SessionStatus, and the progress of one background job with a way to cancel it."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusBar")
        self.setFixedHeight(35)
        self._run_bar = QProgressBar()
        self._run_bar.setObjectName("runProgress")
        self._run_bar.setTextVisible(False)
        self._dot = QLabel("●")
        self._state = QLabel()
        self._state.setObjectName("stateLabel")
        self._source, self._frames, self._speed = QLabel(), QLabel(), QLabel()
        self._points, self._dropped, self._model = QLabel(), QLabel(), QLabel()
        self._job = QLabel()
        self._job_bar = QProgressBar()
        self._job_bar.setTextVisible(False)
        self._job_bar.setFixedWidth(120)
        self._cancel = QPushButton("Cancel")
        self._cancel.setProperty("flat", True)
        self._cancel.clicked.connect(self.cancel_requested)
        self._dropped.setToolTip("Frames of the live source that came faster than they could be processed")
        self._speed.setToolTip("Time the model takes for a frame, and frames per second overall (smoothed)")
        row = QHBoxLayout()
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(18)
        state = QHBoxLayout()
        state.setSpacing(6)
        state.addWidget(self._dot)
        state.addWidget(self._state)
        row.addLayout(state)
        for label in (self._source, self._frames, self._speed, self._points, self._dropped):
            row.addWidget(label)
        row.addStretch(1)
        for widget in (self._job, self._job_bar, self._cancel, self._model):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._run_bar)
        layout.addLayout(row, 1)
        self.hide_job()
        self.show_status(SessionStatus())

    def show_status(self, status: SessionStatus) -> None:
        text, color = _STATE_TEXT[status.state]
        if status.state is RunState.LOADING and status.download is not None:
            done, total = (n / 1e9 for n in status.download)
            text = f"Downloading model, {done:.2f} of {total:.2f} GB"
        self._dot.setStyleSheet(f"color: {color}")
        self._state.setText(text)
        self._source.setText(status.source_name)
        hint = f" / {status.n_frames_hint:,}" if status.n_frames_hint else ""
        self._frames.setText(f"{status.n_frames:,}{hint} frames" if status.source_name else "")
        speed = "" if status.ms_per_frame is None else f"{status.ms_per_frame:.0f} ms/frame"
        if speed and status.frames_per_s is not None:
            speed += f"  ·  {status.frames_per_s:.1f} fps"
        self._speed.setText(speed)
        self._points.setText(f"{count_text(status.n_points)} points" if status.n_points else "")
        self._dropped.setText(f"{status.n_dropped:,} dropped" if status.n_dropped else "")
        # A checkpoint's path would push everything else away.
        self._model.setText(f"{Path(status.model_name).name} on {status.device}" if status.model_name else "")
        self._model.setToolTip(status.model_name)
        for label in (self._source, self._frames, self._speed, self._points, self._dropped, self._model):
            label.setVisible(bool(label.text()))
        self._show_run_progress(status)

    def _show_run_progress(self, status: SessionStatus) -> None:
        if status.state is RunState.LOADING and status.download is not None:
            done, total = status.download
            self._run_bar.setRange(0, 1000)
            self._run_bar.setValue(round(1000 * done / max(total, 1)))
            return
        if status.state is RunState.LOADING:
            self._run_bar.setRange(0, 0)  # busy: nobody knows how long
            return
        is_known = status.is_active and status.n_frames_hint is not None
        # Headers lie about lengths: the bar may stop short, but never runs over.
        self._run_bar.setRange(0, max(status.n_frames_hint or 0, status.n_frames, 1))
        self._run_bar.setValue(status.n_frames if is_known else 0)

    def show_job(self, text: str, fraction: float | None) -> None:
        """Progress of a job; None while its length is unknown."""
        self._job.setText(text)
        self._job_bar.setRange(0, 0 if fraction is None else 1000)
        self._job_bar.setValue(round((fraction or 0.0) * 1000))
        for widget in (self._job, self._job_bar, self._cancel):
            widget.show()

    def hide_job(self) -> None:
        for widget in (self._job, self._job_bar, self._cancel):
            widget.hide()
