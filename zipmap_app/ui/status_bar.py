"""The line at the bottom: what runs, how fast, how much."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from zipmap_app.state.commands import CompanionProgress
from zipmap_app.state.memory import MemoryBudget, MemoryUse
from zipmap_app.state.session import RunState, SessionStatus
from zipmap_app.ui.progress_bar import ProgressBar
from zipmap_app.ui.progress_line import ProgressLine
from zipmap_app.ui.theme import PALETTE

_REFRESH_MS = 100

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


def memory_text(used_bytes: int, total_bytes: int) -> str:
    """'1.2 of 4.0 GB', in megabytes while that is little."""
    if total_bytes < 10**9:
        return f"{used_bytes / 1e6:.0f} of {total_bytes / 1e6:.0f} MB"
    return f"{used_bytes / 1e9:.1f} of {total_bytes / 1e9:.1f} GB"


class StatusBar(QFrame):
    """Shows a SessionStatus, memory, and the progress of one background job with a way to cancel it."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusBar")
        self.setFixedHeight(35)
        self._run_line = ProgressLine()
        self._status = SessionStatus()
        self._refresh_timer = QTimer(self)
        self._refresh_timer.setSingleShot(True)
        self._refresh_timer.setInterval(_REFRESH_MS)
        self._refresh_timer.timeout.connect(self._refresh)
        self._dot = QLabel("●")
        self._state = QLabel()
        self._state.setObjectName("stateLabel")
        self._source, self._frames, self._speed = QLabel(), QLabel(), QLabel()
        self._points, self._dropped, self._model = QLabel(), QLabel(), QLabel()
        self._memory, self._thinned, self._companion = QLabel(), QLabel(), QLabel()
        self._job = QLabel()
        self._job_bar = ProgressBar()
        self._job_bar.setFixedWidth(120)
        self._cancel = QPushButton("Cancel")
        self._cancel.setProperty("flat", True)
        self._cancel.clicked.connect(self.cancel_requested)
        self._dropped.setToolTip("Frames of the live source that came faster than they could be processed")
        self._speed.setToolTip("Time the model takes for a frame, and frames per second overall (smoothed)")
        self._memory.setToolTip("Memory that the scene takes, of what it may take; the model comes on top")
        self._thinned.setToolTip(
            "The cloud had reached its memory: of all points closer together than this, the surest one is kept"
        )
        self._companion.setToolTip(
            "The live model cannot answer queries: a second one follows with the kept frames and answers them"
        )
        # What gives way first when there is little room; the others stay.
        self._yielding = (self._model, self._companion, self._speed, self._source, self._thinned)
        self._labels = (*self._yielding, self._frames, self._points, self._dropped, self._memory)
        self._row = row = QHBoxLayout()
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(18)
        state = QHBoxLayout()
        state.setSpacing(6)
        state.addWidget(self._dot)
        state.addWidget(self._state)
        row.addLayout(state)
        for label in (self._source, self._frames, self._speed, self._points, self._thinned, self._dropped):
            row.addWidget(label)
        row.addStretch(1)
        ends = (self._job, self._job_bar, self._cancel, self._companion, self._memory, self._model)
        for widget in ends:
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        layout.addWidget(self._run_line)
        layout.addLayout(row, 1)
        self.hide_job()
        self._refresh()

    def show_status(self, status: SessionStatus) -> None:
        """Another state is shown at once; numbers, which may change with every frame, ten times a second."""
        is_other = status.state is not self._status.state or status.source_name != self._status.source_name
        self._status = status
        if is_other:
            self._refresh()
        elif not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def stop(self) -> None:
        """The window closes: no timer must be left."""
        self._refresh_timer.stop()

    def _refresh(self) -> None:
        self._refresh_timer.stop()
        status = self._status
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
        self._show_run_progress(status)
        self._fit()

    def _show_run_progress(self, status: SessionStatus) -> None:
        if status.state is RunState.LOADING:
            done, total = status.download or (0, 0)
            self._run_line.set_fraction(done / total if total else None)
        elif status.is_active and status.n_frames_hint:
            # Headers lie about lengths: the line may stop short, but never runs over.
            self._run_line.set_fraction(min(status.n_frames / status.n_frames_hint, 1.0))
        else:
            self._run_line.set_fraction(0.0)

    def show_memory(self, use: MemoryUse, budget: MemoryBudget) -> None:
        """What the scene keeps; nothing is shown before there is one."""
        text = memory_text(use.total_bytes, budget.total_bytes) if use.total_bytes else ""
        self._memory.setText(text)
        self._fit()

    def show_thinning(self, cell_text: str) -> None:
        """The spacing that the cloud was thinned to ("2.1 cm"), or an empty string."""
        self._thinned.setText(f"thinned to {cell_text}" if cell_text else "")
        self._fit()

    def show_companion(self, progress: CompanionProgress | None) -> None:
        """How far the query model has got; None or a finished one shows nothing."""
        is_behind = progress is not None and progress.n_done < progress.n_kept
        self._companion.setText(
            f"query model {progress.n_done:,} / {progress.n_kept:,}" if progress and is_behind else ""
        )
        self._fit()

    def show_job(self, text: str, fraction: float | None) -> None:
        """Progress of a job; None while its length is unknown."""
        self._job.setText(text)
        self._job_bar.set_fraction(fraction)
        for widget in (self._job, self._job_bar, self._cancel):
            widget.show()
        self._fit()

    def hide_job(self) -> None:
        for widget in (self._job, self._job_bar, self._cancel):
            widget.hide()
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.height())  # it must never hold the window wide

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Show the labels that say something, as far as there is room."""
        for label in self._labels:
            label.setVisible(bool(label.text()))
        for label in self._yielding:
            self._row.invalidate()  # a layout inside a layout is not told that its widgets were hidden
            if self._row.sizeHint().width() <= self.width():
                return
            label.hide()
