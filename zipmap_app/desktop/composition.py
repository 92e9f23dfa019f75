"""The windowed application put together: runner, bridge, session and window know each other only here."""

from __future__ import annotations

import logging
import platform
import traceback
from functools import partial
from types import TracebackType

import psutil
from PySide6.QtCore import QCoreApplication, QObject, QSettings

from zipmap_app.cli import Arguments, app_version
from zipmap_app.desktop.commanding import CommandDesk
from zipmap_app.desktop.flights import FlightRecorder
from zipmap_app.desktop.job_list import JobList
from zipmap_app.desktop.opening import SourceOpener
from zipmap_app.desktop.saving import CloudSaver
from zipmap_app.desktop.thinning import CloudThinner
from zipmap_app.export.flight import FlightFile
from zipmap_app.pipeline.bridge import ResultBridge
from zipmap_app.pipeline.engine import Engine
from zipmap_app.pipeline.packing import PackingOptions, pack_points
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.sources.base import FrameSource
from zipmap_app.sources.opening import can_open, open_source
from zipmap_app.state.commands import Command, CommandOutcome, RenderFlight, Rewind, UndoRewind
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.memory import MemoryBudget, default_budget
from zipmap_app.state.points import QUERIED_FRAME
from zipmap_app.state.queries import QueryRequest, QueryResult
from zipmap_app.state.session import Notice, SessionModel, Severity
from zipmap_app.ui.main_window import MainWindow, WindowOptions

logger = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 2.0


class Desktop(QObject):
    """One window, shown at once, with its pipeline. GUI thread only."""

    def __init__(
        self,
        arguments: Arguments,
        settings: QSettings,
        engine: Engine | None = None,
        budget: MemoryBudget | None = None,
    ) -> None:
        """``engine`` and ``budget`` replace the real ones, for tests and benchmarks."""
        super().__init__()
        self._arguments = arguments
        self._jobs = JobList()
        budget = budget or default_budget(psutil.virtual_memory().total)
        self.session = SessionModel(budget)
        self.editor = SceneEditor(self.session)
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
            assist=arguments.assist,
            fov_deg=arguments.fov,
        )
        self.runner = Runner(options, self.bridge.wake, engine)
        self.bridge.attach(self.runner.outbox)
        self.bridge.received.connect(self.session.apply)
        report = self._report
        self._opener = SourceOpener(self.session, self.window.status_bar, self._jobs, report, self)
        self._saver = CloudSaver(self.session, self.window.status_bar, self._jobs, report, self)
        self._thinner = CloudThinner(self.session.cloud, self._jobs, report, self)
        self._recorder = FlightRecorder(self.session, self._jobs, report, self)
        self.commands = CommandDesk(self.runner, self.session, self)
        self._connect_edits()
        self._connect_window()

    def _connect_edits(self) -> None:
        commands, editor = self.commands, self.editor
        self._disconnects = (
            editor.rewind_wanted.connect(commands.rewind),
            editor.rewind_undo_wanted.connect(commands.undo_rewind),
            self.session.frame_changed.connect(lambda frame: self._note_memory()),
        )
        commands.ended.connect(self._on_command_ended)

    def _connect_window(self) -> None:
        window = self.window
        window.open_requested.connect(self.open)
        window.pause_requested.connect(self._on_pause)
        window.resume_requested.connect(self._on_resume)
        window.step_requested.connect(self.runner.step)
        window.stop_requested.connect(self.runner.stop)
        window.query_requested.connect(self.runner.query)
        window.save_requested.connect(self._saver.save)
        window.job_cancel_requested.connect(self._cancel_jobs)
        window.closing.connect(self.close)
        self._opener.opened.connect(self.start)

    @property
    def is_opening(self) -> bool:
        """Whether a source is on its way."""
        return self._opener.is_busy

    def open(self, spec: str) -> None:
        """Open a source; the run starts when it is there."""
        self._cancel_jobs()
        every, max_frames = self._arguments.every, self._arguments.max_frames
        self._opener.open(spec, partial(open_source, every=every, max_frames=max_frames))

    def close(self) -> None:
        """End everything within two seconds; harmless twice."""
        self.bridge.detach()
        self._cancel_jobs()
        for part in (self._thinner, self._recorder, self.commands, self.editor):
            part.close()
        for disconnect in self._disconnects:
            disconnect()
        if not self.runner.close(_CLOSE_TIMEOUT_S):
            logger.warning("the pipeline did not end within %.0f s", _CLOSE_TIMEOUT_S)
        self._jobs.join(_CLOSE_TIMEOUT_S)

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

    def _report(self, error: Exception) -> None:
        self.report_error(type(error), error, error.__traceback__)

    def start(self, source: FrameSource) -> None:
        """Reconstruct from a source, which is the pipeline's from now on."""
        self.session.begin(source.name, source.n_frames_hint)
        self.runner.start(source)  # throws away what the last run still had to say

    def record_flight(self, file: FlightFile) -> None:
        """Ask for every view of the session's flight and write the answers; nothing while one is under way."""
        views = self.session.flight.views()
        if not views or self._recorder.is_busy:
            return
        requests = tuple(
            QueryRequest(number, view.world_from_camera.copy(), view.intrinsics.copy(), view.size_hw)
            for number, view in enumerate(views)
        )
        command = self.commands.render_flight(requests)
        self._recorder.start(file, command.command_id)

    def add_points(self, answer: QueryResult) -> None:
        """Put an answer of the model into the scene, apart from what it saw."""
        points = pack_points(
            answer.depth,
            answer.confidence,
            answer.rgb,
            answer.world_from_camera,
            answer.intrinsics,
            PackingOptions(),
        )
        points["frame"] = QUERIED_FRAME
        if len(points):
            self.editor.add_queried_points(points)
        else:
            self.session.add_notice(Notice("The answer holds no depth that could become points"))

    def _on_command_ended(self, command: Command, outcome: CommandOutcome) -> None:
        if isinstance(command, Rewind | UndoRewind) and outcome is not CommandOutcome.DONE:
            self.editor.rewind_failed()
        if isinstance(command, RenderFlight):
            self._recorder.finish(is_complete=outcome is CommandOutcome.DONE)

    def _note_memory(self) -> None:
        self.session.rewind_bytes = self.runner.memory.total_bytes

    def _on_pause(self) -> None:
        self.runner.pause()
        self.session.set_paused(True)

    def _on_resume(self) -> None:
        self.runner.resume()
        self.session.set_paused(False)

    def _cancel_jobs(self) -> None:
        self._jobs.cancel()
        self._opener.forget()
        self.window.status_bar.hide_job()


def _about_text() -> str:
    return (
        f"<h3>ZipMap Studio {app_version()}</h3>"
        "<p>Live 3D reconstruction from a webcam, a video or photos.</p>"
        f"<p>Python {platform.python_version()} on {platform.system()}</p>"
    )
