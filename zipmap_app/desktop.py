"""The windowed application put together: runner, bridge, session and window know each other only here."""

from __future__ import annotations

import logging
import os
import platform
import signal
import sys
import traceback
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, QSettings, Qt
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
from PySide6.QtWidgets import QApplication

from zipmap_app.cli import Arguments, app_version
from zipmap_app.export.ply import save_ply
from zipmap_app.export.trajectory import tum_line
from zipmap_app.jobs import Job, JobControl
from zipmap_app.pipeline.bridge import ResultBridge
from zipmap_app.pipeline.engine import Engine
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.sources.base import FrameSource, SourceError
from zipmap_app.sources.opening import can_open, open_source
from zipmap_app.state.session import Notice, SessionModel, Severity
from zipmap_app.ui.main_window import MainWindow, WindowOptions
from zipmap_app.ui.theme import apply_theme

logger = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 2.0
_HEADLESS_HINT = "run it without a window instead: python main.py --headless INPUT -o OUT"


class Desktop(QObject):
    """One window, shown at once, with its pipeline. GUI thread only."""

    def __init__(self, arguments: Arguments, settings: QSettings, engine: Engine | None = None) -> None:
        super().__init__()
        self._arguments = arguments
        self._opening: Job | None = None
        self._jobs: list[Job] = []  # all that were started and have not been seen to end
        self.session = SessionModel()
        window_options = WindowOptions(settings=settings, can_open=can_open, about_text=_about_text())
        self.window = MainWindow(self.session, window_options)
        self.window.show()
        # The window first: from here on the inference thread imports torch, and the two would share a core.
        QCoreApplication.processEvents()
        self.bridge = ResultBridge()
        options = RunOptions(
            model=arguments.model,
            device=arguments.device,
            window=arguments.window,
            accept_licence=arguments.accept_licence,
        )
        self.runner = Runner(options, self.bridge.wake, engine)
        self.bridge.attach(self.runner.outbox)
        self.bridge.received.connect(self.session.apply)
        self._connect_window()

    def _connect_window(self) -> None:
        window = self.window
        window.open_requested.connect(self.open)
        window.pause_requested.connect(self._on_pause)
        window.resume_requested.connect(self._on_resume)
        window.step_requested.connect(self.runner.step)
        window.stop_requested.connect(self.runner.stop)
        window.query_requested.connect(self.runner.query)
        window.save_requested.connect(self._on_save)
        window.job_cancel_requested.connect(self._cancel_jobs)
        window.closing.connect(self.close)

    def open(self, spec: str) -> None:
        """Open a source beside the GUI thread, because a camera or a network may take seconds."""
        self._cancel_jobs()
        every, max_frames = self._arguments.every, self._arguments.max_frames
        job = Job("open-source", partial(_open, spec, every, max_frames), self)
        job.done.connect(partial(self._on_opened, job))
        job.failed.connect(partial(self._on_open_failed, job))
        self._opening = job
        self.window.status_bar.show_job(f"Opening {Path(spec).name or spec}", None)
        self._start(job)

    def close(self) -> None:
        """End everything within two seconds; harmless twice."""
        self.bridge.detach()
        self._cancel_jobs()
        if not self.runner.close(_CLOSE_TIMEOUT_S):
            logger.warning("the pipeline did not end within %.0f s", _CLOSE_TIMEOUT_S)
        for job in self._jobs:
            if not job.join(_CLOSE_TIMEOUT_S):
                logger.warning("a job did not end within %.0f s", _CLOSE_TIMEOUT_S)

    def report_error(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """As sys.excepthook: an error in the window is shown, and the window lives on."""
        details = "".join(traceback.format_exception(kind, error, trace))
        logger.error("unexpected error:\n%s", details)
        sentence = (
            f"Something unexpected went wrong ({kind.__name__}): the details can be copied for a report"
        )
        self.session.add_notice(Notice(sentence, details, Severity.ERROR))

    def _on_opened(self, job: Job, source: FrameSource) -> None:
        if job.is_cancelled or job is not self._opening:
            source.close()
            return
        self._opening = None
        self.window.status_bar.hide_job()
        self.session.begin(source.name, source.n_frames_hint)
        self.runner.start(source)  # throws away what the last run still had to say

    def _on_open_failed(self, job: Job, error: Exception) -> None:
        if job is not self._opening:
            return
        self._opening = None
        self.window.status_bar.hide_job()
        if isinstance(error, SourceError):
            self.session.add_notice(Notice(str(error), severity=Severity.ERROR))
        else:
            self.report_error(type(error), error, error.__traceback__)

    def _on_pause(self) -> None:
        self.runner.pause()
        self.session.set_paused(True)

    def _on_resume(self) -> None:
        self.runner.resume()
        self.session.set_paused(False)

    def _start(self, job: Job) -> None:
        self._jobs = [other for other in self._jobs if other.is_running]
        self._jobs.append(job)
        job.start()

    def _cancel_jobs(self) -> None:
        for job in self._jobs:
            job.cancel()
        self._opening = None
        self.window.status_bar.hide_job()

    def _on_save(self, path: Path) -> None:
        """Save a snapshot: the scene may go on growing meanwhile."""
        cloud, camera_path = self.session.cloud, self.session.path
        snapshot = _Snapshot(
            path=path,
            blocks=tuple(cloud.blocks()),
            timestamps_s=camera_path.timestamps_s,
            world_from_camera=camera_path.world_from_camera.copy(),
        )
        job = Job("save-cloud", partial(_save, snapshot), self)
        job.progressed.connect(partial(self.window.status_bar.show_job, "Saving"))
        job.done.connect(self._on_saved)
        job.failed.connect(partial(self._on_save_failed, path))
        self.window.status_bar.show_job("Saving", 0.0)
        self._start(job)

    def _on_saved(self, sentence: str | None) -> None:
        self.window.status_bar.hide_job()
        if sentence is not None:
            self.session.add_notice(Notice(sentence))

    def _on_save_failed(self, path: Path, error: Exception) -> None:
        self.window.status_bar.hide_job()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            sentence = f"{path} could not be written: {reason}; choose another folder or free some space"
            self.session.add_notice(Notice(sentence, severity=Severity.ERROR))
        else:
            self.report_error(type(error), error, error.__traceback__)


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    """What a save job writes."""

    path: Path
    blocks: tuple[np.ndarray, ...]  # POINT_DTYPE each
    timestamps_s: tuple[float, ...]
    world_from_camera: np.ndarray  # (N, 4, 4)


def run_desktop(arguments: Arguments) -> int:
    """Show the window until it is closed; returns the exit status."""
    problem = _display_problem()
    if problem is not None:
        return _refuse(problem)
    # Without shared contexts a canvas that moves to another window loses all its buffers.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication([sys.argv[0]])
    application.setApplicationName("ZipMap Studio")
    application.setApplicationVersion(app_version())
    problem = _opengl_problem()
    if problem is not None:
        return _refuse(problem)
    apply_theme(application)
    desktop = Desktop(arguments, QSettings("ZipMap", "ZipMap Studio"))
    sys.excepthook = desktop.report_error
    # Ctrl-C in the terminal: Qt's loop never gives Python a chance to raise KeyboardInterrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if arguments.input is not None:
        desktop.window.request_open(arguments.input)
    status = application.exec()
    sys.excepthook = sys.__excepthook__
    return status


def _open(spec: str, every: int, max_frames: int | None, control: JobControl) -> FrameSource:
    source = open_source(spec, every=every, max_frames=max_frames)
    if control.is_cancelled:
        source.close()
        raise SourceError(f"Opening {spec} was cancelled.")
    return source


def _save(snapshot: _Snapshot, control: JobControl) -> str | None:
    """Write the cloud and, beside it, the camera path; returns a sentence, or None when cancelled."""
    total = max(sum(len(block) for block in snapshot.blocks), 1)
    n_points = save_ply(
        snapshot.path,
        snapshot.blocks,
        report=lambda n_written: control.report(n_written / total),
        is_cancelled=lambda: control.is_cancelled,
    )
    if n_points is None:
        return None
    path_file = snapshot.path.with_suffix(".trajectory.txt")
    lines = map(tum_line, snapshot.timestamps_s, snapshot.world_from_camera)
    path_file.write_text("".join(lines), encoding="ascii")
    return f"Saved {n_points:,} points to {snapshot.path} and the camera path to {path_file.name}"


def _display_problem() -> str | None:
    """Why no window can open, or None. Qt itself would abort the process."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return None
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"


def _opengl_problem() -> str | None:
    """Why the scene could not be drawn, or None. Needs the QApplication."""
    context = QOpenGLContext()
    if not context.create():
        return f"OpenGL is not available on this display ({QGuiApplication.platformName()})"
    surface = QOffscreenSurface()
    surface.create()
    if not context.makeCurrent(surface):
        return "OpenGL cannot be used on this display"
    version = context.format().version()
    context.doneCurrent()
    if version < (2, 1):
        return f"OpenGL 2.1 is needed, and this display offers {version[0]}.{version[1]}"
    return None


def _refuse(problem: str) -> int:
    sys.stderr.write(f"zipmap-studio: {problem}: {_HEADLESS_HINT}\n")
    return 2


def _about_text() -> str:
    return (
        f"<h3>ZipMap Studio {app_version()}</h3>"
        "<p>Live 3D reconstruction from a webcam, a video or photos.</p>"
        f"<p>Python {platform.python_version()} on {platform.system()}</p>"
    )
