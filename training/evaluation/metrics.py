"""Errors of depth, cameras and novel views; what each number means is in its docstring.

S frames of one sequence, H W pixels. Cameras are world_from_camera (S, 4, 4), OpenCV axes; angles in degrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.evaluation.alignment import align_points
from zipmap_model import invert_rigid

_LONG_STEP = 10  # frames of the long rotation error
_STILL = 1e-3  # of the path per frame: shorter steps have no direction worth measuring


@dataclass(frozen=True, slots=True)
class DepthErrors:
    """Depth errors over valid pixels, with one median scale a frame or one for the whole sequence."""

    abs_rel_frame: float
    delta_frame: float  # share of pixels within a factor of 1.25
    abs_rel_sequence: float
    delta_sequence: float


@dataclass(frozen=True, slots=True)
class CameraErrors:
    """Camera errors of one sequence."""

    rotation_mean_deg: float  # between consecutive frames
    rotation_median_deg: float
    rotation_10_deg: float  # median over pairs ten frames apart; nan for shorter sequences
    direction_deg: float  # median angle between true and predicted step, in the camera of the frame before
    ate_percent: float  # RMS distance after a similarity alignment, in percent of the true path


def depth_errors(predicted: Tensor, target: Tensor) -> DepthErrors:
    """Errors of depth (S, H, W) against target (S, H, W), where target > 0. Frames without target are skipped."""
    frames = [(p[t > 0].double(), t[t > 0].double()) for p, t in zip(predicted, target, strict=True)]
    frames = [(p, t) for p, t in frames if len(t)]
    scaled = [_depth_pair(p * (t.median() / p.median()), t) for p, t in frames]
    scale = torch.cat([t for _, t in frames]).median() / torch.cat([p for p, _ in frames]).median()
    together = [_depth_pair(p * scale, t) for p, t in frames]
    n = len(frames)
    return DepthErrors(
        sum(a for a, _ in scaled) / n,
        sum(d for _, d in scaled) / n,
        sum(a for a, _ in together) / n,
        sum(d for _, d in together) / n,
    )


def _depth_pair(predicted: Tensor, target: Tensor) -> tuple[float, float]:
    abs_rel = ((predicted - target).abs() / target).mean()
    within = torch.maximum(predicted / target, target / predicted) < 1.25
    return float(abs_rel), float(within.double().mean())


def rotation_angle_deg(rotation: Tensor) -> Tensor:
    """Angle of rotation matrices (..., 3, 3); exact for small angles too."""
    skew = torch.stack(
        (
            rotation[..., 2, 1] - rotation[..., 1, 2],
            rotation[..., 0, 2] - rotation[..., 2, 0],
            rotation[..., 1, 0] - rotation[..., 0, 1],
        ),
        -1,
    )
    trace = rotation.diagonal(dim1=-2, dim2=-1).sum(-1)
    return torch.atan2(skew.norm(dim=-1), trace - 1) * (180 / math.pi)


def camera_errors(predicted: Tensor, target: Tensor) -> CameraErrors:
    """Errors of world_from_camera (S, 4, 4); the two worlds may differ by a similarity."""
    predicted, target = predicted.double(), target.double()
    step_rotation = _relative_rotation_errors(predicted, target, 1)
    long = _relative_rotation_errors(predicted, target, _LONG_STEP)
    ours, true = _steps(predicted), _steps(target)
    path = float(true.norm(dim=-1).sum())
    moving = true.norm(dim=-1) > _STILL * path
    cosine = torch.nn.functional.cosine_similarity(ours[moving], true[moving], dim=-1, eps=1e-12)
    direction = torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))
    source, goal = predicted[:, :3, 3], target[:, :3, 3]
    miss = (align_points(source, goal).apply(source) - goal).square().sum(-1).mean().sqrt()
    return CameraErrors(
        float(step_rotation.mean()),
        float(step_rotation.median()),
        float(long.median()) if len(long) else math.nan,
        float(direction.median()) if len(direction) else math.nan,
        100 * float(miss) / max(path, 1e-12),
    )


def _relative_rotation_errors(predicted: Tensor, target: Tensor, step: int) -> Tensor:
    ours = (invert_rigid(predicted[:-step]) @ predicted[step:])[:, :3, :3]
    true = (invert_rigid(target[:-step]) @ target[step:])[:, :3, :3]
    return rotation_angle_deg(ours.mT @ true)


def _steps(world_from_camera: Tensor) -> Tensor:
    """Movement to the next frame in the camera of the frame before, (S - 1, 3)."""
    return (invert_rigid(world_from_camera[:-1]) @ world_from_camera[1:])[:, :3, 3]


def psnr_db(predicted: Tensor, target: Tensor) -> float:
    """Peak signal-to-noise ratio of pictures in [0, 1]."""
    return float(-10 * torch.log10((predicted - target).square().mean().clamp(min=1e-10)))
