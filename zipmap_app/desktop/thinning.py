"""Thins a full cloud beside the GUI thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from zipmap_app.desktop.job_list import JobList
from zipmap_app.desktop.jobs import Job
from zipmap_app.state.cloud import CloudModel
from zipmap_app.state.thinning import ThinningRequest, thin


class CloudThinner(QObject):
    """Runs the thinnings that a CloudModel wants. GUI thread only."""

    def __init__(
        self, cloud: CloudModel, jobs: JobList, report: Callable[[Exception], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._cloud = cloud
        self._jobs = jobs
        self._report = report
        self._disconnect = cloud.thinning_wanted.connect(self._on_wanted)

    def close(self) -> None:
        self._disconnect()

    def _on_wanted(self, request: ThinningRequest) -> None:
        job = Job("thin-cloud", lambda control: thin(request), self)
        job.done.connect(self._cloud.apply_thinned)
        job.failed.connect(self._report)
        self._jobs.start(job)
