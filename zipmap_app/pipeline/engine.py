"""What the inference thread asks of a model. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.state.messages import FrameResult, ModelLoaded, SourceFrame
from zipmap_app.state.queries import QueryRequest, QueryResult


class EngineError(Exception):
    """One sentence for the user: what the model could not do, why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run is made with. Raises ValueError on construction for values that make no sense."""

    model: str = "bundled"  # a key of zipmap_model.MODEL_CONFIGS, or the path of a checkpoint
    device: str = "auto"  # "auto", "cpu", "cuda", "mps"
    window: int | None = None  # views per update of a streaming model; None takes the model's own
    max_points_per_frame: int = 40_000
    confidence_percentile: float = 20.0  # this share of each frame's pixels, the least sure ones, is left out
    accept_licence: bool = False  # of published weights that would have to be downloaded

    def __post_init__(self) -> None:
        if self.window is not None and self.window < 1:
            raise ValueError(f"window: want at least 1, got {self.window}")
        if self.device not in ("auto", "cpu", "cuda", "mps"):
            raise ValueError(f"device: want auto, cpu, cuda or mps, got {self.device!r}")

    @property
    def packing(self) -> PackingOptions:
        return PackingOptions(
            max_points=self.max_points_per_frame, confidence_percentile=self.confidence_percentile
        )


DownloadProgress = Callable[[int, int], None]  # bytes done, bytes in all


class Engine(Protocol):
    """A model and its scene state. Inference thread only."""

    def load(self, progress: DownloadProgress) -> ModelLoaded:
        """Get ready, reporting a download to ``progress``, whose exceptions cancel it. Raises EngineError."""

    def reset(self) -> None:
        """Forget the scene; the model stays."""

    def step(self, frame: SourceFrame, n_dropped: int) -> Sequence[FrameResult]:
        """Take one frame; return results that became ready, none while a window fills. Raises EngineError."""

    def finish(self) -> Sequence[FrameResult]:
        """The source has ended: results of the frames still waiting. Raises EngineError."""

    def query(self, request: QueryRequest) -> QueryResult:
        """Ask the scene state, which stays exactly as it was. Raises EngineError."""


def make_engine(options: RunOptions) -> Engine:
    """The engine for zipmap_model; imports torch, so call it where seconds do not matter."""
    from zipmap_app.pipeline.zipmap_engine import ZipMapEngine

    return ZipMapEngine(options)
