"""From a model's prediction to views on the host, relative to one first view."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

import zipmap_model as zm
from zipmap_app.pipeline.engine import Breathe, EngineError, View

# The published heads can answer a field of view of zero (a black picture, say): an infinite focal length.
_FOV_RANGE_RAD = (0.01, 3.0)
_VIEWS_PER_HEAD_CALL = 8  # about; only makes the progress even


def views_on_host(
    prediction: zm.Prediction, world_from_first: np.ndarray | None
) -> tuple[list[View], np.ndarray]:
    """The views of a prediction as NumPy, cameras relative to ``world_from_first`` (4, 4) in the model's world.

    None takes the first of these views. Also returns the matrix that was used. Raises EngineError for cameras
    that are missing or no numbers.
    """
    if prediction.pose_encoding is None:
        raise EngineError("This model predicts no cameras; choose another one.")
    size_hw = (prediction.depth.shape[-2], prediction.depth.shape[-1])
    pose_encoding = prediction.pose_encoding[0].float().cpu().double()
    pose_encoding[..., 7:].clamp_(*_FOV_RANGE_RAD)
    camera_from_world, intrinsics = zm.cameras_from_pose_encoding(pose_encoding, size_hw)
    poses = zm.invert_rigid(camera_from_world).numpy()
    if not np.isfinite(poses).all() or not torch.isfinite(intrinsics).all():
        raise EngineError(
            "The model's cameras are not finite numbers any more: the scene cannot go on; start it again."
        )
    if world_from_first is None:
        world_from_first = poses[0].copy()
    first_from_world = np.linalg.inv(world_from_first)
    depth = prediction.depth[0].float().cpu().numpy()
    confidence = prediction.depth_confidence[0].float().cpu().numpy()
    views = [
        View(first_from_world @ pose, k, d, c)
        for pose, k, d, c in zip(poses, intrinsics.numpy(), depth, confidence, strict=True)
    ]
    return views, world_from_first


@contextmanager
def breathing(model: zm.ZipMap, n_views: int, breathe: Breathe) -> Iterator[None]:
    """Call ``breathe`` with the share done before every block of an offline run over ``n_views`` views.

    What ``breathe`` raises ends the run. It may use the model itself, for a query say.
    """
    blocks = [*model.aggregator.frame_blocks, *model.aggregator.global_blocks]
    heads = [head for head in (model.depth_head, model.local_point_head) if head is not None]
    n_calls = len(blocks) + len(heads) * -(-n_views // _VIEWS_PER_HEAD_CALL)
    n_called = 0
    is_inside = False

    def before(module: torch.nn.Module, arguments: tuple[object, ...]) -> None:
        nonlocal n_called, is_inside
        if is_inside:
            return  # a query that ``breathe`` asks runs through the same blocks
        is_inside = True
        try:
            breathe(min(n_called / n_calls, 1.0))
        finally:
            is_inside = False
        n_called += 1

    hooks = [module.register_forward_pre_hook(before) for module in (*blocks, *heads)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
