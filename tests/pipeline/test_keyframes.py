import dataclasses

import numpy as np
import pytest

from tests.app_fakes import make_frame
from zipmap_app.pipeline.kept import KeptFrames
from zipmap_app.pipeline.keyframes import Keyframe, KeyframePolicy, is_keyframe, median_depth

POLICY = KeyframePolicy(min_translation=0.1, min_rotation_deg=10, max_gap=5)
LAST = Keyframe(position=10, world_from_camera=np.eye(4), median_depth=2.0)


def camera(x=0.0, yaw_deg=0.0):
    yaw = np.radians(yaw_deg)
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = [
        [np.cos(yaw), 0, np.sin(yaw)],
        [0, 1, 0],
        [-np.sin(yaw), 0, np.cos(yaw)],
    ]
    world_from_camera[0, 3] = x
    return world_from_camera


@pytest.mark.parametrize(
    ("position", "x", "yaw_deg", "expected"),
    [
        (11, 0.0, 0.0, False),
        (11, 0.19, 9.0, False),
        (11, 0.21, 0.0, True),
        (11, 0.0, -11.0, True),
        (14, 0.0, 0.0, False),
        (15, 0.0, 0.0, True),
    ],
)
def test_motion_turning_or_time_make_a_keyframe(position, x, yaw_deg, expected):
    assert is_keyframe(POLICY, LAST, position, camera(x, yaw_deg)) is expected


def test_the_first_frame_is_always_one():
    assert is_keyframe(POLICY, None, 0, camera())


def test_median_depth_passes_over_what_is_no_depth():
    assert median_depth(np.array([[1.0, 2.0, 3.0], [np.nan, -1.0, np.inf]])) == 2
    assert median_depth(np.array([[np.nan]])) == 1


def result(position, is_keyframe=True):
    return dataclasses.replace(make_frame(position), position=position, is_keyframe=is_keyframe)


def positions(kept):
    return [frame.position for frame in kept.frames]


def test_only_keyframes_are_kept_evenly_and_never_too_many():
    kept = KeptFrames(max_frames=8)
    for position in range(200):
        kept.append(result(position, is_keyframe=position % 2 == 0))
        assert len(kept.frames) <= 8
    assert positions(kept)[0] == 0
    gaps = set(np.diff(positions(kept)))
    assert len(gaps) == 1
    assert positions(kept)[-1] > 150


def test_cutting_forgets_later_ones_and_goes_on_as_evenly():
    kept = KeptFrames(max_frames=8)
    for position in range(40):
        kept.append(result(position))
    whole = kept.copy()
    kept.cut(17)
    assert all(position < 17 for position in positions(kept))
    for position in range(17, 40):
        kept.append(result(position))
    assert np.diff(positions(kept)).max() <= 2 * np.diff(positions(whole)).max()
    assert positions(whole)[-1] > 17  # the copy is independent
