"""The one-off jobs of the window that are not over yet, and what those who start them share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from zipmap_app.desktop.jobs import Job
from zipmap_app.state.session import SessionModel
from zipmap_app.ui.status_bar import StatusBar

logger = logging.getLogger(__name__)


class JobList:
    """Starts jobs, cancels them all, waits for them at the end. GUI thread only."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def start(self, job: Job) -> None:
        self._jobs = [other for other in self._jobs if other.is_running]
        self._jobs.append(job)
        job.start()

    def cancel(self) -> None:
        """Ask every job to give up; each still ends through its signals."""
        for job in self._jobs:
            job.cancel()

    def join(self, timeout_s: float) -> None:
        for job in self._jobs:
            if not job.join(timeout_s):
                logger.warning("a job did not end within %.0f s", timeout_s)


@dataclass(frozen=True, slots=True, eq=False)
class JobDesk:
    """What whoever works by jobs needs: where to say things, and where the jobs go."""

    session: SessionModel
    status_bar: StatusBar
    jobs: JobList
    report: Callable[[Exception], None]  # of what nobody foresaw
