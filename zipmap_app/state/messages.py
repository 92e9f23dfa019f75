"""The frozen messages that cross threads.

What a thread sends it no longer touches: arrays are sealed where the message is made. Cameras are OpenCV
(x right, y down, z forward); ``world_from_camera`` maps camera to world coordinates; lengths are in the
scene's own relative unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from zipmap_app.state.commands import (
    CommandEnded,
    CommandProgress,
    CompanionChosen,
    CompanionProgress,
    FlightFrame,
    RunRewound,
    SceneRefined,
    StatesChanged,
)
from zipmap_app.state.points import POINT_DTYPE, seal
from zipmap_app.state.queries import QueryResult


@dataclass(frozen=True, slots=True, eq=False)
class SourceFrame:
    """One picture as a source gave it, upright, with square pixels."""

    frame_index: int  # position in the source's own order, before dropping and sampling
    timestamp_s: float  # media time for files, seconds since start for live sources
    capture_time_s: float  # time.monotonic() when the source gave the frame
    rgb: np.ndarray  # (H, W, 3) uint8
    name: str  # file name of a photo, else "frame_000012"
    fov_x_rad: float | None = None  # horizontal field of view, where the camera says it

    def __post_init__(self) -> None:
        if self.rgb.ndim != 3 or self.rgb.shape[2] != 3 or self.rgb.dtype != np.uint8:
            raise ValueError(f"rgb: want (H, W, 3) uint8, got {self.rgb.shape} {self.rgb.dtype}")
        seal(self.rgb)


@dataclass(frozen=True, slots=True)
class FrameTimings:
    """Where the time of one frame went, in milliseconds."""

    wait_ms: float  # from capture to the start of inference
    infer_ms: float
    pack_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """What the inference thread says about one frame. Arrays are read-only."""

    frame_index: int
    timestamp_s: float
    capture_time_s: float
    name: str
    points: np.ndarray  # (K,) POINT_DTYPE, world space, OpenCV axes
    world_from_camera: np.ndarray  # (4, 4) float64
    intrinsics: np.ndarray  # (3, 3) float64, pixels of ``rgb``
    rgb: np.ndarray  # (H, W, 3) uint8, the picture as the model saw it
    depth: np.ndarray  # (H, W) float32, along z
    confidence: np.ndarray  # (H, W) float32
    timings: FrameTimings
    n_dropped: int  # frames the live source lost so far
    position: int = (
        0  # place among the processed frames of the run, from 0; ``points["frame"]`` says the same
    )
    is_keyframe: bool = True  # it shows enough that is new (see the keyframe policy)
    notice: str | None = None  # a sentence for the user that came with this frame
    is_tracked: bool = False  # the tracking assist knows how the camera came here from the frame before

    def __post_init__(self) -> None:
        if self.world_from_camera.shape != (4, 4):
            raise ValueError(f"world_from_camera: want (4, 4), got {self.world_from_camera.shape}")
        if self.points.dtype != POINT_DTYPE:
            raise ValueError(f"points: want POINT_DTYPE, got {self.points.dtype}")
        if self.depth.shape != self.rgb.shape[:2] or self.confidence.shape != self.depth.shape:
            raise ValueError(
                f"rgb {self.rgb.shape}, depth {self.depth.shape} and confidence {self.confidence.shape} differ"
            )
        seal(self.points, self.world_from_camera, self.intrinsics, self.rgb, self.depth, self.confidence)


FaultOrigin = Literal["source", "model", "inference", "query", "command"]


@dataclass(frozen=True, slots=True)
class PipelineFault:
    """Something failed; ``sentence`` is for the user (what, why, what to do), ``details`` for a report."""

    sentence: str
    details: str = ""
    fatal: bool = True  # False: the pipeline goes on (one photo skipped, say)
    origin: FaultOrigin = "inference"


@dataclass(frozen=True, slots=True)
class ModelDownloading:
    """Weights are on their way; sent a few times a second at most."""

    name: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """The inference thread has its model."""

    name: str  # "bundled", "streaming", a path ...
    device: str
    supports_query: bool  # it answers questions itself
    load_s: float


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The source has no more frames and all of them are processed, or the run was stopped."""

    n_frames: int
    was_stopped: bool
    notes: tuple[str, ...] = field(default=())  # "used 68 of the 444 frames the header claims"
    n_read: int = 0  # frames the source gave
    n_dropped: int = 0  # of these, lost because a live source was faster than the model


Message = (
    FrameResult
    | QueryResult
    | PipelineFault
    | ModelDownloading
    | ModelLoaded
    | StreamEnded
    | CommandProgress
    | CommandEnded
    | RunRewound
    | SceneRefined
    | FlightFrame
    | StatesChanged
    | CompanionChosen
    | CompanionProgress
)
