"""What the window shows, folded from the messages of the pipeline."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from zipmap_app.state.alignment import Alignment, AlignmentModel
from zipmap_app.state.cloud import HARD_BOUND, CloudModel
from zipmap_app.state.commands import (
    CommandEnded,
    CommandProgress,
    CompanionChosen,
    CompanionProgress,
    FlightFrame,
    RunRewound,
    SceneRefined,
    StateInfo,
    StatesChanged,
)
from zipmap_app.state.event import Event
from zipmap_app.state.flight import CameraFlight
from zipmap_app.state.ghost import GhostCamera
from zipmap_app.state.history import FrameHistory
from zipmap_app.state.memory import MemoryBudget, MemoryUse
from zipmap_app.state.messages import (
    FrameResult,
    Message,
    ModelDownloading,
    ModelLoaded,
    PipelineFault,
    StreamEnded,
)
from zipmap_app.state.path import CameraPath
from zipmap_app.state.points import POINT_DTYPE
from zipmap_app.state.queries import LIVE_STATE, QueryResult
from zipmap_app.state.timeline import Timeline
from zipmap_app.state.tools import ToolModel
from zipmap_app.state.undo import UndoStack

MAX_NOTICES = 50
DEFAULT_BUDGET = MemoryBudget(2**30)
_VERTEX_BYTES = 2 * POINT_DTYPE.itemsize  # in host memory and on the GPU
_QUERIED_SHARE = 0.1  # of the points' memory, for those that the model was asked for
_N_SMOOTHED = 15  # frames whose median is shown: the first, which warms everything up, must not linger


class RunState(Enum):
    """What the pipeline is doing."""

    IDLE = "idle"
    LOADING = "loading"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    FAILED = "failed"


class Severity(Enum):
    """How loudly a notice speaks."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user, with details for a report."""

    sentence: str
    details: str = ""
    severity: Severity = Severity.INFO


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """The numbers of the status bar."""

    state: RunState = RunState.IDLE
    source_name: str = ""
    n_frames_hint: int | None = None  # how many the source claims to have
    n_frames: int = 0
    n_points: int = 0
    n_dropped: int = 0
    ms_per_frame: float | None = None  # inference and packing, median of the latest frames
    frames_per_s: float | None = None  # rate of arrival, likewise
    model_name: str = ""
    device: str = ""
    answers_itself: bool = False  # the model that reconstructs can be asked
    companion: str | None = None  # the model that is asked where it cannot
    download: tuple[int, int] | None = None  # bytes done and bytes in all, while weights are on their way

    @property
    def supports_query(self) -> bool:
        """Whether some model answers questions."""
        return bool(self.model_name) and (self.answers_itself or self.companion is not None)

    @property
    def is_active(self) -> bool:
        return self.state in (RunState.LOADING, RunState.RUNNING, RunState.PAUSED)


class SessionModel:
    """Folds every Message into cloud, path, current frame, status and notices. GUI thread only."""

    def __init__(
        self, budget: MemoryBudget = DEFAULT_BUDGET, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.budget = budget
        # A cloud outgrows its bound for as long as it takes to thin it: the budget covers that, too.
        max_points = int(budget.points_bytes / HARD_BOUND) // _VERTEX_BYTES
        self.cloud = CloudModel(int(max_points * (1 - _QUERIED_SHARE)))
        self.queried = CloudModel(int(max_points * _QUERIED_SHARE))  # asked for, not seen
        self.path = CameraPath()
        self.history = FrameHistory(budget.pictures_bytes)
        self.timeline = Timeline()
        self.undo = UndoStack(budget.undo_bytes)
        self.alignment = AlignmentModel()
        self.ghost = GhostCamera()
        self.flight = CameraFlight()
        self.tools = ToolModel()
        self.status_changed: Event[[SessionStatus]] = Event()
        self.frame_changed: Event[[FrameResult | None]] = Event()
        self.notice_added: Event[[Notice]] = Event()
        self.query_answered: Event[[QueryResult | None]] = Event()
        self.query_failed: Event[[]] = Event()
        self.states_changed: Event[[]] = Event()
        self.companion_progressed: Event[[CompanionProgress | None]] = Event()
        self.command_progressed: Event[[CommandProgress]] = Event()
        self.command_ended: Event[[CommandEnded]] = Event()
        self.flight_frame_arrived: Event[[FlightFrame]] = Event()
        # What changes the scene beyond appending to it; see SceneEditor.
        self.run_rewound: Event[[RunRewound]] = Event()
        self.scene_refined: Event[[SceneRefined]] = Event()
        self.began: Event[[]] = Event()
        self.states: tuple[StateInfo, ...] = ()
        self.rewind_bytes = 0  # what the pipeline keeps for rewinding
        self.notices: deque[Notice] = deque(maxlen=MAX_NOTICES)
        self.status = SessionStatus()
        self.current_frame: FrameResult | None = None
        self.latest_query: QueryResult | None = None
        self._clock = clock
        self._last_arrival_s: float | None = None
        self._recent_ms: deque[float] = deque(maxlen=_N_SMOOTHED)
        self._recent_gaps_s: deque[float] = deque(maxlen=_N_SMOOTHED)

    def begin(self, source_name: str, n_frames_hint: int | None = None) -> None:
        """A new run starts: everything of the last one goes, the model stays."""
        self.undo.clear()
        self.tools.clear()
        self.ghost.remove()
        self.flight.set_keys(())
        self.alignment.set(Alignment())
        self.cloud.clear()
        self.queried.clear()
        self.path.clear()
        self.history.clear()
        self.timeline.seek(None)
        self.timeline.set_timestamps([])
        self.current_frame = None
        self.latest_query = None
        self._last_arrival_s = None
        self._recent_ms.clear()
        self._recent_gaps_s.clear()
        self.frame_changed.emit(None)
        self.query_answered.emit(None)
        state = RunState.RUNNING if self.status.model_name else RunState.LOADING
        self._set_status(
            SessionStatus(
                state=state,
                source_name=source_name,
                n_frames_hint=n_frames_hint,
                model_name=self.status.model_name,
                device=self.status.device,
                answers_itself=self.status.answers_itself,
                companion=self.status.companion,
            )
        )
        self.began.emit()

    @property
    def memory_use(self) -> MemoryUse:
        """What the scene keeps now."""
        return MemoryUse(
            points_bytes=(self.cloud.n_points + self.queried.n_points) * _VERTEX_BYTES,
            pictures_bytes=self.history.memory_bytes,
            undo_bytes=self.undo.memory_bytes,
            rewind_bytes=self.rewind_bytes,
        )

    def set_paused(self, is_paused: bool) -> None:
        if self.status.is_active:
            self._last_arrival_s = None
            state = RunState.PAUSED if is_paused else RunState.RUNNING
            self._set_status(replace(self.status, state=state))

    def add_notice(self, notice: Notice) -> None:
        self.notices.append(notice)
        self.notice_added.emit(notice)

    def apply(self, message: Message) -> None:
        """Fold one message in; the events fire before this returns."""
        match message:
            case FrameResult():
                self._apply_frame(message)
            case QueryResult():
                if message.state_id == LIVE_STATE:
                    self.latest_query = message
                self.query_answered.emit(message)
            case ModelDownloading():
                download = (message.done_bytes, message.total_bytes)
                self._set_status(replace(self.status, download=download))
            case ModelLoaded():
                self._apply_model(message)
            case PipelineFault():
                self._apply_fault(message)
            case StreamEnded():
                self._apply_end(message)
            case StatesChanged():
                self.states = message.states
                self.states_changed.emit()
            case RunRewound():
                self.run_rewound.emit(message)
                state = RunState.PAUSED if message.can_continue else RunState.ENDED
                self._set_status(replace(self.status, state=state))
            case SceneRefined():
                self.scene_refined.emit(message)
            case CommandProgress():
                self.command_progressed.emit(message)
            case CommandEnded():
                self.command_ended.emit(message)
            case FlightFrame():
                self.flight_frame_arrived.emit(message)
            case CompanionChosen():
                self.companion_progressed.emit(None)
                self._set_status(replace(self.status, companion=message.model))
            case CompanionProgress():
                self.companion_progressed.emit(message)

    def refresh_counts(self) -> None:
        """Frames and points changed other than by a new frame."""
        counts = replace(self.status, n_frames=len(self.path), n_points=self.cloud.n_points)
        self._set_status(counts)

    def show_newest(self, frame: FrameResult | None) -> None:
        """Another frame is the newest one now, because those after it were cut off or came back."""
        self.current_frame = frame
        self.frame_changed.emit(frame)

    def _apply_frame(self, frame: FrameResult) -> None:
        self.current_frame = frame
        self.cloud.append(frame.points)
        self.path.append(frame.frame_index, frame.timestamp_s, frame.world_from_camera)
        self.history.append(frame)
        self.timeline.append(frame.timestamp_s)
        self.frame_changed.emit(frame)
        now_s = self._clock()
        if self._last_arrival_s is not None and now_s > self._last_arrival_s:
            self._recent_gaps_s.append(now_s - self._last_arrival_s)
        self._last_arrival_s = now_s
        self._recent_ms.append(frame.timings.infer_ms + frame.timings.pack_ms)
        state = RunState.RUNNING if self.status.state is RunState.LOADING else self.status.state
        self._set_status(
            replace(
                self.status,
                state=state,
                n_frames=len(self.path),
                n_points=self.cloud.n_points,
                n_dropped=frame.n_dropped,
                ms_per_frame=statistics.median(self._recent_ms),
                frames_per_s=1 / statistics.median(self._recent_gaps_s) if self._recent_gaps_s else None,
            )
        )

    def _apply_model(self, loaded: ModelLoaded) -> None:
        state = RunState.RUNNING if self.status.state is RunState.LOADING else self.status.state
        self._set_status(
            replace(
                self.status,
                state=state,
                model_name=loaded.name,
                device=loaded.device,
                answers_itself=loaded.supports_query,
                download=None,
            )
        )

    def _apply_fault(self, fault: PipelineFault) -> None:
        severity = Severity.ERROR if fault.fatal else Severity.WARNING
        self.add_notice(Notice(fault.sentence, fault.details, severity))
        if fault.origin == "query":
            self.query_failed.emit()
        if fault.fatal:
            state = RunState.FAILED if len(self.path) else RunState.IDLE
            self._set_status(replace(self.status, state=state))

    def _apply_end(self, ended: StreamEnded) -> None:
        for note in ended.notes:
            self.add_notice(Notice(note))
        if self.status.state is not RunState.FAILED:
            state = RunState.ENDED if len(self.path) else RunState.IDLE
            self._set_status(replace(self.status, state=state, download=None))

    def _set_status(self, status: SessionStatus) -> None:
        if status != self.status:
            self.status = status
            self.status_changed.emit(status)
