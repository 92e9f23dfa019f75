"""What a run is made with. Importing this does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from zipmap_app.pipeline.keyframes import KeyframePolicy
from zipmap_app.pipeline.masks import MaskOptions
from zipmap_app.pipeline.packing import PackingOptions, PointsFrom


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """What is known of the camera, and whether corners are followed; holds for a whole scene."""

    has_assist: bool
    fov_deg: float | None = None  # horizontal field of view, where the user knows it

    def __post_init__(self) -> None:
        if self.fov_deg is not None and not 5 <= self.fov_deg <= 150:
            raise ValueError(f"fov_deg: want 5 to 150, got {self.fov_deg}")


@dataclass(frozen=True, slots=True)
class CompanionOptions:
    """Which model answers questions for one that cannot be asked."""

    model: str | None = None  # as ``RunOptions.model``; None: nobody does
    may_unload: bool = False  # where memory does not hold both, it takes the other's place after the run


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run is made with. Raises ValueError on construction for values that make no sense."""

    model: str = "bundled"  # a key of zipmap_model.MODEL_CONFIGS, or the path of a checkpoint
    device: str = "auto"  # "auto", "cpu", "cuda", "mps"
    window: int | None = None  # views per update of a streaming model; None takes the model's own
    max_points_per_frame: int = 40_000
    confidence_percentile: float = 20.0  # this share of each frame's pixels, the least sure ones, is left out
    accept_licence: bool = False  # of published weights that would have to be downloaded
    keyframes: KeyframePolicy = field(default_factory=KeyframePolicy)
    points_from: PointsFrom = "all"  # which frames give points
    masks: MaskOptions = field(default_factory=MaskOptions)  # what is left out of the cloud
    max_kept_frames: int = 200  # keyframes whose pictures stay in memory for finalising, spread over the run
    history_bytes: int = 512 * 2**20  # for the pictures and snapshots that rewinding needs
    companion: str | None = None  # another model, as ``model``, that answers for one that cannot be asked
    companion_may_unload: bool = False  # where both do not fit, it takes the other's place after the run
    assist: bool | None = None  # steady the cameras by tracking corners; None: for the bundled model only
    fov_deg: float | None = None  # horizontal field of view of the camera, where the user knows it
    gives_way: bool = False  # a window shares the processor, and its thread goes first

    def __post_init__(self) -> None:
        _ = self.tracking  # checks the field of view
        if self.window is not None and self.window < 1:
            raise ValueError(f"window: want at least 1, got {self.window}")
        if self.device not in ("auto", "cpu", "cuda", "mps"):
            raise ValueError(f"device: want auto, cpu, cuda or mps, got {self.device!r}")
        if self.max_kept_frames < 2:
            raise ValueError(f"max_kept_frames: want at least 2, got {self.max_kept_frames}")
        if self.history_bytes < 0:
            raise ValueError(f"history_bytes: want 0 or more, got {self.history_bytes}")

    @property
    def tracking(self) -> TrackingOptions:
        """For the first scene; ``Runner.set_tracking`` changes it for later ones."""
        return TrackingOptions(self.model == "bundled" if self.assist is None else self.assist, self.fov_deg)

    @property
    def companion_options(self) -> CompanionOptions:
        """At the start; ``Runner.set_companion`` changes it at any time."""
        return CompanionOptions(self.companion, self.companion_may_unload)

    @property
    def packing(self) -> PackingOptions:
        """How frames become points at the start; ``Runner.set_packing`` changes it along the way."""
        return PackingOptions(
            max_points=self.max_points_per_frame,
            confidence_percentile=self.confidence_percentile,
            points_from=self.points_from,
            masks=self.masks,
        )
