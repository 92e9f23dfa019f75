"""Opens sources beside the GUI thread, because a camera or a network may take seconds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from zipmap_app.desktop.job_list import JobDesk
from zipmap_app.desktop.jobs import Job, JobControl
from zipmap_app.sources.base import FrameSource, SourceError
from zipmap_app.state.addresses import shown_url
from zipmap_app.state.session import Notice, Severity

OpenSource = Callable[[str], FrameSource]


class SourceOpener(QObject):
    """One opening at a time: a newer one supersedes the one under way. GUI thread only."""

    opened = Signal(object)  # FrameSource, the receiver's from now on

    def __init__(self, desk: JobDesk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._current: Job | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a source is being opened."""
        return self._current is not None

    def open(self, spec: str, open_source: OpenSource) -> None:
        """Call ``open_source(spec)`` in a thread; ``opened`` or a notice follows."""
        job = Job("open-source", partial(_open, spec, open_source), self)
        job.done.connect(partial(self._on_done, job))
        job.failed.connect(partial(self._on_failed, job))
        self._current = job
        shown = shown_url(spec)
        self._desk.status_bar.show_job(f"Opening {Path(shown).name or shown}", None)
        self._desk.jobs.start(job)

    def forget(self) -> None:
        """Whatever is being opened is not wanted any more."""
        self._current = None

    def _on_done(self, job: Job, source: FrameSource) -> None:
        if job.is_cancelled or job is not self._current:
            source.close()
            return
        self._current = None
        self._desk.status_bar.hide_job()
        self.opened.emit(source)

    def _on_failed(self, job: Job, error: Exception) -> None:
        if job is not self._current:
            return
        self._current = None
        self._desk.status_bar.hide_job()
        if isinstance(error, SourceError):
            self._desk.session.add_notice(Notice(str(error), severity=Severity.ERROR))
        else:
            self._desk.report(error)


def _open(spec: str, open_source: OpenSource, control: JobControl) -> FrameSource:
    source = open_source(spec)
    if control.is_cancelled:
        source.close()
        raise SourceError(f"Opening {shown_url(spec)} was cancelled.")
    return source
