"""What the user asks of the scene besides frames and single queries, and the answers.

The inference thread carries commands out between two frames, first come, first served. Each ends with exactly
one CommandEnded that carries its ``command_id``; long ones report CommandProgress and can be cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from zipmap_app.state.points import POINT_DTYPE, seal
from zipmap_app.state.queries import QueryRequest, QueryResult


@dataclass(frozen=True, slots=True)
class Rewind:
    """Go back to the scene after its first ``n_frames`` frames and wait there, paused. Answered by RunRewound."""

    command_id: int
    n_frames: int  # at least 1


@dataclass(frozen=True, slots=True)
class UndoRewind:
    """Take the newest Rewind back: the frames that it cut off return. Answered by RunRewound."""

    command_id: int


@dataclass(frozen=True, slots=True)
class Finalise:
    """Run the kept frames once more through the bidirectional pass. Answered by SceneRefined."""

    command_id: int


@dataclass(frozen=True, slots=True)
class RenderFlight:
    """Ask one state for every view of a camera flight, in order. Answered by one FlightFrame each."""

    command_id: int
    requests: tuple[QueryRequest, ...]


@dataclass(frozen=True, slots=True)
class SaveState:
    """Write a scene state to a file, complete or not at all."""

    command_id: int
    state_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class OpenState:
    """Read a saved scene state beside the live one. Answered by StatesChanged."""

    command_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class ForkState:
    """Keep the state as it is now under a name, whatever the scene goes on to. Answered by StatesChanged."""

    command_id: int
    state_id: int
    name: str


@dataclass(frozen=True, slots=True)
class DropState:
    """Forget an opened or forked state. Answered by StatesChanged."""

    command_id: int
    state_id: int


Command = Rewind | UndoRewind | Finalise | RenderFlight | SaveState | OpenState | ForkState | DropState


class CommandOutcome(Enum):
    """How a command ended."""

    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CommandProgress:
    """A command is under way."""

    command_id: int
    fraction: float  # 0 to 1


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command is over. A failure is told by a PipelineFault with origin "command" just before."""

    command_id: int
    outcome: CommandOutcome
    sentence: str = ""  # what was done, for the user; may be empty


@dataclass(frozen=True, slots=True)
class RunRewound:
    """The scene holds its first ``n_frames`` frames now (after an undo: again), and the run waits, paused."""

    n_frames: int
    can_continue: bool  # False: the source cannot be reopened, and the run is over


@dataclass(frozen=True, slots=True, eq=False)
class RefinedFrame:
    """What the bidirectional pass says about one kept frame."""

    position: int
    world_from_camera: np.ndarray  # (4, 4) float64
    intrinsics: np.ndarray  # (3, 3) float64, pixels of ``depth``
    points: np.ndarray  # (K,) POINT_DTYPE
    depth: np.ndarray  # (H, W) float32
    confidence: np.ndarray  # (H, W) float32

    def __post_init__(self) -> None:
        if self.points.dtype != POINT_DTYPE:
            raise ValueError(f"points: want POINT_DTYPE, got {self.points.dtype}")
        seal(self.world_from_camera, self.intrinsics, self.points, self.depth, self.confidence)


@dataclass(frozen=True, slots=True, eq=False)
class SceneRefined:
    """The outcome of Finalise: kept frames with better cameras and points, and all cameras of the run.

    Frames that were not kept move with the kept ones before and after them.
    """

    frames: tuple[RefinedFrame, ...]  # in order of position
    world_from_camera: np.ndarray  # (N, 4, 4) float64, every frame of the run

    def __post_init__(self) -> None:
        seal(self.world_from_camera)


@dataclass(frozen=True, slots=True)
class FlightFrame:
    """One view of a flight, in order."""

    command_id: int
    index: int
    n_frames: int
    result: QueryResult


@dataclass(frozen=True, slots=True)
class StateInfo:
    """One scene state that can be asked."""

    state_id: int
    name: str
    n_frames: int
    memory_bytes: int
    # Cameras of a saved state's frames would need the frames; one camera is enough to ask it sensibly.
    intrinsics: tuple[float, float, float, float] | None = None  # fx, fy, cx, cy of ``size_hw``
    size_hw: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class StatesChanged:
    """All states that can be asked besides the live one, in order of their ids."""

    states: tuple[StateInfo, ...]


@dataclass(frozen=True, slots=True)
class CompanionChosen:
    """Another model answers from now on where the run's own cannot; whatever a former one had seen is gone."""

    model: str | None  # None: nobody


@dataclass(frozen=True, slots=True)
class CompanionProgress:
    """How far the query model has got that accompanies a streaming model without a query head."""

    n_done: int
    n_kept: int
