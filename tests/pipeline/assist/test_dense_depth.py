"""Dense refinement over the built-in room with true cameras, and over walls made for one question each."""

from dataclasses import replace

import numpy as np
import pytest

from zipmap_app.pipeline.assist.dense_depth import refine
from zipmap_app.sources.opencv import cv2
from zipmap_app.sources.synthetic import SyntheticSource

SIZE = (144, 192)
FOCAL = 150.0


@pytest.fixture(scope="module")
def room():
    """Pictures twice as fine as depth, true depth, true cameras, focal length."""
    fine, coarse = SyntheticSource(999, (288, 384)), SyntheticSource(999, SIZE)
    frames = range(0, 20, 2)
    greys = [cv2.cvtColor(fine.render(i)[0], cv2.COLOR_RGB2GRAY) for i in frames]
    depths = [coarse.render(i)[1].astype(np.float32) for i in frames]
    return greys, depths, [coarse.world_from_camera(i) for i in frames], float(coarse.intrinsics[0, 0])


def moved_to(x):
    camera = np.eye(4)
    camera[0, 3] = x
    return camera


def pattern(seed=0):
    """A wall's picture, (288, 600): smooth noise, wide enough to be cut at several places."""
    noise = np.random.default_rng(seed).uniform(0, 255, (288, 600)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    return cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def wall_seen_from(x, depth, picture):
    """Grey picture (288, 384) of a wall at ``depth`` from a camera moved by x, twice as fine as the depth map."""
    shift = 2 * FOCAL * x / depth
    columns = np.tile(np.arange(384, dtype=np.float32) + np.float32(100 + shift), (288, 1))
    rows = np.tile(np.arange(288, dtype=np.float32)[:, None], (1, 384))
    return cv2.remap(picture, columns, rows, cv2.INTER_LINEAR)


def error(memory, depth):
    """Mean |log| error after one median scale."""
    ratio = memory.log_depth - np.log(depth)
    return float(np.abs(ratio - np.median(ratio)).mean())


def test_depth_that_errs_smoothly_and_anew_comes_closer_to_the_truth(room):
    greys, depths, cameras, focal = room
    rng = np.random.default_rng(1)
    memory, before, after = None, [], []
    for grey, depth, camera in zip(greys, depths, cameras, strict=True):
        waves = cv2.resize(
            rng.normal(0, 0.12, (5, 6)).astype(np.float32), SIZE[::-1], interpolation=cv2.INTER_CUBIC
        )
        given = depth * np.exp(waves)
        memory = refine(given, grey, camera, focal, memory)
        before.append(float(np.abs(waves - np.median(waves)).mean()))
        after.append(error(memory, depth))
    assert np.mean(after[4:]) < 0.6 * np.mean(before[4:])


def test_true_depth_stays_true(room):
    greys, depths, cameras, focal = room
    memory = None
    for grey, depth, camera in zip(greys, depths, cameras, strict=True):
        memory = refine(depth, grey, camera, focal, memory)
    assert error(memory, depths[-1]) < 0.02


def test_a_sweep_finds_how_far_off_a_wall_is_from_its_pattern_alone():
    truth, guess = np.full(SIZE, 2.0, np.float32), np.full(SIZE, 2.2, np.float32)
    wall = pattern()
    first = refine(truth, wall_seen_from(0.0, 2.0, wall), moved_to(0.0), FOCAL, None)
    # The memory of depths is made worthless, so that only the pictures can tell.
    first = replace(first, weight=np.zeros_like(first.weight))
    second = refine(guess, wall_seen_from(0.16, 2.0, wall), moved_to(0.16), FOCAL, first)
    off = second.log_depth[20:-20, 20:-40] - np.log(2.0)
    assert np.abs(off).mean() < 0.5 * np.log(1.1)


def test_without_a_pattern_nothing_is_moved():
    blank = np.full((288, 384), 120, np.uint8)
    depth = np.full(SIZE, 2.0, np.float32)
    first = refine(depth, blank, moved_to(0.0), FOCAL, None)
    np.testing.assert_allclose(first.log_depth, np.log(depth), atol=1e-6)
    second = refine(depth, blank, moved_to(0.16), FOCAL, first)
    np.testing.assert_allclose(second.log_depth, np.log(depth), atol=1e-4)


def test_what_was_known_counts_where_surfaces_agree_and_not_for_others():
    blank = np.full((288, 384), 120, np.uint8)
    memory = None
    for _ in range(4):
        memory = refine(np.full(SIZE, 2.0, np.float32), blank, np.eye(4), FOCAL, memory)
    depth = np.full(SIZE, 2.1, np.float32)
    depth[:, 96:] = 0.7  # somebody steps in front of the right half
    after = np.exp(refine(depth, blank, np.eye(4), FOCAL, memory).log_depth)
    np.testing.assert_allclose(after[:, :90], 2.02, atol=0.01)
    np.testing.assert_allclose(after[:, 100:], 0.7, rtol=0.1)


@pytest.mark.parametrize("camera", ["turned", "far", "behind"])
def test_cameras_that_see_nothing_of_what_is_known_keep_their_depth(camera):
    wall = pattern()
    depth = np.full(SIZE, 2.0, np.float32)
    memory = refine(depth, wall_seen_from(0.0, 2.0, wall), np.eye(4), FOCAL, None)
    there = {"turned": np.diag([-1.0, 1.0, -1.0, 1.0]), "far": moved_to(50.0), "behind": np.eye(4)}[camera]
    if camera == "behind":
        there[2, 3] = -30.0
    after = refine(2 * depth, wall_seen_from(0.0, 2.0, pattern(1)), there, FOCAL, memory)
    assert np.isfinite(after.log_depth).all()
    if camera != "behind":  # from behind the first camera its wall is seen again, far away and small
        np.testing.assert_allclose(after.log_depth, np.log(4.0), atol=1e-5)


def test_sizes_that_do_not_divide_and_larger_ones():
    grey = wall_seen_from(0.0, 2.0, pattern())
    for size in ((143, 191), (392, 518), (518, 392)):
        depth = np.full(size, 2.0, np.float32)
        memory = refine(depth, grey, moved_to(0.0), FOCAL, None)
        memory = refine(depth, grey, moved_to(0.1), FOCAL, memory)
        assert memory.log_depth.shape == size
        assert np.isfinite(memory.log_depth).all()
        assert max(memory.references[0].picture.shape) <= 120


def test_few_pictures_are_kept_however_long_the_way():
    wall = pattern()
    memory = None
    for i in range(12):
        x = 0.1 * i
        memory = refine(
            np.full(SIZE, 2.0, np.float32), wall_seen_from(x, 2.0, wall), moved_to(x), FOCAL, memory
        )
    assert len(memory.references) == 6
    assert memory.memory_bytes < 500_000
