"""Frames once more from the last to the first, over the built-in room with true cameras and depth that errs."""

import numpy as np
import pytest

from zipmap_app.pipeline.engine import View
from zipmap_app.pipeline.hindsight import look_back
from zipmap_app.sources.opencv import cv2
from zipmap_app.sources.synthetic import SyntheticSource

SIZE = (144, 192)
N = 8


@pytest.fixture(scope="module")
def room():
    """Pictures, true depth, and views whose depth errs smoothly and anew in every frame."""
    source = SyntheticSource(999, SIZE)
    rng = np.random.default_rng(2)
    pictures, depths, views = [], [], []
    for i in range(N):
        picture, depth = source.render(2 * i)
        waves = cv2.resize(rng.normal(0, 0.15, (5, 6)).astype(np.float32), SIZE[::-1])
        given = (depth * np.exp(waves)).astype(np.float32)
        confidence = np.full(SIZE, 2, np.float32)
        camera = source.world_from_camera(2 * i)
        views.append(View(camera, source.intrinsics, given, confidence, is_tracked=i > 0))
        pictures.append(picture)
        depths.append(depth.astype(np.float32))
    return pictures, depths, views


def error(depth, truth):
    ratio = np.log(depth / truth)
    return float(np.abs(ratio - np.median(ratio)).mean())


def test_the_first_frames_learn_from_the_later_ones(room):
    pictures, depths, views = room
    seen = list(look_back(N, lambda index: (views[index], pictures[index])))
    assert [index for index, _ in seen] == list(reversed(range(N)))
    better = dict(seen)
    assert better[N - 1] is views[N - 1]
    before = [error(views[i].depth, depths[i]) for i in range(4)]
    after = [error(better[i].depth, depths[i]) for i in range(4)]
    assert np.mean(after) < 0.6 * np.mean(before)
    for index, view in seen:
        np.testing.assert_array_equal(view.world_from_camera, views[index].world_from_camera)
        assert view.confidence.mean() == pytest.approx(2, rel=1e-4)
    assert better[0].confidence.std() > 0.1  # agreement is told


def test_nothing_is_learnt_across_a_break(room):
    pictures, _, views = room
    broken = [
        View(v.world_from_camera, v.intrinsics, v.depth, v.confidence, i != 4) for i, v in enumerate(views)
    ]
    better = dict(look_back(N, lambda index: (broken[index], pictures[index])))
    assert better[3] is broken[3]
    assert better[2] is not broken[2]
    assert better[4] is not broken[4]


def test_views_of_a_model_alone_stay_as_they_are(room):
    pictures, _, views = room
    alone = [View(v.world_from_camera, v.intrinsics, v.depth, v.confidence) for v in views]
    for index, view in look_back(N, lambda index: (alone[index], pictures[index])):
        assert view is alone[index]
