"""The windowed application put together: runner, bridge, session and window know each other only here."""

from __future__ import annotations

import logging
import platform
import traceback
from dataclasses import replace
from functools import partial
from types import TracebackType

import psutil
from PySide6.QtCore import QCoreApplication, QObject, QSettings

from zipmap_app.cli import Arguments, app_version
from zipmap_app.desktop.cameras import SystemCameras
from zipmap_app.desktop.commanding import CommandDesk
from zipmap_app.desktop.flights import FlightRecorder
from zipmap_app.desktop.job_list import JobDesk, JobList
from zipmap_app.desktop.opening import SourceOpener
from zipmap_app.desktop.saving import CloudSaver
from zipmap_app.desktop.thinning import CloudThinner
from zipmap_app.export.flight import FlightFile
from zipmap_app.pipeline.bridge import ResultBridge
from zipmap_app.pipeline.engine import Engine
from zipmap_app.pipeline.masks import MaskOptions
from zipmap_app.pipeline.options import CompanionOptions, TrackingOptions
from zipmap_app.pipeline.packing import PackingOptions, PointsFrom, pack_points
from zipmap_app.pipeline.runner import Runner
from zipmap_app.run_options import options_from_arguments
from zipmap_app.sources.base import FrameSource
from zipmap_app.sources.opening import can_open, open_source
from zipmap_app.state.commands import Command, CommandOutcome, Finalise, RenderFlight, Rewind, UndoRewind
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.memory import MemoryBudget, default_budget
from zipmap_app.state.points import QUERIED_FRAME
from zipmap_app.state.queries import QueryRequest, QueryResult
from zipmap_app.state.run_settings import RunSettings
from zipmap_app.state.session import Notice, SessionModel, Severity
from zipmap_app.ui.flight_order import FlightOrder
from zipmap_app.ui.main_window import MainWindow, WindowOptions
from zipmap_app.ui.opening.choice import SourceChoice

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
        self._cameras = SystemCameras(self._jobs, self)
        window_options = WindowOptions(
            settings=settings,
            can_open=can_open,
            cameras=self._cameras,
            max_fps=arguments.max_fps,
            about_text=_about_text(),
        )
        self.window = MainWindow(self.session, self.editor, window_options)
        self.window.show()
        # The window first: from here on the inference thread imports torch, and the two would share a core.
        QCoreApplication.processEvents()
        self.bridge = ResultBridge()
        options = replace(
            options_from_arguments(arguments), history_bytes=budget.rewind_bytes, gives_way=True
        )
        self.window.tabs.run_settings.show_settings(
            RunSettings(
                has_assist=options.tracking.has_assist,
                fov_x_deg=options.fov_deg,
                companion=options.companion,
                has_one_model_at_a_time=options.companion_may_unload,
            )
        )
        self.runner = Runner(options, self.bridge.wake, engine)
        self.bridge.attach(self.runner.outbox)
        self.bridge.received.connect(self.session.apply)
        report = self._report
        desk = JobDesk(self.session, self.window.status_bar, self._jobs, report)
        self._opener = SourceOpener(desk, self)
        self._saver = CloudSaver(desk, self)
        clouds = (self.session.cloud, self.session.queried)
        self._thinners = tuple(CloudThinner(cloud, self._jobs, report, self) for cloud in clouds)
        self._recorder = FlightRecorder(desk, self)
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
        requests, commands = self.window.requests, self.commands
        requests.open.connect(self.open)
        requests.pause.connect(self._on_pause)
        requests.resume.connect(self._on_resume)
        requests.step.connect(self.runner.step)
        requests.stop.connect(self.runner.stop)
        requests.query.connect(self.runner.query)
        requests.rewind.connect(commands.rewind)
        requests.finalise.connect(commands.finalise)
        requests.cancel_finalise.connect(lambda: commands.cancel(Finalise))
        requests.add_points.connect(self.add_points)
        requests.record_flight.connect(self.record_flight)
        requests.cancel_flight.connect(lambda: commands.cancel(RenderFlight))
        requests.save_state.connect(commands.save_state)
        requests.open_state.connect(commands.open_state)
        requests.fork_state.connect(commands.fork_state)
        requests.forget_state.connect(commands.drop_state)
        requests.settings.connect(self._on_settings)
        requests.save_cloud.connect(self._saver.save)
        requests.cancel_job.connect(self._cancel_jobs)
        requests.closing.connect(self.close)
        commands.progressed.connect(self._on_command_progress)
        self._opener.opened.connect(self.start)

    @property
    def is_opening(self) -> bool:
        """Whether a source is on its way."""
        return self._opener.is_busy

    def open(self, choice: SourceChoice) -> None:
        """Open a source; the run starts when it is there."""
        self._cancel_jobs()
        every, max_frames = self._arguments.every, self._arguments.max_frames
        self._cameras.stop_preview()
        self._opener.open(
            choice.spec,
            partial(self._open_source, every=every, max_frames=max_frames, max_fps=choice.max_fps),
        )

    def _open_source(
        self, spec: str, *, every: int, max_frames: int | None, max_fps: float | None
    ) -> FrameSource:
        """In the opening thread: a camera that was previewed a moment ago has to be free first."""
        self._cameras.wait_until_free()
        return open_source(spec, every=every, max_frames=max_frames, max_fps=max_fps)

    def close(self) -> None:
        """End everything within two seconds; harmless twice."""
        self.bridge.detach()
        self._cancel_jobs()
        for thinner in self._thinners:
            thinner.close()
        for part in (self._cameras, self._recorder, self.commands, self.editor):
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

    def record_flight(self, order: FlightOrder) -> None:
        """Ask for every view of the session's flight and write the answers; nothing while one is under way."""
        views = self.session.flight.views()
        if not views or self._recorder.is_busy:
            return
        requests = tuple(
            QueryRequest(
                number, view.world_from_camera.copy(), view.intrinsics.copy(), view.size_hw, order.state_id
            )
            for number, view in enumerate(views)
        )
        command = self.commands.render_flight(requests)
        self._recorder.start(FlightFile(order.path, order.content, order.frames_per_s), command.command_id)

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

    def _on_settings(self, settings: RunSettings) -> None:
        masks = MaskOptions(
            black=settings.leaves_out_black, white=settings.leaves_out_white, sky=settings.leaves_out_sky
        )
        points_from: PointsFrom = "keyframes" if settings.has_keyframe_points_only else "all"
        self.runner.set_packing(PackingOptions(masks=masks, points_from=points_from))
        self.runner.set_tracking(TrackingOptions(settings.has_assist, settings.fov_x_deg))
        self.runner.set_companion(CompanionOptions(settings.companion, settings.has_one_model_at_a_time))

    def _on_command_progress(self, command: Command, fraction: float) -> None:
        match command:
            case Finalise():
                self.window.finalising.show_progress(fraction)
            case RenderFlight():
                self.window.tabs.flight.show_progress(fraction)
            case Rewind() | UndoRewind():
                self.window.status_bar.show_job("Going back", fraction)

    def _on_command_ended(self, command: Command, outcome: CommandOutcome) -> None:
        match command:
            case Finalise():
                self.window.finalising.end()
            case RenderFlight():
                self.window.tabs.flight.show_progress(None)
                self._recorder.finish(is_complete=outcome is CommandOutcome.DONE)
            case Rewind() | UndoRewind():
                self.window.status_bar.hide_job()
                if outcome is not CommandOutcome.DONE:
                    self.editor.rewind_failed()

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
