"""One training batch: clips of S views with exact geometry in a normalised unit, and query views.

B clips, S input views, T query views. World space is the camera frame of view 0; lengths are divided by the
geometric-mean depth of view 0, so a causal model knows the unit from its first view.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from zipmap_model import invert_rigid


@dataclass(frozen=True, slots=True, eq=False)
class TrainingBatch:
    """Inputs and targets of one optimiser step, all float32 and on one device."""

    images: Tensor  # (B, S, 3, H, W) in [0, 1]
    depth: Tensor  # (B, S, H, W) along z; 0 where there is none
    world_from_camera: Tensor  # (B, S, 4, 4)
    focal_px: Tensor  # (B,); square pixels, principal point (W/2, H/2)
    query_rays: Tensor | None = None  # (B, T, 9, H, W)
    query_rgb: Tensor | None = None  # (B, T, H, W, 3)
    query_depth: Tensor | None = None  # (B, T, H, W)

    def tensors(self) -> list[Tensor]:
        """The tensors that are there, in field order."""
        values = (getattr(self, f.name) for f in fields(self))
        return [value for value in values if value is not None]

    def copy_from(self, other: TrainingBatch) -> None:
        """Overwrite this batch in place, as captured graphs read fixed addresses."""
        for mine, theirs in zip(self.tensors(), other.tensors(), strict=True):
            mine.copy_(theirs, non_blocking=True)


@dataclass(frozen=True, slots=True, eq=False)
class NormalisedGeometry:
    """Depth and cameras after `normalise_geometry`."""

    depth: Tensor
    world_from_camera: Tensor
    unit: Tensor  # (B,) what lengths were divided by


def log_mean_depth(depth_BSHW: Tensor) -> Tensor:
    """Mean log depth over valid pixels, (B, S); 0 for a view without any."""
    valid = depth_BSHW > 0
    logs = torch.where(valid, depth_BSHW, torch.ones_like(depth_BSHW)).log()
    return logs.sum(dim=(-2, -1)) / valid.sum(dim=(-2, -1)).clamp(min=1)


def normalise_geometry(depth_BSHW: Tensor, world_from_camera_BS44: Tensor) -> NormalisedGeometry:
    """Express cameras in the frame of view 0 and divide lengths by its geometric-mean depth."""
    unit = log_mean_depth(depth_BSHW[:, :1])[:, 0].exp()
    relative = invert_rigid(world_from_camera_BS44[:, :1]) @ world_from_camera_BS44
    relative[..., :3, 3] /= unit[:, None, None]
    return NormalisedGeometry(depth_BSHW / unit[:, None, None, None], relative, unit)


def intrinsics_from_focal(focal_px: Tensor, size: tuple[int, int]) -> Tensor:
    """(...,) focal lengths in pixels -> (..., 3, 3) with the principal point at (W/2, H/2)."""
    matrix = torch.zeros(*focal_px.shape, 3, 3, device=focal_px.device)
    matrix[..., 0, 0] = matrix[..., 1, 1] = focal_px
    matrix[..., 0, 2], matrix[..., 1, 2], matrix[..., 2, 2] = size[1] / 2, size[0] / 2, 1.0
    return matrix
