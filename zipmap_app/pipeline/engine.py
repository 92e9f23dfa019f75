"""What the inference thread asks of a model. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from zipmap_app.pipeline.options import RunOptions, TrackingOptions
from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.state.messages import FrameResult, ModelLoaded, SourceFrame
from zipmap_app.state.points import seal
from zipmap_app.state.queries import QueryRequest, QueryResult

__all__ = [
    "Breathe",
    "DownloadProgress",
    "Engine",
    "EngineError",
    "EngineSnapshot",
    "FrameInput",
    "RunOptions",
    "Scene",
    "View",
    "make_engine",
]

DownloadProgress = Callable[[int, int], None]  # bytes done, bytes in all
Breathe = Callable[[float], None]  # called along a long piece of work with the fraction done; may raise


class EngineError(Exception):
    """One sentence for the user: what the model could not do, why, and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameInput:
    """All that a model ever sees of a frame, small enough to be kept.

    Running the same inputs again gives the same results bit by bit, so a run can be rewound and replayed.
    """

    frame_index: int
    timestamp_s: float
    capture_time_s: float
    name: str
    rgb: np.ndarray  # (H, W, 3) uint8, already at the model's size
    wait_ms: float  # from capture to here
    n_dropped: int
    grey: np.ndarray | None = None  # (H', W') uint8 of the same view, finer, for tracking
    focal_px: float | None = None  # in pixels of ``rgb``, where it is known

    def __post_init__(self) -> None:
        seal(self.rgb, self.grey)

    @property
    def memory_bytes(self) -> int:
        return self.rgb.nbytes + (0 if self.grey is None else self.grey.nbytes)

    @property
    def tracked(self) -> TrackedPicture | None:
        return None if self.grey is None else TrackedPicture(self.grey, self.focal_px)


@dataclass(frozen=True, slots=True, eq=False)
class TrackedPicture:
    """What the tracking assist needs of a frame."""

    grey: np.ndarray  # (H', W') uint8, finer than the model's picture
    focal_px: float | None  # in pixels of the model's picture, where it is known


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the model says about one picture, on the host."""

    world_from_camera: np.ndarray  # (4, 4) float64
    intrinsics: np.ndarray  # (3, 3) float64, pixels of ``depth``
    depth: np.ndarray  # (H, W) float32, along z
    confidence: np.ndarray  # (H, W) float32
    is_tracked: bool = False  # the tracking assist knows how the camera came here from the view before


class EngineSnapshot(Protocol):
    """Everything that a scene's future depends on, at one moment; never changes."""

    @property
    def memory_bytes(self) -> int: ...


class Scene(Protocol):
    """A scene state that can be asked and saved; never changes, so keeping one costs nothing but memory."""

    @property
    def n_frames(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def intrinsics(self) -> np.ndarray:
        """(3, 3) of its newest frame, in pixels of ``size_hw``."""

    @property
    def size_hw(self) -> tuple[int, int]: ...


class Engine(Protocol):
    """A model and its scene. Inference thread only."""

    def load(self, progress: DownloadProgress) -> ModelLoaded:
        """Get ready, reporting a download to ``progress``, whose exceptions cancel it. Raises EngineError."""

    @property
    def can_rewind(self) -> bool:
        """Whether the scene grows frame by frame, so that it can be taken back to an earlier one."""

    @property
    def can_query(self) -> bool:
        """Whether the model answers questions."""

    def reset(self) -> None:
        """Forget the scene; the model stays."""

    def set_packing(self, options: PackingOptions) -> None:
        """How frames become points from the next one on."""

    def set_tracking(self, options: TrackingOptions) -> None:
        """How cameras are tracked from the next ``reset`` on."""

    def prepare(self, frame: SourceFrame, n_dropped: int) -> FrameInput:
        """Bring a frame to the model's size, which the first frame of a scene decides."""

    @property
    def looks_ahead(self) -> bool:
        """Whether knowing the next frame saves time."""

    def announce(self, frame: SourceFrame) -> None:
        """This frame will probably be the one after the next ``step``, which may begin on it beside its own work.

        Only time is lost if it is not. Results do not depend on it.
        """

    def step(self, frame: FrameInput) -> Sequence[FrameResult]:
        """Take one frame; return results that became ready, none while a window fills. Raises EngineError."""

    def finish(self) -> Sequence[FrameResult]:
        """The source has ended: results of the frames still waiting. Raises EngineError."""

    def snapshot(self) -> EngineSnapshot:
        """The scene as it is, to come back to."""

    def restore(self, snapshot: EngineSnapshot) -> None:
        """Go back to exactly this moment: the same frames give the same results from here on."""

    @property
    def scene(self) -> Scene | None:
        """The scene to ask, None before the first frame."""

    def query(self, request: QueryRequest, scene: Scene | None) -> QueryResult:
        """Ask a scene, which stays exactly as it was. Raises EngineError, also where there is none."""

    def save_scene(self, scene: Scene, path: Path) -> None:
        """Write a scene to a file, complete or not at all. Raises OSError."""

    def open_scene(self, path: Path) -> Scene:
        """Read a saved scene of this model. Raises EngineError for anything else."""

    def views_at_once(self, pictures: Sequence[np.ndarray], breathe: Breathe) -> tuple[Sequence[View], Scene]:
        """Run over pictures (H, W, 3) uint8 together, every view informed by all, beside the live scene.

        Cameras are relative to the first picture's. ``breathe`` is called some times a second. Raises
        EngineError, before the work starts where it is sure not to fit into memory.
        """

    def close(self) -> None:
        """End what runs beside the calls; nothing but the garbage collector comes after it."""

    def assisted(
        self, views: Sequence[View], pictures: Sequence[TrackedPicture], breathe: Breathe
    ) -> Sequence[View]:
        """These views, in order, corrected by tracking from picture to picture, if this scene's frames are."""


def make_engine(options: RunOptions) -> Engine:
    """The engine for zipmap_model; imports torch, so call it where seconds do not matter."""
    from zipmap_app.pipeline.zipmap_engine import ZipMapEngine

    return ZipMapEngine(options)
