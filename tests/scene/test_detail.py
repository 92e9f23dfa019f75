"""Level of detail: everything when still, a bounded number when moving, strides without stripes."""

from __future__ import annotations

import itertools
import math

import pytest

from zipmap_app.scene.detail import HARDWARE_BUDGET, SOFTWARE_BUDGET, DetailController, Sampling, enlargement
from zipmap_app.state.points import POINT_DTYPE

SOFTWARE = "llvmpipe (LLVM 15.0.6, 256 bits)"


def test_few_points_are_one_part():
    detail = DetailController()
    assert detail.sampling(HARDWARE_BUDGET, is_moving=True) == Sampling()
    assert detail.sampling(0, is_moving=True) == Sampling()


def test_parts_stay_within_the_budget_with_strides_coprime_to_usual_widths():
    detail = DetailController()
    detail.set_renderer(SOFTWARE)
    assert detail.budget == SOFTWARE_BUDGET
    for n_points in range(100_000, 24_000_000, 700_000):
        sampling = detail.sampling(n_points, is_moving=True)
        assert n_points / sampling.n_parts <= SOFTWARE_BUDGET
        for width in (192, 480, 518, 640) if sampling.stride > 7 else ():
            assert math.gcd(sampling.stride, width) == 1, (sampling, width)
        assert sampling.stride * POINT_DTYPE.itemsize <= 2048  # GL_MAX_VERTEX_ATTRIB_STRIDE of many drivers
        # At rest nobody waits for the next picture.
        assert detail.sampling(n_points, is_moving=False).n_parts <= sampling.n_parts


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(3), Sampling(83), Sampling(7, 4), Sampling(1, 6)])
def test_the_parts_are_all_there_is_once(sampling):
    parts = [sampling.part(i) for i in range(sampling.n_parts)]
    places = {(part.phase, part.run) for part in parts}
    assert places == set(itertools.product(range(sampling.stride), range(sampling.skip)))
    assert {(part.stride, part.skip) for part in parts} == {(sampling.stride, sampling.skip)}


def test_the_budget_follows_measured_times_but_not_small_frames():
    detail = DetailController()
    detail.set_renderer(SOFTWARE)
    before = detail.budget
    detail.add_measurement(40.0, before, is_moving=True)
    assert detail.budget == before // 2
    detail.add_measurement(500.0, 10, is_moving=True)
    detail.add_measurement(40.0, 2 * detail.budget, is_moving=False)  # as long as a part at rest may take
    assert detail.budget == before // 2
    detail.add_measurement(10_000.0, detail.budget, is_moving=True)
    assert detail.budget == int(before // 2 * 0.3), "one slow draw is not believed altogether"
    for _ in range(200):
        detail.add_measurement(1000.0, detail.budget, is_moving=True)
    assert detail.budget == 5_000


def test_without_a_gpu_shading_waits_for_the_whole_picture():
    detail = DetailController()
    detail.set_renderer("NVIDIA GeForce RTX 4070/PCIe/SSE2")
    assert detail.allows_shading(is_complete=False)
    detail.set_renderer(SOFTWARE)
    assert not detail.allows_shading(is_complete=False)
    assert detail.allows_shading(is_complete=True)


def test_points_of_a_small_sample_grow_to_close_the_gaps_and_those_of_a_large_one_a_little():
    assert enlargement(500_000, 1, 2.0) == 1.0
    assert enlargement(500_000, 4, 2.0) == pytest.approx(2.0**0.5)
    few, many = enlargement(500_000, 61, 2.0), enlargement(200_000_000, 41, 2.0)
    assert few == pytest.approx((300_000 * 61 / 500_000) ** 0.5 / 2)
    assert many == 2.0
    assert enlargement(10_000, 83, 1.0) == 4.0
