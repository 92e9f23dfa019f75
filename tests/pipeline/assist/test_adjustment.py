import math
from dataclasses import replace

import numpy as np
import pytest

from zipmap_app.pipeline.assist.adjustment import PosePrior, Problem, adjust, rotation_from_vector

FOCAL = 300.0


@pytest.fixture
def exact():
    """Four cameras, forty points, every pixel right; the first two cameras are held."""
    rng = np.random.default_rng(0)
    cameras = np.tile(np.eye(4), (4, 1, 1))
    cameras[1:, :3, 3] = rng.normal(0, 0.2, (3, 3))
    cameras[1:, :3, :3] = rotation_from_vector(rng.normal(0, 0.05, (3, 3)))
    points = np.stack([rng.uniform(-2, 2, 40), rng.uniform(-1.5, 1.5, 40), rng.uniform(3, 8, 40)], axis=1)
    local = np.stack([(points - c[:3, 3]) @ c[:3, :3] for c in cameras])
    host = np.arange(40) % 2
    depths = -np.log(local[host, np.arange(40), 2])
    pixels = FOCAL * local[..., :2] / local[..., 2:]
    is_free = np.array([False, False, True, True])
    return Problem(cameras, pixels, host, depths, depths, np.full(40, 2.0), FOCAL, is_free)


def disturbed(problem):
    rng = np.random.default_rng(1)
    cameras = problem.world_from_camera.copy()
    cameras[2:, :3, :3] = rotation_from_vector(rng.normal(0, 0.02, (2, 3))) @ cameras[2:, :3, :3]
    cameras[2:, :3, 3] += rng.normal(0, 0.05, (2, 3))
    depths = problem.log_inverse_depth + rng.normal(0, 0.3, 40)
    return replace(
        problem, world_from_camera=cameras, log_inverse_depth=depths, prior_log_inverse_depth=depths
    )


def test_cameras_and_depths_are_found_from_a_rough_start(exact):
    found = adjust(disturbed(exact), 12)
    np.testing.assert_allclose(found.world_from_camera, exact.world_from_camera, atol=1e-3)
    np.testing.assert_allclose(found.log_inverse_depth, exact.log_inverse_depth, atol=0.01)
    np.testing.assert_array_equal(found.world_from_camera[:2], exact.world_from_camera[:2])
    assert found.focal_px == FOCAL
    assert found.focal_sigma == 0


def test_one_wild_pixel_does_not_pull_a_camera_away(exact):
    pixels = exact.pixels.copy()
    pixels[3, 5] += 80
    found = adjust(replace(disturbed(exact), pixels=pixels), 12)
    np.testing.assert_allclose(found.world_from_camera, exact.world_from_camera, atol=0.08)
    assert np.nanargmax(found.error_px[3]) == 5


def test_the_focal_length_is_found_and_its_doubt_told(exact):
    start = replace(disturbed(exact), focal_px=345.0, focal_prior=(math.log(345), 0.3))
    found = adjust(start, 20)
    assert found.focal_px == pytest.approx(FOCAL, rel=0.01)
    assert 0 < found.focal_sigma < 0.1


def test_without_parallax_depth_and_its_doubt_stay_those_of_the_prior(exact):
    cameras = exact.world_from_camera.copy()
    cameras[:, :3, 3] = 0
    local = np.stack([np.concatenate([p / FOCAL, np.ones((40, 1))], axis=1) for p in exact.pixels[:1]])[0]
    pixels = np.stack([FOCAL * q[:, :2] / q[:, 2:] for q in (local @ c[:3, :3] for c in cameras)])
    still = replace(
        exact, world_from_camera=cameras, pixels=pixels, host=np.zeros(40, int), is_free=np.arange(4) == 3
    )
    found = adjust(still, 5)
    np.testing.assert_allclose(found.log_inverse_depth, exact.log_inverse_depth, atol=1e-6)
    np.testing.assert_allclose(found.sigma, 2.0)


def test_points_nobody_else_saw_have_no_error(exact):
    pixels = exact.pixels.copy()
    pixels[1:, 0] = np.nan  # hosted by camera 0
    found = adjust(replace(exact, pixels=pixels), 3)
    assert np.isnan(found.error_px[:, 0]).all()
    assert np.isfinite(found.world_from_camera).all()


def test_where_few_points_leave_a_doubt_the_expected_camera_decides(exact):
    rng = np.random.default_rng(3)
    pixels = exact.pixels.copy()
    pixels[2:] += rng.normal(0, 1.0, pixels[2:].shape)
    pixels[3, 8:] = np.nan  # the last camera has eight noisy points
    noisy = replace(exact, pixels=pixels)
    expected = PosePrior(exact.world_from_camera[3], math.radians(0.05), 0.01)
    alone, held = adjust(noisy, 12), adjust(replace(noisy, pose_prior=expected), 12)

    def miss(found):
        return np.abs(found.world_from_camera[3] - exact.world_from_camera[3]).max()

    assert miss(held) < 0.5 * miss(alone)


def test_a_wrong_expectation_does_not_pull_the_camera_away(exact):
    wrong = exact.world_from_camera[3].copy()
    wrong[:3, :3] = rotation_from_vector(np.array([[0.1, 0.0, 0.0]]))[0] @ wrong[:3, :3]
    wrong[:3, 3] += 0.5
    found = adjust(replace(disturbed(exact), pose_prior=PosePrior(wrong, math.radians(0.1), 0.02)), 12)
    np.testing.assert_allclose(found.world_from_camera, exact.world_from_camera, atol=2e-3)
