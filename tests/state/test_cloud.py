"""The cloud keeps what it is given, knows its extent, and stays within its bound."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.cloud import CloudModel
from zipmap_app.state.points import POINT_DTYPE


def make_points(n: int, seed: int = 0, centre=(1.0, 2.0, 3.0), spread: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    points = np.zeros(n, POINT_DTYPE)
    points["position"] = rng.normal(centre, spread, (n, 3))
    points["confidence"] = rng.uniform(0, 1, n)
    return points


def test_appended_points_are_kept_and_announced_once():
    cloud, heard = CloudModel(), []
    cloud.appended.connect(heard.append)
    first, second = make_points(10), make_points(7)
    cloud.append(first)
    cloud.append(second)
    cloud.append(make_points(0))
    assert cloud.n_points == 17
    assert [len(points) for points in heard] == [10, 7]
    assert list(cloud.blocks())[1] is second


def test_clear_forgets_everything():
    cloud, cleared = CloudModel(), []
    cloud.cleared.connect(lambda: cleared.append(True))
    cloud.append(make_points(100))
    cloud.clear()
    assert cleared == [True]
    assert cloud.n_points == 0
    assert cloud.extent() is None
    assert list(cloud.blocks()) == []


def test_extent_ignores_stray_points():
    cloud = CloudModel()
    points = make_points(20_000)
    points["position"][:16] = 1e6
    cloud.append(points)
    extent = cloud.extent()
    assert extent is not None
    np.testing.assert_allclose(extent.centre, (1, 2, 3), atol=0.15)
    assert 1.5 < extent.radius < 3.0
    assert 3.0 < extent.floor_y < 5.5


def test_confidence_quantile_follows_all_points_of_a_long_stream():
    cloud = CloudModel()
    for seed in range(60):
        points = make_points(20_000, seed)
        points["confidence"] += seed
        cloud.append(points)
    assert cloud.confidence_quantile(0) == float("-inf")
    assert cloud.confidence_quantile(0.5) == pytest.approx(30, abs=1.0)
    assert cloud.confidence_quantile(0.9) == pytest.approx(54, abs=1.0)


def test_beyond_the_bound_every_second_point_goes_and_views_start_over():
    cloud, thinned, appended = CloudModel(max_points=1000), [], []
    cloud.thinned.connect(lambda: thinned.append(cloud.n_points))
    cloud.appended.connect(appended.append)
    for seed in range(4):
        cloud.append(make_points(300, seed))
    assert thinned == [600]
    assert len(appended) == 3
    assert sum(len(block) for block in cloud.blocks()) == 600
    np.testing.assert_array_equal(next(cloud.blocks()), make_points(300, 0)[::2])


def test_wrong_dtype_is_refused():
    with pytest.raises(ValueError, match="POINT_DTYPE"):
        CloudModel().append(np.zeros((5, 3), np.float32))
