"""What the assist remembers from frame to frame. Values: replaced by every frame, never modified."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from zipmap_app.pipeline.assist.dense_depth import DenseMemory
from zipmap_app.pipeline.assist.depth_field import DepthField


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """N points that are being followed, told in K kept cameras."""

    pixels: np.ndarray  # (K, N, 2) relative to the principal point; nan where a camera has not seen a point
    host: np.ndarray  # (N,) the kept camera on whose ray a point lies
    log_inverse_depth: np.ndarray  # (N,) along z of the host
    prior: np.ndarray  # (N,) what was known of it before the kept cameras
    prior_sigma: np.ndarray  # (N,)
    newest: np.ndarray  # (N, 2) pixels in the newest picture
    parallax: np.ndarray  # (N,) the longest way between two cameras that saw a point, over its depth

    def __len__(self) -> int:
        return len(self.host)

    def only(self, kept: np.ndarray) -> Landmarks:
        """The points at these indices, or where this mask is true."""
        return Landmarks(
            self.pixels[:, kept],
            self.host[kept],
            self.log_inverse_depth[kept],
            self.prior[kept],
            self.prior_sigma[kept],
            self.newest[kept],
            self.parallax[kept],
        )


_FOCAL_DOUBT = 4.0  # times what a keyframe says of its own doubt: the same corners take part in several
_FOCAL_FLOOR = 0.05


@dataclass(frozen=True, slots=True)
class Focal:
    """A focal length in pixels of the model's picture, and how well it is known."""

    log_px: float
    sigma: float  # of the log; 0: known from outside
    is_measured: bool = False

    def measured(self, focal_px: float, sigma: float) -> Focal:
        """After a keyframe was solved for it; ``sigma`` as that solution has it."""
        known = max(_FOCAL_DOUBT * sigma, _FOCAL_FLOOR)
        return Focal(math.log(focal_px), min(self.sigma, known), is_measured=True)


@dataclass(frozen=True, slots=True, eq=False)
class AssistState:
    """All that the coming frames depend on; a reference is a snapshot, because nothing in it ever changes."""

    cameras: np.ndarray  # (K, 4, 4) world_from_camera of the kept keyframes, oldest first
    landmarks: Landmarks
    newest_picture: np.ndarray  # (H, W) uint8
    keyframe_picture: np.ndarray  # (H, W) uint8 of the last kept camera
    world_from_camera: np.ndarray  # (4, 4) of the newest frame
    step: np.ndarray  # (4, 4) previous_from_camera of the newest frame
    model_pose: np.ndarray  # (4, 4) world_from_camera that the model gave for it
    field: DepthField
    dense: DenseMemory | None  # of the newest frame; None where a new map starts
    focal: Focal
    focals_px: tuple[float, ...]  # that the model gave, in model pixels
    n_failed: int = 0  # frames in a row that could not be tracked
    n_tracked: int = 0  # frames in a row that could
    is_lost: bool = False

    @property
    def memory_bytes(self) -> int:
        pictures = self.newest_picture.nbytes + self.keyframe_picture.nbytes
        dense = 0 if self.dense is None else self.dense.memory_bytes
        return pictures + self.landmarks.pixels.nbytes + dense
