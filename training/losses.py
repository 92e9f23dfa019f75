"""Losses of the small model: pure functions of a prediction and a batch.

Axes as in data/batches.py: B clips, S views, T queries, H W pixels, h w cells of the quarter grid. Everything is
float32 and free of host synchronisation, so it can be captured in a CUDA graph.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from training.data.batches import TrainingBatch, log_mean_depth
from zipmap_model import MotionPrediction, Prediction, QueryPrediction, invert_rigid
from zipmap_model.geometry import quaternion_from_rotation, rotation_from_quaternion

_LOG_DEPTH_LIMIT = 6.0  # of |log depth| in the loss: a diverging start stays finite
_FLOW_LIMIT_PX = 64.0  # cells that moved further are left out: no correlation window reaches them
_STEP_FLOOR = 0.03  # mean depths: the direction of shorter steps counts less
_STAGE_DECAY = 0.7  # weight of a flow stage against the next
_OCCLUSION_TOLERANCE = 0.05  # relative depth difference that still counts as the same surface


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weight of each term; measured choices, see docs/training.md."""

    depth: float = 1.0  # Laplace likelihood of log depth
    depth_gradient: float = 0.5  # multi-scale gradient of log depth
    sky: float = 0.1  # push confidence to its floor where there is no depth
    rotation: float = 6.0  # relative rotation, radians
    translation: float = 0.4  # relative translation over |t| + 0.1
    chain_rotation: float = 0.6  # rotation relative to the first view
    chain_translation: float = 0.1
    guess: float = (
        0.3  # rotation and translation of the guess that the solver starts from, against the solved
    )
    fov: float = 1.0  # radians
    chain_fov: float = 0.0  # the same of the estimate from all views so far and what their motions say
    flow: float = 0.15  # Laplace likelihood of flow, pixels
    query_rgb: float = 2.0
    query_rgb_gradient: float = 0.5
    query_depth: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class LossTerms:
    """Unweighted terms, each a scalar; terms whose prediction is absent are zero."""

    depth: Tensor
    depth_gradient: Tensor
    sky: Tensor
    rotation: Tensor
    translation: Tensor
    chain_rotation: Tensor
    chain_translation: Tensor
    fov: Tensor
    chain_fov: Tensor
    flow: Tensor
    query_rgb: Tensor
    query_rgb_gradient: Tensor
    query_depth: Tensor

    def stacked(self) -> Tensor:
        """All terms, detached, (K,) in the order of TERM_NAMES."""
        return torch.stack([getattr(self, name).detach() for name in TERM_NAMES])


TERM_NAMES = tuple(f.name for f in fields(LossTerms))


def total_loss(
    prediction: Prediction, batch: TrainingBatch, weights: LossWeights
) -> tuple[Tensor, LossTerms]:
    """Weighted sum and its terms."""
    zero = prediction.depth.new_zeros(())
    depth, sky = depth_likelihood(prediction.depth, prediction.depth_confidence, batch.depth)
    gradient = depth_gradient(prediction.depth, batch.depth)
    rotation = translation = chain_rotation = chain_translation = fov = chain_fov = flow = zero
    if prediction.motion is not None:
        rotation, translation = relative_motion(prediction.motion.previous_from_camera, batch)
        guess = relative_motion(prediction.motion.guess, batch)
        rotation, translation = rotation + weights.guess * guess[0], translation + weights.guess * guess[1]
        fov = field_of_view(prediction.motion.fov, batch)
        flow = flow_likelihood(prediction.motion, batch)
    if prediction.pose_encoding is not None:
        chain_rotation, chain_translation = chained_pose(prediction.pose_encoding, batch)
        chain_fov = field_of_view(prediction.pose_encoding[..., 7:], batch)
    rgb = rgb_gradient = query_depth = zero
    if prediction.query is not None:
        rgb, rgb_gradient, query_depth = query_losses(prediction.query, batch)
    terms = LossTerms(
        depth,
        gradient,
        sky,
        rotation,
        translation,
        chain_rotation,
        chain_translation,
        fov,
        chain_fov,
        flow,
        rgb,
        rgb_gradient,
        query_depth,
    )
    total = zero
    for name in TERM_NAMES:
        total = total + getattr(weights, name) * getattr(terms, name)
    return total, terms


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values where mask holds; zero for an empty mask. Values elsewhere must be finite."""
    weight = mask.to(values.dtype)
    return (values * weight).sum() / weight.sum().clamp(min=1.0)


def _safe_log(depth: Tensor) -> Tensor:
    """log depth, 0 where there is none."""
    return torch.where(depth > 0, depth, torch.ones_like(depth)).log()


def depth_likelihood(depth: Tensor, confidence: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Laplace negative log likelihood of log depth with 1/b = confidence, and the confidence left in the sky.

    All (B, S, H, W); target 0 marks pixels without depth. Returns (likelihood, sky).
    """
    valid = target > 0
    log_confidence = confidence.log()
    error = (depth.log().clamp(-_LOG_DEPTH_LIMIT, _LOG_DEPTH_LIMIT) - _safe_log(target)).abs()
    # Confidence is bounded: an unbounded 1/b turns the few exact pixels into the whole gradient.
    bounded = confidence.clamp(max=40.0)
    likelihood = masked_mean(bounded * error - bounded.log(), valid)
    return likelihood, masked_mean(log_confidence, ~valid)


def depth_gradient(depth: Tensor, target: Tensor, scales: int = 4) -> Tensor:
    """Mean |difference of log-depth error between neighbours| over coarser and coarser grids; (B, S, H, W)."""
    valid = target > 0
    error = depth.log().clamp(-_LOG_DEPTH_LIMIT, _LOG_DEPTH_LIMIT) - _safe_log(target)
    total = error.new_zeros(())
    for scale in range(scales):
        step = 2**scale
        e, m = error[..., ::step, ::step], valid[..., ::step, ::step]
        across = masked_mean((e[..., 1:] - e[..., :-1]).abs(), m[..., 1:] & m[..., :-1])
        down = masked_mean((e[..., 1:, :] - e[..., :-1, :]).abs(), m[..., 1:, :] & m[..., :-1, :])
        total = total + across + down
    return total / scales


def rotation_distance(predicted: Tensor, target: Tensor) -> Tensor:
    """Smooth angle in radians, 2 |sin(angle/2)|, between quaternions xyzw (..., 4); target has unit length."""
    p = torch.nn.functional.normalize(predicted, dim=-1, eps=1e-6)
    px, py, pz, pw = p.unbind(-1)
    tx, ty, tz, tw = target.unbind(-1)
    # Vector part of conj(target) * predicted; its length is |sin(angle / 2)|.
    x = tw * px - tx * pw - ty * pz + tz * py
    y = tw * py - ty * pw - tz * px + tx * pz
    z = tw * pz - tz * pw - tx * py + ty * px
    return 2 * (x * x + y * y + z * z + 1e-8).sqrt()


def relative_motion(previous_from_camera: Tensor, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
    """Rotation and translation loss of previous_from_camera (B, S, 7); view 0 has none.

    Translation is compared in units of the view's true geometric-mean depth, relative to |t| + _STEP_FLOOR.
    """
    target = invert_rigid(batch.world_from_camera[:, :-1]) @ batch.world_from_camera[:, 1:]
    unit = log_mean_depth(batch.depth)[:, 1:].exp()
    step = target[..., :3, 3] / unit[..., None]
    predicted = previous_from_camera[:, 1:]
    rotation = rotation_distance(predicted[..., 3:], quaternion_from_rotation(target[..., :3, :3])).mean()
    miss = ((predicted[..., :3] - step).square().sum(-1) + 1e-8).sqrt()
    return rotation, (miss / (step.norm(dim=-1) + _STEP_FLOOR)).mean()


def chained_pose(pose_encoding: Tensor, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
    """Rotation and camera centre relative to view 0, of the chained pose encoding (B, S, 9)."""
    quaternion = pose_encoding[:, 1:, 3:7]
    camera_from_world = invert_rigid(batch.world_from_camera[:, 1:])
    rotation = rotation_distance(quaternion, quaternion_from_rotation(camera_from_world[..., :3, :3])).mean()
    center = -(rotation_from_quaternion(quaternion).mT @ pose_encoding[:, 1:, :3, None])[..., 0]
    target = batch.world_from_camera[:, 1:, :3, 3]
    miss = ((center - target).square().sum(-1) + 1e-8).sqrt()
    return rotation, (miss / (target.norm(dim=-1) + 0.1)).mean()


def field_of_view(fov: Tensor, batch: TrainingBatch) -> Tensor:
    """Absolute error of both fields of view (B, S, 2), vertical and horizontal, radians."""
    height, width = batch.images.shape[-2:]
    halves = torch.stack((height / 2 / batch.focal_px, width / 2 / batch.focal_px), -1)
    return (fov - (2 * halves.atan())[:, None]).abs().mean()


@dataclass(frozen=True, slots=True, eq=False)
class FlowTarget:
    """True flow to the previous view at cell centres, and where it can be seen."""

    flow: Tensor  # (B, S - 1, 2, h, w) pixels, position in the previous view minus position in this one
    visible: Tensor  # (B, S - 1, h, w) bool


def flow_target(batch: TrainingBatch) -> FlowTarget:
    """Flow of views 1..S-1 from exact depth and cameras; occluded, far-moved and out-of-view cells are masked."""
    height, width = batch.depth.shape[-2:]
    device = batch.depth.device
    depth = batch.depth[:, 1:, 2::4, 2::4]
    x = torch.arange(depth.shape[-1], device=device) * 4.0 + 2.0
    y = (torch.arange(depth.shape[-2], device=device) * 4.0 + 2.0)[:, None].expand(depth.shape[-2:])
    focal = batch.focal_px[:, None, None, None]
    ray = torch.stack(
        torch.broadcast_tensors((x - width / 2) / focal, (y - height / 2) / focal, torch.ones_like(depth)), -1
    )
    previous_from_camera = invert_rigid(batch.world_from_camera[:, :-1]) @ batch.world_from_camera[:, 1:]
    rotation = previous_from_camera[:, :, None, :3, :3]
    point = (ray * depth[..., None]) @ rotation.mT + previous_from_camera[:, :, None, None, :3, 3]
    z = point[..., 2].clamp(min=1e-3)
    u = point[..., 0] / z * focal + width / 2
    v = point[..., 1] / z * focal + height / 2
    inside = (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1) & (point[..., 2] > 1e-3) & (depth > 0)
    column, row = u.round().clamp(0, width - 1).long(), v.round().clamp(0, height - 1).long()
    there = batch.depth[:, :-1].flatten(2).gather(2, (row * width + column).flatten(2)).view_as(z)
    seen = (there - z).abs() < _OCCLUSION_TOLERANCE * z
    flow = torch.stack((u - x, v - y), 2)
    near = flow.abs().amax(2) < _FLOW_LIMIT_PX
    return FlowTarget(flow.clamp(-_FLOW_LIMIT_PX, _FLOW_LIMIT_PX), inside & seen & near)


def flow_likelihood(motion: MotionPrediction, batch: TrainingBatch) -> Tensor:
    """Laplace negative log likelihood of the flow, with the network's own log scale; early stages count less."""
    target = flow_target(batch)
    total, weight = batch.depth.new_zeros(()), 1.0
    for flow, log_scale in zip(
        motion.flow_stages.flip(0).unbind(0), motion.log_scale_stages.flip(0).unbind(0), strict=True
    ):
        bounded = log_scale[:, 1:].clamp(-4.0, 6.0)
        error = (flow[:, 1:] - target.flow).abs().sum(2)
        total = total + weight * masked_mean(error * (-bounded).exp() + 2 * bounded, target.visible)
        weight *= _STAGE_DECAY
    return total


def query_losses(query: QueryPrediction, batch: TrainingBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Absolute colour error, absolute error of colour gradients, depth likelihood."""
    assert batch.query_rgb is not None
    assert batch.query_depth is not None
    error = query.rgb - batch.query_rgb
    gradient = error.new_zeros(())
    for step in (1, 2, 4):
        across = error[..., :, step:, :] - error[..., :, :-step, :]
        down = error[..., step:, :, :] - error[..., :-step, :, :]
        gradient = gradient + across.abs().mean() + down.abs().mean()
    depth, _ = depth_likelihood(query.depth, query.confidence, batch.query_depth)
    return error.abs().mean(), gradient / 3, depth
