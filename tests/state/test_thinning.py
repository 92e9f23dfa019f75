"""Voxel thinning keeps coverage, the surest points and every frame's number."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state import thinning
from zipmap_app.state.points import POINT_DTYPE
from zipmap_app.state.thinning import ThinningRequest, thin


def wall(n: int, frame: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    points = np.zeros(n, POINT_DTYPE)
    points["position"] = rng.uniform((-2, -1, 3), (2, 1, 3.001), (n, 3))
    points["position"][:, 2] += 0.3 * points["position"][:, 0]  # across the cubes, as surfaces lie
    points["confidence"] = rng.uniform(0, 1, n)
    points["frame"] = frame
    return points


def test_about_the_wanted_share_remains_and_each_block_keeps_its_frame():
    blocks = tuple(wall(20_000, frame, frame) for frame in range(5))
    thinned = thin(ThinningRequest(blocks))
    kept = sum(len(block) for block in thinned.blocks)
    assert kept == pytest.approx(50_000, rel=0.02)
    for frame, block in enumerate(thinned.blocks):
        assert (block["frame"] == frame).all()
        assert not block.flags.writeable


def test_the_estimate_from_a_sample_holds_for_a_large_cloud():
    blocks = tuple(wall(150_000, frame, frame) for frame in range(8))
    kept = sum(len(block) for block in thin(ThinningRequest(blocks)).blocks)
    assert kept == pytest.approx(600_000, rel=0.1)


def test_every_place_stays_covered_where_every_second_point_would_leave_dense_spots_dense():
    dense, sparse = wall(40_000, 0, 0), wall(400, 1, 1)
    sparse["position"][:, 0] += 10.0
    thinned = thin(ThinningRequest((dense, sparse)))
    assert len(thinned.blocks[1]) > 0.9 * len(sparse)  # nothing is given away where there is little
    distance = np.abs(dense["position"][::97, None] - thinned.blocks[0]["position"][None]).max(axis=2)
    assert distance.min(axis=1).max() <= 2 * thinned.voxel_size


def test_the_surest_point_of_a_cube_is_the_one_kept():
    points = wall(3000, 0, 3)
    thinned = thin(ThinningRequest((points,), kept_fraction=0.02))
    assert thinned.blocks[0]["confidence"].mean() > 0.8  # of all points: 0.5
    assert thinned.blocks[0]["confidence"].max() == points["confidence"].max()


def test_a_minimum_voxel_is_kept_and_makes_thinning_idempotent():
    first = thin(ThinningRequest((wall(5000, 0, 0),)))
    again = thin(ThinningRequest(first.blocks, minimum_voxel=first.voxel_size, kept_fraction=1.0))
    assert again.voxel_size == first.voxel_size
    assert len(again.blocks[0]) == len(first.blocks[0])


def test_degenerate_clouds_do_not_break_it():
    same = np.zeros(100, POINT_DTYPE)
    assert len(thin(ThinningRequest((same,))).blocks[0]) == 1
    assert thin(ThinningRequest(())).blocks == ()
    stray = wall(1000, 0, 0)
    stray["position"][0] = 1e9
    stray["position"][1] = np.nan
    assert len(thin(ThinningRequest((stray,))).blocks[0]) == pytest.approx(500, abs=60)


def test_a_cancelled_thinning_has_no_outcome():
    assert thin(ThinningRequest((wall(100, 0, 0),)), is_cancelled=lambda: True) is None


def test_working_in_ranges_changes_nothing(monkeypatch):
    blocks = tuple(wall(5000, frame, frame) for frame in range(4))
    at_once = thin(ThinningRequest(blocks))
    monkeypatch.setattr(thinning, "_RANGE", 700)
    monkeypatch.setattr(thinning, "_SLICE", 90)
    in_ranges = thin(ThinningRequest(blocks))
    for one, other in zip(at_once.blocks, in_ranges.blocks, strict=True):
        np.testing.assert_array_equal(one, other)
