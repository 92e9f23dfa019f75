"""An engine and sources without a model, a camera or files, that tests can hold and let go."""

from __future__ import annotations

import threading
import time
from ast import literal_eval
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.app_fakes import HEIGHT, WIDTH, answer, make_frame
from zipmap_app.pipeline.engine import (
    Breathe,
    DownloadProgress,
    EngineError,
    EngineSnapshot,
    FrameInput,
    Scene,
    TrackedPicture,
    View,
)
from zipmap_app.pipeline.options import TrackingOptions
from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.pipeline.runner import Runner
from zipmap_app.sources.base import SourceError
from zipmap_app.state.messages import (
    FrameResult,
    Message,
    ModelLoaded,
    SourceFrame,
    StreamEnded,
)
from zipmap_app.state.queries import LIVE_STATE, QueryRequest, QueryResult

PATIENCE_S = 15.0  # only tests that fail wait so long


@dataclass(frozen=True, slots=True, eq=False)
class FakeScene:
    """The indices of the frames it holds."""

    seen: tuple[int, ...] = ()
    memory_bytes: int = 1000

    @property
    def n_frames(self) -> int:
        return len(self.seen)

    @property
    def intrinsics(self) -> np.ndarray:
        return np.array([[30.0, 0, WIDTH / 2], [0, 30.0, HEIGHT / 2], [0, 0, 1]])

    @property
    def size_hw(self) -> tuple[int, int]:
        return HEIGHT, WIDTH


class FakeEngine:
    """Answers every frame with a wall; counts what it was asked. ``gate`` holds it inside ``step``."""

    can_rewind = True
    can_query = True
    looks_ahead = True

    def __init__(self, *, fails_at: int | None = None, load_error: str | None = None) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()  # set whenever a step begins
        self.seen: list[int] = []
        self.announced: list[int] = []
        self.is_closed = False
        self.n_resets = 0
        self.n_steps = 0  # replayed ones too
        self.packing = PackingOptions()
        self.tracking: TrackingOptions | None = None
        self.snapshot_bytes = 1000
        self.thread_names: set[str] = set()
        self._fails_at = fails_at
        self._load_error = load_error

    def load(self, progress: DownloadProgress) -> ModelLoaded:
        self.thread_names.add(threading.current_thread().name)
        if self._load_error is not None:
            raise EngineError(self._load_error)
        return ModelLoaded("fake", "cpu", True, 0.0)

    def reset(self) -> None:
        self.n_resets += 1
        self.seen = []

    def set_packing(self, options: PackingOptions) -> None:
        self.packing = options

    def set_tracking(self, options: TrackingOptions) -> None:
        self.tracking = options

    def prepare(self, frame: SourceFrame, n_dropped: int) -> FrameInput:
        return FrameInput(
            frame_index=frame.frame_index,
            timestamp_s=frame.timestamp_s,
            capture_time_s=frame.capture_time_s,
            name=frame.name,
            rgb=frame.rgb,
            wait_ms=0.0,
            n_dropped=n_dropped,
        )

    def announce(self, frame: SourceFrame) -> None:
        self.announced.append(frame.frame_index)

    def step(self, frame: FrameInput) -> Sequence[FrameResult]:
        self.thread_names.add(threading.current_thread().name)
        self.entered.set()
        assert self.gate.wait(PATIENCE_S)
        if self._fails_at == frame.frame_index:
            raise RuntimeError("the tensor fell over")
        position = len(self.seen)
        self.seen = [*self.seen, frame.frame_index]
        self.n_steps += 1
        result = make_frame(frame.frame_index, n_dropped=frame.n_dropped)
        rgb = np.full((HEIGHT, WIDTH, 3), frame.frame_index % 256, np.uint8)
        return [replace(result, rgb=rgb, position=position, is_keyframe=position % 2 == 0)]

    def finish(self) -> Sequence[FrameResult]:
        return []

    def snapshot(self) -> FakeScene:
        return FakeScene(tuple(self.seen), self.snapshot_bytes)

    def restore(self, snapshot: EngineSnapshot) -> None:
        assert isinstance(snapshot, FakeScene)
        self.seen = list(snapshot.seen)

    @property
    def scene(self) -> FakeScene | None:
        return FakeScene(tuple(self.seen)) if self.seen else None

    def query(self, request: QueryRequest, scene: Scene | None) -> QueryResult:
        self.thread_names.add(threading.current_thread().name)
        if scene is None:
            raise EngineError("There is no scene to ask yet.")
        return replace(answer(request, scene.n_frames), state_id=request.state_id)

    def save_scene(self, scene: Scene, path: Path) -> None:
        assert isinstance(scene, FakeScene)
        path.write_text(repr(scene.seen))

    def open_scene(self, path: Path) -> FakeScene:
        if not path.exists():
            raise EngineError(f"{path.name} cannot be read: it does not exist.")
        return FakeScene(literal_eval(path.read_text()))

    def views_at_once(
        self, pictures: Sequence[np.ndarray], breathe: Breathe
    ) -> tuple[Sequence[View], FakeScene]:
        """The same walls as ``step`` makes, twice as large."""
        views = []
        for index, picture in enumerate(pictures):
            breathe(index / len(pictures))
            wall = make_frame(int(picture[0, 0, 0]))
            world_from_camera = wall.world_from_camera.copy()
            world_from_camera[:3, 3] *= 2
            views.append(View(world_from_camera, wall.intrinsics, 2 * wall.depth, wall.confidence))
        return views, FakeScene(tuple(range(len(pictures))))

    def close(self) -> None:
        self.is_closed = True

    def assisted(
        self, views: Sequence[View], pictures: Sequence[TrackedPicture], breathe: Breathe
    ) -> Sequence[View]:
        """Nothing to correct."""
        return views


class ListSource:
    """So many small frames, then an end or a failure; can be live, and can be held back by ``gate``."""

    n_frames_hint: int | None = None

    def __init__(self, n_frames: int, *, is_live: bool = False, failure: str | None = None) -> None:
        self.name = "frames"
        self.is_live = is_live
        self.notes: tuple[str, ...] = ()
        self.is_closed = False
        self.n_read = 0
        self._n_frames = n_frames
        self._failure = failure

    def read(self) -> SourceFrame | None:
        if self.n_read >= self._n_frames:
            if self._failure is not None:
                raise SourceError(self._failure)
            self.notes = (*self.notes, "that was all")
            return None
        index = self.n_read
        self.n_read += 1
        rgb = np.full((40, 60, 3), index % 256, np.uint8)
        return SourceFrame(index, index / 30, time.monotonic(), rgb, f"frame_{index:06d}")

    def skip(self) -> bool:
        return self.read() is not None

    def close(self) -> None:
        self.is_closed = True


def wait_for(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; fails when it does not come."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


def take_until(runner: Runner, kind: type[Message]) -> list[Message]:
    """Messages up to and including the first of a kind; fails when it does not come."""
    messages: list[Message] = []
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        for message in runner.outbox.take(1, 0.1):
            messages.append(message)
            if isinstance(message, kind):
                return messages
    raise AssertionError(f"no {kind.__name__} came, but {messages}")


def take_all(runner: Runner) -> list[Message]:
    """All messages of one run."""
    return take_until(runner, StreamEnded)


def of_kind(messages: Sequence[Message], kind: type[Message]) -> list[Message]:
    return [message for message in messages if isinstance(message, kind)]


def make_request(query_id: int = 1, state_id: int = LIVE_STATE) -> QueryRequest:
    intrinsics = np.array([[40.0, 0, 24], [0, 40.0, 18], [0, 0, 1]])
    return QueryRequest(query_id, np.eye(4), intrinsics, (36, 48), state_id)
