"""The assist over the built-in room, whose cameras and depth are known, with a model that errs."""

import numpy as np
import pytest

from zipmap_app.pipeline.assist.corners import corners_in, follow
from zipmap_app.pipeline.assist.stage import FOUND, LOST, TrackingAssist
from zipmap_app.pipeline.engine import View
from zipmap_app.sources.opencv import cv2
from zipmap_app.sources.synthetic import SyntheticSource

SIZE = (144, 192)
N = 14
STRIDE = 2


@pytest.fixture(scope="module")
def room():
    """Pictures twice as fine as depth, true depth, and true cameras relative to the first."""
    fine, coarse = SyntheticSource(999, (288, 384)), SyntheticSource(999, SIZE)
    greys, depths, cameras = [], [], []
    for i in range(N):
        greys.append(cv2.cvtColor(fine.render(STRIDE * i)[0], cv2.COLOR_RGB2GRAY))
        depths.append(coarse.render(STRIDE * i)[1].astype(np.float32))
        cameras.append(coarse.world_from_camera(STRIDE * i))
    return greys, depths, np.linalg.inv(cameras[0]) @ np.stack(cameras), coarse.intrinsics


def erring_views(room, *, focal=1.0):
    """The truth, with depth bent across the picture and scaled anew every frame, and every step turned askew."""
    _, depths, cameras, intrinsics = room
    rng = np.random.default_rng(3)
    bend = np.exp(np.linspace(-0.25, 0.25, SIZE[1], dtype=np.float32))
    pose = np.eye(4)
    K = intrinsics * np.array([[focal, 1, 1], [1, focal, 1], [1, 1, 1]])
    for i, depth in enumerate(depths):
        if i:
            askew = np.eye(4)
            askew[:3, :3] = cv2.Rodrigues(rng.normal(0, 0.01, 3))[0]
            pose = pose @ np.linalg.inv(cameras[i - 1]) @ cameras[i] @ askew
        scale = np.float32(1.0 if i == 0 else np.exp(rng.normal(0, 0.1)))
        yield View(pose, K, depth * bend * scale, np.full(SIZE, 2, np.float32))


def run(room, views, *, focal_px=None, state=None, greys=None):
    steps = []
    for view, grey in zip(views, greys or room[0], strict=False):
        steps.append(TrackingAssist().correct(view, grey, focal_px, state))
        state = steps[-1].state
    return steps


def turn_deg(a, b):
    cosine = (np.trace(a[:3, :3].T @ b[:3, :3]) - 1) / 2
    return np.degrees(np.arccos(min(cosine, 1.0)))


def test_cameras_and_scale_come_out_better_than_they_went_in(room):
    views = list(erring_views(room))
    steps = run(room, views, focal_px=room[3][0, 0])
    true = room[2][-1]
    assert turn_deg(steps[-1].view.world_from_camera, true) < 0.4 * turn_deg(
        views[-1].world_from_camera, true
    )
    ours = steps[-1].view.world_from_camera[:3, 3]
    cosine = ours @ true[:3, 3] / np.linalg.norm(ours) / np.linalg.norm(true[:3, 3])
    assert cosine > np.cos(np.radians(3))
    errors = [np.abs(np.log(v.depth / d)).mean() for v, d in zip(views, room[1], strict=True)]
    ratio = [np.log(s.view.depth / d) for s, d in zip(steps, room[1], strict=True)]
    corrected = [np.abs(r - np.median(ratio[-1])).mean() for r in ratio]
    assert np.mean(corrected[N // 2 :]) < 0.5 * np.mean(errors[N // 2 :])
    assert all(step.notice is None for step in steps)


def test_an_unknown_field_of_view_is_measured(room):
    steps = run(room, erring_views(room, focal=1.15))
    found = steps[-1].view.intrinsics[0, 0]
    assert abs(np.log(found / room[3][0, 0])) < 0.06
    known = run(room, erring_views(room, focal=1.15), focal_px=150.0)
    assert known[-1].view.intrinsics[0, 0] == pytest.approx(150.0)


def test_the_same_frames_after_a_snapshot_give_the_same_bits(room):
    views = list(erring_views(room))
    once = run(room, views)
    again = run(room, views[6:], state=once[5].state, greys=room[0][6:])
    for first, second in zip(once[6:], again, strict=True):
        np.testing.assert_array_equal(first.view.world_from_camera, second.view.world_from_camera)
        np.testing.assert_array_equal(first.view.depth, second.view.depth)


def test_losing_and_finding_are_told_once_and_the_model_leads_meanwhile(room):
    views = list(erring_views(room))
    greys = list(room[0])
    for i in range(4, 8):
        greys[i] = np.full_like(greys[i], 90)  # a hand over the lens
    steps = run(room, views, greys=greys)
    notices = [step.notice for step in steps]
    assert notices[5] == LOST
    assert notices.count(LOST) == notices.count(FOUND) == 1
    assert notices.index(FOUND) > 8
    model_step = np.linalg.inv(views[5].world_from_camera) @ views[6].world_from_camera
    ours = np.linalg.inv(steps[5].view.world_from_camera) @ steps[6].view.world_from_camera
    np.testing.assert_allclose(ours[:3, :3], model_step[:3, :3], atol=1e-9)


def test_a_camera_that_stands_still_stays_where_it_is(room):
    views = list(erring_views(room))
    steps = run(room, views, greys=[room[0][0]] * N)
    for step in steps:
        np.testing.assert_allclose(step.view.world_from_camera, np.eye(4), atol=2e-3)


def test_the_state_is_never_written_to(room):
    views = list(erring_views(room))
    before = run(room, views[:5])[-1].state
    arrays = [before.cameras, before.landmarks.pixels, before.landmarks.newest, before.world_from_camera]
    copies = [array.copy() for array in arrays]
    run(room, views[5:], state=before, greys=room[0][5:])
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_corners_keep_their_distance_and_can_be_followed_back(room):
    grey = room[0][0]
    taken = np.array([[100.0, 100.0]])
    corners = corners_in(grey, taken, 60, 12.0)
    assert 20 < len(corners) <= 60
    assert np.linalg.norm(corners - taken, axis=1).min() >= 11
    shifted = np.roll(grey, (3, 5), axis=(0, 1))
    found, is_good = follow(grey, shifted, corners, corners)
    assert is_good.mean() > 0.8
    np.testing.assert_allclose((found - corners)[is_good], np.tile([5.0, 3.0], (is_good.sum(), 1)), atol=0.3)
    _, is_good = follow(grey, np.full_like(grey, 128), corners, corners)
    assert not is_good.any()
