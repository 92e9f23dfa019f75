"""Thins a full cloud beside the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from zipmap_app.desktop.job_list import JobList
from zipmap_app.desktop.jobs import Job, JobControl
from zipmap_app.state.cloud import CloudModel
from zipmap_app.state.thinning import ThinnedCloud, ThinningRequest, thin


class CloudThinner(QObject):
    """Runs the thinnings that a CloudModel wants. GUI thread only."""

    def __init__(
        self, cloud: CloudModel, jobs: JobList, report: Callable[[Exception], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._cloud = cloud
        self._jobs = jobs
        self._report = report
        self._is_closed = False
        self._disconnect = cloud.thinning_wanted.connect(self._on_wanted)

    def close(self) -> None:
        """Take no outcome any more: one that made the cloud ask again would find nobody to do it elsewhere."""
        self._is_closed = True
        self._disconnect()

    def _on_wanted(self, request: ThinningRequest) -> None:
        job = Job("thin-cloud", partial(_thin, request), self)
        job.done.connect(self._on_done)
        job.failed.connect(self._on_failed)
        self._jobs.start(job)

    def _on_done(self, thinned: ThinnedCloud | None) -> None:
        if self._is_closed:
            return
        if thinned is None:
            self._cloud.give_up_thinning()
        else:
            self._cloud.apply_thinned(thinned)

    def _on_failed(self, error: Exception) -> None:
        self._cloud.give_up_thinning()
        self._report(error)


def _thin(request: ThinningRequest, control: JobControl) -> ThinnedCloud | None:
    return thin(request, lambda: control.is_cancelled)
