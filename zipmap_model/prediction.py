"""What the model returns: frozen, named, with axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from zipmap_model.state import SceneState


@dataclass(frozen=True, slots=True, eq=False)
class MotionPrediction:
    """How each view moved since the one before it (small model only)."""

    previous_from_camera: Tensor  # (B, S, 7) translation in units of the view's mean depth, quaternion xyzw
    guess: Tensor  # (B, S, 7) the same before it was solved for from flow and depth
    fov: Tensor  # (B, S, 2) vertical and horizontal field of view of the single view, radians
    flow_stages: Tensor  # (K, B, S, 2, H/4, W/4) pixels, position in the previous view minus this one
    log_scale_stages: Tensor  # (K, B, S, H/4, W/4) log of a Laplace scale of the flow in pixels

    @property
    def flow(self) -> Tensor:
        """The last and best stage, (B, S, 2, H/4, W/4)."""
        return self.flow_stages[-1]

    @property
    def flow_log_scale(self) -> Tensor:
        """Of the last stage, (B, S, H/4, W/4)."""
        return self.log_scale_stages[-1]


@dataclass(frozen=True, slots=True, eq=False)
class QueryPrediction:
    """What query cameras see in a scene state; depth is in the model's own scale."""

    rgb: Tensor  # (B, T, H, W, 3) in [0, 1]
    depth: Tensor  # (B, T, H, W) along z
    confidence: Tensor  # (B, T, H, W) above 1


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the model says about S views of B scenes. All lengths share one arbitrary scale per scene."""

    pose_encoding: Tensor | None  # (B, S, 9) of camera_from_world, see geometry.cameras_from_pose_encoding
    pose_encoding_stages: tuple[Tensor, ...]  # refinement stages, the last is pose_encoding
    depth: Tensor  # (B, S, H, W) along z
    depth_confidence: Tensor  # (B, S, H, W) above 1
    local_points: Tensor | None  # (B, S, H, W, 3) in each view's camera frame
    state: SceneState  # after these views
    motion: MotionPrediction | None = None
    query: QueryPrediction | None = None
