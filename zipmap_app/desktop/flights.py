"""Writes a camera flight to disk while the model answers it view by view."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QObject

from zipmap_app.desktop.job_list import JobDesk
from zipmap_app.desktop.jobs import Job, JobControl
from zipmap_app.desktop.saving import disk_sentence
from zipmap_app.export.flight import FlightFile, save_flight
from zipmap_app.state.commands import FlightFrame
from zipmap_app.state.queries import QueryResult
from zipmap_app.state.session import Notice, Severity

_POLL_S = 0.2


class FlightRecorder(QObject):
    """Hands the answers of one flight to a thread that writes them. GUI thread only; one flight at a time."""

    def __init__(self, desk: JobDesk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._job: Job | None = None
        self._answers: queue.SimpleQueue[QueryResult | None] = queue.SimpleQueue()
        self._command_id = -1
        self._disconnect = desk.session.flight_frame_arrived.connect(self._on_frame)

    @property
    def is_busy(self) -> bool:
        return self._job is not None

    def close(self) -> None:
        self._disconnect()

    def start(self, file: FlightFile, command_id: int) -> None:
        """Write the flight that the command with this number renders."""
        self._answers = queue.SimpleQueue()
        self._command_id = command_id
        job = Job("write-flight", partial(_write, file, self._answers), self)
        job.done.connect(partial(self._on_done, file))
        job.failed.connect(partial(self._on_failed, file))
        self._job = job
        self._desk.jobs.start(job)

    def finish(self, *, is_complete: bool) -> None:
        """The model has no more answers; an incomplete flight leaves no file."""
        if self._job is not None and not is_complete:
            self._job.cancel()
        self._answers.put(None)

    def _on_frame(self, frame: FlightFrame) -> None:
        if self._job is not None and frame.command_id == self._command_id:
            self._answers.put(frame.result)

    def _on_done(self, file: FlightFile, n_written: int | None) -> None:
        self._job = None
        if n_written is not None:
            self._desk.session.add_notice(Notice(f"Saved {n_written} views to {file.path}"))

    def _on_failed(self, file: FlightFile, error: Exception) -> None:
        self._job = None
        if isinstance(error, OSError):
            self._desk.session.add_notice(Notice(disk_sentence(file.path, error), severity=Severity.ERROR))
        else:
            self._desk.report(error)


def _write(
    file: FlightFile, answers: queue.SimpleQueue[QueryResult | None], control: JobControl
) -> int | None:
    return save_flight(file, _taken(answers, control), is_cancelled=lambda: control.is_cancelled)


def _taken(answers: queue.SimpleQueue[QueryResult | None], control: JobControl) -> Iterator[QueryResult]:
    """The answers as they come, until None or a cancel."""
    while not control.is_cancelled:
        try:
            answer = answers.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        if answer is None:
            return
        yield answer
