"""Saves the cloud and the camera path beside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject

from zipmap_app.desktop.job_list import JobDesk
from zipmap_app.desktop.jobs import Job, JobControl
from zipmap_app.export.ply import save_ply
from zipmap_app.export.trajectory import tum_line
from zipmap_app.state.lengths import LengthUnit
from zipmap_app.state.session import Notice, Severity


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    """What a save job writes."""

    path: Path
    blocks: tuple[np.ndarray, ...]  # POINT_DTYPE each
    timestamps_s: tuple[float, ...]
    world_from_camera: np.ndarray  # (N, 4, 4)
    unit: LengthUnit  # of what is written


class CloudSaver(QObject):
    """Writes snapshots of the session: the scene may go on growing meanwhile. GUI thread only."""

    def __init__(self, desk: JobDesk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk

    def save(self, path: Path) -> None:
        """Write the points to ``path`` (.ply) and, beside it, the camera path; in metres once they are known."""
        session = self._desk.session
        cloud, camera_path = session.cloud, session.path
        snapshot = _Snapshot(
            path=path,
            blocks=tuple(cloud.blocks()),
            timestamps_s=camera_path.timestamps_s,
            world_from_camera=camera_path.world_from_camera.copy(),
            unit=session.alignment.value.length_unit,
        )
        job = Job("save-cloud", partial(_save, snapshot), self)
        job.progressed.connect(partial(self._desk.status_bar.show_job, "Saving"))
        job.done.connect(self._on_saved)
        job.failed.connect(partial(self._on_failed, path))
        self._desk.status_bar.show_job("Saving", 0.0)
        self._desk.jobs.start(job)

    def _on_saved(self, sentence: str | None) -> None:
        self._desk.status_bar.hide_job()
        if sentence is not None:
            self._desk.session.add_notice(Notice(sentence))

    def _on_failed(self, path: Path, error: Exception) -> None:
        self._desk.status_bar.hide_job()
        if isinstance(error, OSError):
            self._desk.session.add_notice(Notice(disk_sentence(path, error), severity=Severity.ERROR))
        else:
            self._desk.report(error)


def disk_sentence(path: Path, error: OSError) -> str:
    """What to tell the user about a file that could not be written."""
    reason = error.strerror or str(error)
    return f"{path} could not be written: {reason}; choose another folder or free some space"


def _save(snapshot: _Snapshot, control: JobControl) -> str | None:
    """Write the cloud and, beside it, the camera path; returns a sentence, or None when cancelled."""
    total = max(sum(len(block) for block in snapshot.blocks), 1)
    n_points = save_ply(
        snapshot.path,
        snapshot.blocks,
        unit=snapshot.unit,
        report=lambda n_written: control.report(n_written / total),
        is_cancelled=lambda: control.is_cancelled,
    )
    if n_points is None:
        return None
    path_file = snapshot.path.with_suffix(".trajectory.txt")
    cameras = snapshot.world_from_camera.copy()
    cameras[:, :3, 3] *= snapshot.unit.number(1.0)
    lines = map(tum_line, snapshot.timestamps_s, cameras)
    path_file.write_text("".join(lines), encoding="ascii")
    unit = f", in {snapshot.unit.name}" if snapshot.unit.is_metric else ""
    return f"Saved {n_points:,} points to {snapshot.path} and the camera path to {path_file.name}{unit}"
