"""Estimates to be judged: the model's, and those of baselines that know nothing or next to nothing.

Every estimator sees the same frames; S frames, H W pixels, T query views.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.evaluation.suites import EvalSequence
from zipmap_model import (
    Prediction,
    StreamingSession,
    ZipMap,
    autocast_for,
    cameras_from_pose_encoding,
    invert_rigid,
)
from zipmap_model.geometry import rays_at_size


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Depth and cameras of one sequence; None where an estimator says nothing."""

    depth: Tensor | None  # (S, H, W)
    world_from_camera: Tensor | None  # (S, 4, 4)


def model_estimate(model: ZipMap, images_S3HW: Tensor) -> Estimate:
    """The model, streaming frame by frame."""
    session = StreamingSession(model)
    steps = [_estimate(session.step(image)) for image in images_S3HW]
    return Estimate(
        torch.cat([step.depth for step in steps if step.depth is not None]),
        torch.cat([step.world_from_camera for step in steps if step.world_from_camera is not None]),
    )


def offline_estimate(model: ZipMap, images_S3HW: Tensor) -> Estimate:
    """The model, with one update over all frames."""
    with torch.no_grad(), autocast_for(_device(model)):
        return _estimate(model(images_S3HW.to(_device(model)), window=0))


def _estimate(prediction: Prediction) -> Estimate:
    """Depth and cameras of the one scene of a prediction."""
    depth = prediction.depth[0]
    assert prediction.pose_encoding is not None
    camera_from_world, _ = cameras_from_pose_encoding(
        prediction.pose_encoding[0], (depth.shape[-2], depth.shape[-1])
    )
    return Estimate(depth.cpu(), invert_rigid(camera_from_world).cpu())


def _device(model: ZipMap) -> torch.device:
    return next(model.parameters()).device


def constant_depth(images_S3HW: Tensor) -> Estimate:
    """One depth everywhere."""
    return Estimate(torch.ones(images_S3HW.shape[0], *images_S3HW.shape[-2:]), None)


def static_camera(images_S3HW: Tensor) -> Estimate:
    """A camera that never moves."""
    return Estimate(None, torch.eye(4).repeat(images_S3HW.shape[0], 1, 1))


def straight_line(images_S3HW: Tensor) -> Estimate:
    """A camera that flies straight ahead at constant speed without turning."""
    cameras = torch.eye(4).repeat(images_S3HW.shape[0], 1, 1)
    cameras[:, 2, 3] = torch.arange(images_S3HW.shape[0], dtype=torch.float32)
    return Estimate(None, cameras)


@dataclass(frozen=True, slots=True, eq=False)
class QueryViews:
    """Novel views of one sequence: the model's, two baselines', and the truth; each (T, 3, H, W)."""

    model: Tensor
    mean_color: Tensor
    nearest_view: Tensor
    truth: Tensor
    model_depth: Tensor  # (T, H, W), in the model's unit
    true_depth: Tensor  # (T, H, W); 0 where unknown


def query_views(
    model: ZipMap, sequence: EvalSequence, held_out: tuple[int, ...], *, offline: bool = False
) -> QueryViews:
    """Stream all frames but the held-out ones, then ask for those with their true cameras.

    With `offline` the frames share one update instead. Needs depth, cameras and intrinsics. The nearest view is
    the input frame before the held-out one.
    """
    assert sequence.depth is not None
    assert sequence.world_from_camera is not None
    assert sequence.intrinsics is not None
    inputs = [i for i in range(len(sequence.images)) if i not in held_out]
    window = 0 if offline else 1
    with torch.no_grad(), autocast_for(_device(model)):
        state = model.zip(sequence.images[inputs].to(_device(model)), window=window)
    first = sequence.depth[inputs[0]]
    unit = first[first > 0].log().mean().exp()
    relative = (
        invert_rigid(sequence.world_from_camera[inputs[0]]) @ sequence.world_from_camera[list(held_out)]
    )
    size = (sequence.images.shape[-2], sequence.images.shape[-1])
    rays = rays_at_size(relative.float(), sequence.intrinsics[list(held_out)].float(), size, float(unit))
    with torch.no_grad():
        answer = model.query(state, rays[None].to(_device(model)))
    rgb = answer.rgb[0].movedim(-1, 1).cpu()
    truth = sequence.images[list(held_out)]
    nearest = torch.stack([sequence.images[max(i for i in inputs if i < h)] for h in held_out])
    mean = sequence.images[inputs].mean(dim=(0, 2, 3))[None, :, None, None].expand_as(truth)
    return QueryViews(rgb, mean, nearest, truth, answer.depth[0].cpu(), sequence.depth[list(held_out)])
