"""Losses: zero for perfect predictions, right about known errors, silent where there is no truth."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from training.data.batches import TrainingBatch
from training.losses import (
    TERM_NAMES,
    LossTerms,
    depth_gradient,
    depth_likelihood,
    field_of_view,
    flow_likelihood,
    flow_target,
    masked_mean,
    relative_motion,
    rotation_distance,
)
from zipmap_model import MotionPrediction


def _batch(step: tuple[float, float, float], depth: float = 2.0) -> TrainingBatch:
    """Two views of a wall at constant depth; the second camera moved by `step` and did not turn."""
    cameras = torch.eye(4).repeat(1, 2, 1, 1)
    cameras[0, 1, :3, 3] = torch.tensor(step)
    depths = torch.full((1, 2, 24, 32), depth)
    depths[:, 1] -= step[2]
    return TrainingBatch(torch.rand(1, 2, 3, 24, 32), depths, cameras, torch.tensor([40.0]))


def _motion(previous_from_camera: Tensor, flow: Tensor) -> MotionPrediction:
    return MotionPrediction(
        previous_from_camera,
        previous_from_camera,
        torch.ones(1, 2, 2),
        flow[None],
        torch.zeros(1, 1, 2, *flow.shape[-2:]),
    )


def test_flow_of_a_sideways_step_is_focal_times_parallax() -> None:
    target = flow_target(_batch((0.2, 0.0, 0.0)))
    # A camera that moved right by 0.2 sees what lay 40 * 0.2 / 2 = 4 pixels further right in the view before.
    torch.testing.assert_close(target.flow[:, :, 0], torch.full((1, 1, 6, 8), 4.0), atol=1e-4, rtol=0)
    torch.testing.assert_close(target.flow[:, :, 1], torch.zeros(1, 1, 6, 8), atol=1e-4, rtol=0)
    assert target.visible[..., :6].all()
    assert not target.visible[..., 7].any()


def test_flow_is_masked_where_another_surface_hides_the_point() -> None:
    batch = _batch((0.0, 0.0, 0.0))
    batch.depth[0, 0, :, :16] = 1.0
    visible = flow_target(batch).visible
    assert not visible[..., :4].any()
    assert visible[..., 4:].all()


def test_true_flow_has_the_lowest_flow_loss() -> None:
    batch = _batch((0.1, 0.05, 0.0))
    target = flow_target(batch)
    true = torch.cat((torch.zeros(1, 1, 2, 6, 8), target.flow), 1)
    identity = torch.zeros(1, 2, 7)
    assert flow_likelihood(_motion(identity, true), batch).item() == pytest.approx(0.0, abs=1e-5)
    assert flow_likelihood(_motion(identity, true + 1), batch).item() == pytest.approx(2.0, abs=1e-4)


def test_relative_motion_counts_translation_in_units_of_depth() -> None:
    batch = _batch((0.2, 0.0, 0.0), depth=2.0)
    perfect = torch.tensor([0.1, 0, 0, 0, 0, 0, 3.0]).expand(1, 2, 7)
    rotation, translation = relative_motion(perfect, batch)
    assert rotation.item() == pytest.approx(2e-4, abs=1e-4)
    assert translation.item() == pytest.approx(0.0, abs=1e-3)
    still = torch.tensor([0.0, 0, 0, 0, 0, 0, 1.0]).expand(1, 2, 7)
    _, translation = relative_motion(still, batch)
    assert translation.item() == pytest.approx(0.1 / 0.13, abs=1e-3)


def test_field_of_view_is_compared_side_by_side() -> None:
    batch = _batch((0.1, 0.0, 0.0))  # 24 x 32 pixels, focal length 40
    true = torch.tensor([2 * math.atan(12 / 40), 2 * math.atan(16 / 40)]).expand(1, 2, 2)
    assert field_of_view(true, batch).item() == pytest.approx(0.0, abs=1e-6)
    assert field_of_view(true + torch.tensor([0.1, 0.3]), batch).item() == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_rotation_distance_is_the_angle_whatever_sign_and_length(sign: float) -> None:
    angle = 0.1
    turned = sign * 3 * torch.tensor([0.0, math.sin(angle / 2), 0.0, math.cos(angle / 2)])
    identity = torch.tensor([0.0, 0.0, 0.0, 1.0])
    assert rotation_distance(turned, identity).item() == pytest.approx(2 * math.sin(angle / 2), abs=1e-5)


def test_rotation_distance_has_a_finite_gradient_at_zero() -> None:
    quaternion = torch.tensor([0.0, 0.0, 0.0, 1.0], requires_grad=True)
    rotation_distance(quaternion, torch.tensor([0.0, 0.0, 0.0, 1.0])).backward()
    assert quaternion.grad is not None
    assert torch.isfinite(quaternion.grad).all()


def test_depth_likelihood_is_best_at_the_inverse_error() -> None:
    target = torch.full((1, 1, 8, 8), 2.0)
    depth = target * math.exp(0.25)
    losses = [depth_likelihood(depth, torch.full_like(target, c), target)[0].item() for c in (2.0, 4.0, 8.0)]
    assert losses[1] < losses[0]
    assert losses[1] < losses[2]
    assert losses[1] == pytest.approx(4 * 0.25 - math.log(4), abs=1e-4)


def test_pixels_without_depth_touch_only_the_sky_term() -> None:
    target = torch.full((1, 1, 8, 8), 2.0)
    target[..., :4] = 0
    depth = target.clone()
    depth[..., :4] = 77.0
    likelihood, sky = depth_likelihood(depth, torch.full_like(target, math.e), target)
    assert likelihood.item() == pytest.approx(-1.0, abs=1e-5)
    assert sky.item() == pytest.approx(1.0, abs=1e-5)
    assert depth_gradient(depth, target).item() == pytest.approx(0.0, abs=1e-6)


def test_depth_gradient_ignores_scale_and_sees_a_ramp() -> None:
    target = torch.rand(1, 1, 16, 16) + 1
    assert depth_gradient(target * 3, target).item() == pytest.approx(0.0, abs=1e-5)
    ramp = torch.exp(torch.arange(16.0) * 0.1)
    assert depth_gradient(target * ramp, target).item() > 0.05


def test_an_empty_mask_gives_zero() -> None:
    assert masked_mean(torch.ones(3), torch.zeros(3, dtype=torch.bool)).item() == 0


def test_terms_are_stacked_in_the_order_of_their_names() -> None:
    values = [torch.tensor(float(i)) for i in range(len(TERM_NAMES))]
    assert LossTerms(*values).stacked().tolist() == list(range(len(values)))
