"""The pose solver: finds the motion behind flow and depth, and keeps the guess where they are silent."""

import math

import pytest
import torch

from zipmap_model.geometry import quaternion_from_rotation, rotation_from_quaternion
from zipmap_model.heads.motion import ChainState, MotionEvidence, MotionHead, RawMotion
from zipmap_model.heads.pose_solver import Observations, focal_evidence, observe, refine_motion

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


def _seen_with(focal_px: float, cells: Observations) -> Observations:
    """The same cells as somebody sees them who takes the focal length for another one."""
    point = cells.point.clone()
    point[..., :2] *= FOCAL / focal_px
    return cells._replace(point=point, focal_px=torch.tensor([focal_px]))


@pytest.mark.parametrize("assumed_px", [110.0, 140.0, 200.0])
def test_a_turning_camera_tells_its_focal_length(assumed_px):
    cells, _ = _scene(0.15, (0.03, 0.02, 0.0))
    log_focal = math.log(assumed_px)
    for _ in range(6):
        seen = _seen_with(math.exp(log_focal), cells)
        information, slope = focal_evidence(refine_motion(IDENTITY, seen, 6), seen)
        log_focal -= float(slope / information)
    assert math.exp(log_focal) == pytest.approx(FOCAL, rel=0.02)


def test_a_camera_at_rest_and_one_that_is_not_believed_tell_nothing():
    moving, motion = _scene(0.15, (0.03, 0.02, 0.0))
    information, _ = focal_evidence(motion, moving)
    still, rest = _scene(0.0, (0.0, 0.0, 0.0))
    assert focal_evidence(rest, still)[0] < 1e-3 * information
    silent = moving._replace(trust=torch.zeros_like(moving.trust))
    assert torch.equal(torch.cat(focal_evidence(motion, silent)), torch.zeros(2))


def test_the_chain_weighs_readings_and_what_motions_say():
    state = ChainState.start(1, torch.device("cpu")).with_reading(torch.tensor([0.2]))
    assert torch.equal(
        state.with_motion(torch.tensor([1e6]), torch.tensor([-1e6])).log_focal, state.log_focal
    ), "the first view has not moved"
    state = state.with_reading(torch.tensor([0.4]))
    assert float(state.log_focal) == pytest.approx(0.3)
    agreeing = state.with_motion(torch.tensor([100.0]), torch.tensor([0.0]))
    assert float(agreeing.log_focal) == pytest.approx(0.3)
    little, much = (state.with_motion(torch.tensor([i]), torch.tensor([-0.1 * i])) for i in (10.0, 1e4))
    assert 0.3 < float(little.log_focal) < float(much.log_focal) < 0.4
    assert float(much.with_reading(torch.tensor([9.9])).log_focal) < 0.5, (
        "readings do not outweigh much evidence"
    )


def _turning_views(n_views: int, focal_px: float, read_px: float) -> tuple[RawMotion, MotionEvidence]:
    """A bumpy surface seen again and again by a camera that turns, and a head that misreads its focal length."""
    cells, motion = _scene(0.15, (0.03, 0.02, 0.0))
    depth = 1 + 0.3 * torch.rand(1, *SIZE, generator=torch.Generator().manual_seed(0))
    unit = depth.log().mean().exp()
    moved = rotation_from_quaternion(motion[:, 3:])
    before = cells.point / unit @ moved.mT + motion[:, None, :3]
    flow = focal_px * (before[..., :2] / before[..., 2:] - cells.point[..., :2] / cells.point[..., 2:])
    flow = flow.mT.unflatten(2, (SIZE[0] // 4, SIZE[1] // 4))
    evidence = MotionEvidence(
        flow[:, None].repeat(1, n_views, 1, 1, 1),
        torch.full((1, n_views, *flow.shape[-2:]), -2.0),
        depth[:, None].repeat(1, n_views, 1, 1),
        torch.full((1, n_views, *SIZE), 20.0),
    )
    reading = torch.full((1, n_views), math.log(read_px / (0.9 * max(SIZE))))
    return RawMotion(IDENTITY[:, None].repeat(1, n_views, 1), reading), evidence


def _focal_of(pose_encoding: torch.Tensor) -> torch.Tensor:
    return 0.5 * SIZE[1] / torch.tan(0.5 * pose_encoding[0, :, 8])


def test_training_solves_all_views_at_once_nearly_as_one_after_the_other():
    raw, evidence = _turning_views(6, FOCAL, read_px=140.0)
    head = MotionHead(8, 4, pose_iterations=3)
    start = ChainState.start(1, torch.device("cpu"))
    at_once = head.train().solve_and_chain(raw, evidence, SIZE, start)
    in_turn = head.eval().solve_and_chain(raw, evidence, SIZE, start)
    focal = _focal_of(at_once.pose_encoding)
    assert float(focal[0]) == pytest.approx(140.0, rel=1e-4), "the first view has not moved"
    assert float(focal[-1]) > 144.0, "motions move the reading towards the truth"
    torch.testing.assert_close(focal, _focal_of(in_turn.pose_encoding), rtol=0.02, atol=0)
    torch.testing.assert_close(
        at_once.previous_from_camera[:, :2], in_turn.previous_from_camera[:, :2], rtol=0, atol=1e-5
    )
    torch.testing.assert_close(at_once.previous_from_camera, in_turn.previous_from_camera, rtol=0, atol=5e-3)


def test_the_estimate_of_the_focal_length_teaches_the_uncertainty_of_the_flow():
    raw, evidence = _turning_views(4, FOCAL, read_px=130.0)
    scale = evidence.flow_log_scale.clone().requires_grad_()
    head = MotionHead(8, 4, pose_iterations=3).train()
    start = ChainState.start(1, torch.device("cpu"))
    chained = head.solve_and_chain(raw, evidence._replace(flow_log_scale=scale), SIZE, start)
    chained.pose_encoding[0, -1, 8].backward()
    assert scale.grad is not None
    assert scale.grad.isfinite().all()
    assert scale.grad[:, 1:].abs().amax() > 0
    assert not scale.grad[:, 0].any(), "the first view says nothing"
