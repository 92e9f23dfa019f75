"""The cloud keeps what it is given, knows its extent, and stays within its bound."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.cloud import CloudModel
from zipmap_app.state.points import POINT_DTYPE
from zipmap_app.state.thinning import thin


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


def of_frame(points: np.ndarray, frame: int) -> np.ndarray:
    points["frame"] = frame
    return points


def test_beyond_the_bound_the_cloud_is_thinned_at_once_if_nobody_offers_to():
    cloud, thinned = CloudModel(max_points=1000), []
    cloud.thinned.connect(lambda: thinned.append(cloud.n_points))
    for frame in range(4):
        cloud.append(of_frame(make_points(300, frame), frame))
    assert len(thinned) == 1
    assert 400 <= thinned[0] <= 600
    assert cloud.voxel_size is not None
    assert cloud.memory_bytes == 2 * 24 * cloud.n_points
    for frame, block in enumerate(cloud.blocks()):
        assert (block["frame"] == frame).all()
        assert np.isin(block["position"], make_points(300, frame)["position"]).all()


def test_a_job_thins_while_frames_come_and_go():
    cloud, wanted = CloudModel(max_points=1000), []
    cloud.thinning_wanted.connect(wanted.append)
    for frame in range(6):
        cloud.append(of_frame(make_points(300, frame), frame))
    assert len(wanted) == 1
    assert cloud.n_points == 1575  # the last one came at the hard bound
    thinned = thin(wanted[0])
    cloud.truncate(2)
    late = of_frame(make_points(300, 50), 2)
    cloud.append(late)
    cloud.apply_thinned(thinned)
    blocks = list(cloud.blocks())
    assert blocks[0] is thinned.blocks[0]
    assert blocks[2] is late
    assert cloud.n_points == sum(len(block) for block in blocks) < 900


def test_a_thinning_that_is_late_changes_nothing():
    cloud, wanted = CloudModel(max_points=500), []
    cloud.thinning_wanted.connect(wanted.append)
    cloud.append(make_points(600))
    cloud.clear()
    fresh = make_points(100, 5)
    cloud.append(fresh)
    cloud.apply_thinned(thin(wanted[0]))
    assert next(cloud.blocks()) is fresh
    assert cloud.voxel_size is None


def test_a_lowered_bound_thins_and_never_below_the_voxel_of_before():
    cloud = CloudModel(max_points=2000)
    cloud.append(make_points(1800))
    assert cloud.voxel_size is None
    cloud.max_points = 1000
    first = cloud.voxel_size
    assert 400 <= cloud.n_points <= 600
    cloud.max_points = 300
    assert 100 <= cloud.n_points <= 200
    assert cloud.voxel_size > first


def test_truncate_returns_what_restore_takes_back():
    cloud, heard = CloudModel(), []
    cloud.truncated.connect(heard.append)
    given = [of_frame(make_points(50, frame, centre=(frame, 0, 0)), frame) for frame in range(5)]
    for points in given:
        cloud.append(points)
    removed = cloud.truncate(3)
    assert heard == [3]
    assert [block is points for block, points in zip(removed, given[3:], strict=True)] == [True, True]
    assert cloud.n_points == 150
    assert cloud.extent().centre[0] < 1.6
    cloud.restore(removed)
    assert [id(block) for block in cloud.blocks()] == [id(points) for points in given]
    assert cloud.truncate(9) == ()
    assert heard == [3]


def test_replace_exchanges_everything_and_returns_the_old():
    cloud, replaced = CloudModel(), []
    cloud.replaced.connect(lambda: replaced.append(cloud.n_points))
    old = make_points(100)
    cloud.append(old)
    returned = cloud.replace([make_points(70, 1, centre=(9, 9, 9)), make_points(0)])
    assert returned[0] is old
    assert replaced == [70]
    assert cloud.extent().centre[0] > 8
    with pytest.raises(ValueError, match="order"):
        cloud.replace([of_frame(make_points(3), 2), of_frame(make_points(3), 1)])


def test_the_extent_can_be_had_in_a_turned_space():
    cloud = CloudModel()
    cloud.append(make_points(20_000))
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    extent = cloud.extent(turn)
    np.testing.assert_allclose(extent.centre, (-2, 1, 3), atol=0.15)
    np.testing.assert_allclose(extent.radius, cloud.extent().radius, rtol=1e-4)


def test_frames_out_of_order_or_mixed_are_refused():
    cloud = CloudModel()
    cloud.append(of_frame(make_points(5), 3))
    with pytest.raises(ValueError, match="one frame"):
        cloud.append(of_frame(make_points(5), 2))
    mixed = make_points(5)
    mixed["frame"] = [4, 4, 4, 4, 5]
    with pytest.raises(ValueError, match="one frame"):
        cloud.append(mixed)


def test_wrong_dtype_is_refused():
    with pytest.raises(ValueError, match="POINT_DTYPE"):
        CloudModel().append(np.zeros((5, 3), np.float32))
