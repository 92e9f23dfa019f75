"""Metrics against errors that were put in by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from training.evaluation.alignment import align_points
from training.evaluation.metrics import camera_errors, depth_errors, psnr_db, rotation_angle_deg


def _turn(degrees: float) -> Tensor:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]], dtype=torch.float64)


def _walk(n: int, turn_deg: float) -> Tensor:
    """A curved walk: every step goes one unit ahead and turns by an angle."""
    step = torch.eye(4, dtype=torch.float64)
    step[:3, :3] = _turn(turn_deg)
    step[2, 3] = 1
    poses = [torch.eye(4, dtype=torch.float64)]
    for _ in range(n - 1):
        poses.append(poses[-1] @ step)
    return torch.stack(poses)


def test_similarity_is_recovered() -> None:
    source = torch.randn(10, 3, generator=torch.Generator().manual_seed(0)).double()
    target = 2.5 * source @ _turn(40).T + torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    found = align_points(source, target)
    assert found.scale == pytest.approx(2.5)
    torch.testing.assert_close(found.apply(source), target)
    torch.testing.assert_close(found.rotation, _turn(40))


def test_alignment_never_mirrors() -> None:
    source = torch.randn(10, 3, generator=torch.Generator().manual_seed(1)).double()
    found = align_points(source, source * torch.tensor([1.0, 1.0, -1.0]))
    assert torch.linalg.det(found.rotation).item() == pytest.approx(1.0)


def test_points_that_coincide_map_to_the_centre() -> None:
    target = torch.randn(5, 3).double()
    found = align_points(torch.zeros(5, 3), target)
    torch.testing.assert_close(found.apply(torch.zeros(5, 3).double()), target.mean(0).expand(5, 3))


def test_cameras_up_to_a_similarity_are_perfect() -> None:
    truth = _walk(13, 5.0)
    moved = torch.eye(4, dtype=torch.float64)
    moved[:3, :3], moved[:3, 3] = _turn(70), torch.tensor([3.0, 1.0, -2.0])
    ours = moved @ truth
    ours[:, :3, 3] *= 4
    errors = camera_errors(ours, truth)
    assert errors.rotation_mean_deg == pytest.approx(0, abs=1e-6)
    assert errors.rotation_10_deg == pytest.approx(0, abs=1e-6)
    assert errors.ate_percent == pytest.approx(0, abs=1e-6)
    assert errors.direction_deg == pytest.approx(0, abs=1e-3)


def test_a_static_camera_misses_every_turn() -> None:
    errors = camera_errors(torch.eye(4).repeat(13, 1, 1), _walk(13, 3.0))
    assert errors.rotation_median_deg == pytest.approx(3.0, abs=1e-5)
    assert errors.rotation_10_deg == pytest.approx(30.0, abs=1e-4)
    assert errors.direction_deg == pytest.approx(90.0)


@pytest.mark.parametrize("angle", [0.01, 45.0, 179.0])
def test_rotation_angle_is_exact_for_small_and_large_turns(angle: float) -> None:
    assert rotation_angle_deg(_turn(angle)).item() == pytest.approx(angle, rel=1e-6)


def test_depth_scale_is_forgiven_once_per_frame_or_once_per_sequence() -> None:
    target = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0)) + 1
    one_scale = depth_errors(target * 3, target)
    assert one_scale.abs_rel_sequence == pytest.approx(0, abs=1e-6)
    assert one_scale.delta_sequence == 1
    drifting = depth_errors(target * torch.tensor([1.0, 2.0, 4.0])[:, None, None], target)
    assert drifting.abs_rel_frame == pytest.approx(0, abs=1e-6)
    assert drifting.abs_rel_sequence > 0.3


def test_pixels_without_truth_do_not_count() -> None:
    target = torch.full((1, 4, 4), 2.0)
    target[0, 0] = 0
    predicted = torch.full((1, 4, 4), 2.0)
    predicted[0, 0] = 1000
    assert depth_errors(predicted, target).abs_rel_frame == pytest.approx(0)


def test_psnr_of_a_known_error() -> None:
    assert psnr_db(torch.full((4,), 0.6), torch.full((4,), 0.5)) == pytest.approx(20, abs=1e-4)
