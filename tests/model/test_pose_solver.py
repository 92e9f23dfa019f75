"""The pose solver: finds the motion behind flow and depth, and keeps the guess where they are silent."""

import math

import pytest
import torch

from zipmap_model.geometry import quaternion_from_rotation, rotation_from_quaternion
from zipmap_model.heads.pose_solver import Observations, observe, refine_motion

SIZE = (144, 192)
FOCAL = 150.0
IDENTITY = torch.tensor([[0.0, 0, 0, 0, 0, 0, 1]])


def _scene(turn_rad: float, step: tuple[float, float, float]) -> tuple[Observations, torch.Tensor]:
    """Cells of a bumpy surface seen before and after a motion, and that motion (1, 7)."""
    depth = 1 + 0.3 * torch.rand(1, *SIZE, generator=torch.Generator().manual_seed(0))
    shape = (1, SIZE[0] // 4, SIZE[1] // 4)
    flow, log_scale = torch.zeros(1, 2, *shape[1:]), torch.full(shape, -2.0)
    still = observe(flow, log_scale, depth, torch.full((1, *SIZE), 20.0), torch.tensor([FOCAL]))
    turned = torch.tensor([[0.0, math.sin(turn_rad / 2), 0.0, math.cos(turn_rad / 2)]])
    motion = torch.cat([torch.tensor([step]), turned], dim=-1)
    before = still.point @ rotation_from_quaternion(turned).mT + motion[:, None, :3]
    return still._replace(target_px=FOCAL * before[..., :2] / before[..., 2:]), motion


def _distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Largest difference of rotation and translation entries."""
    turn = rotation_from_quaternion(a[:, 3:]) - rotation_from_quaternion(b[:, 3:])
    return max(float(turn.abs().max()), float((a - b)[:, :3].abs().max()))


@pytest.mark.parametrize("step", [(0.05, 0.0, 0.0), (0.0, 0.02, -0.06)])
def test_finds_a_small_motion_from_a_still_guess(step):
    cells, motion = _scene(0.04, step)
    assert _distance(IDENTITY, motion) > 0.03
    assert _distance(refine_motion(IDENTITY, cells, 4), motion) < 4e-3


def test_outliers_hardly_matter():
    cells, motion = _scene(0.03, (0.04, 0.0, 0.01))
    target = cells.target_px.clone()
    target[:, ::6] += 12.0
    assert _distance(refine_motion(IDENTITY, cells._replace(target_px=target), 4), motion) < 8e-3


def test_distrusted_cells_leave_the_guess_alone():
    cells, _ = _scene(0.05, (0.05, 0.0, 0.0))
    guess = torch.tensor([[0.01, 0.0, 0.02, 0.0, 0.01, 0.0, 1.0]])
    silent = cells._replace(trust=torch.zeros_like(cells.trust))
    assert _distance(refine_motion(guess, silent, 3), guess) < 1e-6


def test_the_gradient_reaches_the_flow():
    cells, _ = _scene(0.02, (0.03, 0.0, 0.0))
    target = cells.target_px.clone().requires_grad_()
    solved = refine_motion(IDENTITY, cells._replace(target_px=target), 3)
    (
        solved[:, 0].sum() + quaternion_from_rotation(rotation_from_quaternion(solved[:, 3:]))[:, 1].sum()
    ).backward()
    assert target.grad.isfinite().all()
    assert target.grad.abs().max() > 0
