"""Does the window stay responsive while frames pour in?"""

from __future__ import annotations

import gc
import logging
import threading
import time
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from zipmap_app.desktop.job_list import JobList
from zipmap_app.desktop.startup import keep_responsive
from zipmap_app.desktop.thinning import CloudThinner
from zipmap_app.pipeline.bridge import ResultBridge
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.scene import pacing
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.messages import FrameResult, FrameTimings
from zipmap_app.state.points import POINT_DTYPE
from zipmap_app.state.session import SessionModel
from zipmap_app.threads import give_way
from zipmap_app.ui.main_window import MainWindow, WindowOptions
from zipmap_app.ui.theme import apply_theme

logger = logging.getLogger(__name__)

_BEAT_MS = 16
_SIZE_HW = (144, 192)


@dataclass(frozen=True, slots=True)
class HeartbeatOptions:
    """What is poured in, and for how long."""

    points_per_frame: int = 150_000
    frames_per_s: float = 30.0
    seconds: float = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Heartbeat:
    """How late the GUI thread was for a beat every 16 ms."""

    late_ms: np.ndarray  # (N,)
    n_frames: int  # that arrived
    n_points: int

    def quantile(self, fraction: float) -> float:
        return float(np.quantile(self.late_ms, fraction))


def measure_heartbeat(options: HeartbeatOptions) -> int:
    """Print the heartbeat at rest, while frames pour in, and while each frame re-uploads the whole cloud."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication([])
    apply_theme(application)
    keep_responsive()
    at_rest = _measure(HeartbeatOptions(options.points_per_frame, 0.0, options.seconds / 2))
    growing = _measure(options)
    uploading = _measure(options, is_uploading_all=True)
    logger.info(
        "%-34s %8s %8s %8s %8s %10s",
        "beat every 16 ms, late by",
        "p50 ms",
        "p99 ms",
        "max ms",
        "frames",
        "points",
    )
    rows = (("at rest", at_rest), ("frames pour in", growing), ("baseline: whole cloud uploaded", uploading))
    for name, beat in rows:
        logger.info(
            "%-34s %8.1f %8.1f %8.1f %8d %10d",
            name,
            beat.quantile(0.5),
            beat.quantile(0.99),
            beat.quantile(1.0),
            beat.n_frames,
            beat.n_points,
        )
    logger.info("ratio of p99, baseline to ours: %.1f", uploading.quantile(0.99) / growing.quantile(0.99))
    return 0


class _Pulse(QObject):
    """Notes when the GUI thread gets round to each beat."""

    def __init__(self) -> None:
        super().__init__()
        self.late_ms: list[float] = []
        self._last_s = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._on_beat)
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _on_beat(self) -> None:
        now_s = time.perf_counter()
        self.late_ms.append(max((now_s - self._last_s) * 1e3 - _BEAT_MS, 0.0))
        self._last_s = now_s


def _measure(options: HeartbeatOptions, *, is_uploading_all: bool = False) -> Heartbeat:
    session = SessionModel()
    editor = SceneEditor(session)
    window_options = WindowOptions(settings=QSettings(), can_open=lambda path: False)
    window = MainWindow(session, editor, window_options)
    window.resize(1280, 800)
    window.show()
    session.begin("fake producer")
    jobs = JobList()
    thinner = CloudThinner(session.cloud, jobs, _raise, window)
    bridge = ResultBridge()
    outbox = Outbox(on_wake=bridge.wake)
    bridge.attach(outbox)
    bridge.received.connect(session.apply)
    if is_uploading_all:
        # What viewers do that hand the renderer one array: everything again with every frame.
        session.frame_changed.connect(lambda frame: session.cloud.replaced.emit())
        pacing.UPLOAD_BUDGET_S = pacing.SEND_S = float("inf")  # and all of it at once
    stop = threading.Event()
    producer = threading.Thread(target=_produce, args=(outbox, options, stop), name="producer")
    _spin(0.5)  # the window settles
    pulse = _Pulse()
    producer.start()
    _spin(options.seconds)
    pulse.stop()
    stop.set()
    outbox.close()
    producer.join(5.0)
    bridge.detach()
    beat = Heartbeat(np.array(pulse.late_ms[1:]), session.status.n_frames, session.cloud.n_points)
    thinner.close()
    jobs.cancel()
    jobs.join(5.0)
    window.close()
    editor.close()
    gc.collect()
    return beat


def _raise(error: Exception) -> None:
    raise error


def _spin(seconds: float) -> None:
    """Let Qt work for a while."""
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        QCoreApplication.processEvents()
        time.sleep(0.0005)


def _produce(outbox: Outbox, options: HeartbeatOptions, stop: threading.Event) -> None:
    """Frames of a camera that walks past a bumpy wall, at a steady rate as far as the box has room."""
    if not options.frames_per_s:
        return
    give_way()  # as the thread of the model does
    rng = np.random.default_rng(0)
    n_frames = 0
    due_s = time.perf_counter()
    while not stop.is_set():
        frame = _frame(n_frames, options.points_per_frame, rng)
        while not stop.is_set() and not outbox.put(frame, 0.1):
            pass
        n_frames += 1
        due_s += 1 / options.frames_per_s
        stop.wait(max(due_s - time.perf_counter(), 0.0))


def _frame(position: int, n_points: int, rng: np.random.Generator) -> FrameResult:
    pose = np.eye(4)
    pose[0, 3] = 0.05 * position
    points = np.empty(n_points, POINT_DTYPE)
    points["position"] = rng.random((n_points, 3), np.float32) * (4, 3, 0.2) + (pose[0, 3] - 2, -1.5, 2)
    points["rgb"] = rng.integers(0, 2**24, n_points)
    points["confidence"] = 1.0
    points["frame"] = position
    height, width = _SIZE_HW
    depth = np.full(_SIZE_HW, 2.0, np.float32)
    return FrameResult(
        frame_index=position,
        timestamp_s=position / 30,
        capture_time_s=time.monotonic(),
        name=f"frame_{position:06d}",
        points=points,
        world_from_camera=pose,
        intrinsics=np.array([[170.0, 0, width / 2], [0, 170.0, height / 2], [0, 0, 1]]),
        rgb=np.full((*_SIZE_HW, 3), 128, np.uint8),
        depth=depth,
        confidence=np.ones_like(depth),
        timings=FrameTimings(1.0, 20.0, 5.0),
        n_dropped=0,
        position=position,
    )
