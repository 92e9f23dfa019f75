"""Level of detail: everything when still, a bounded number when moving, strides without stripes."""

from __future__ import annotations

import math

from zipmap_app.scene.detail import HARDWARE_BUDGET, SOFTWARE_BUDGET, DetailController
from zipmap_app.state.points import POINT_DTYPE


def test_everything_is_drawn_when_still_or_few():
    detail = DetailController()
    assert detail.stride(50_000_000, is_moving=False) == 1
    assert detail.stride(HARDWARE_BUDGET, is_moving=True) == 1


def test_moving_stays_within_the_budget_with_strides_coprime_to_usual_widths():
    detail = DetailController()
    detail.set_renderer("llvmpipe (LLVM 15.0.6, 256 bits)")
    assert detail.budget == SOFTWARE_BUDGET
    for n_points in range(400_000, 24_000_000, 700_000):
        stride = detail.stride(n_points, is_moving=True)
        assert n_points / stride <= SOFTWARE_BUDGET
        for width in (192, 480, 518, 640) if stride > 7 else ():
            assert math.gcd(stride, width) == 1, (stride, width)
        assert stride * POINT_DTYPE.itemsize <= 2048  # GL_MAX_VERTEX_ATTRIB_STRIDE of many drivers


def test_where_the_largest_stride_draws_too_many_whole_runs_are_skipped():
    detail = DetailController()
    detail.set_renderer("llvmpipe (LLVM 15.0.6, 256 bits)")
    assert detail.skip(0, is_moving=True) == 1
    assert detail.skip(20_000_000, is_moving=True) == 1
    assert detail.skip(60_000_000, is_moving=True) == 3
    assert detail.skip(60_000_000, is_moving=False) == 1


def test_the_budget_follows_measured_times_but_not_small_frames():
    detail = DetailController()
    detail.set_renderer("llvmpipe (LLVM 15.0.6, 256 bits)")
    before = detail.budget
    detail.add_measurement(50.0, before)
    assert detail.budget == before // 2
    detail.add_measurement(500.0, 10)
    assert detail.budget == before // 2
    detail.add_measurement(10_000.0, detail.budget)
    assert detail.budget == int(before // 2 * 0.3), "one slow draw is not believed altogether"
    for _ in range(200):
        detail.add_measurement(1000.0, detail.budget)
    assert detail.budget == 30_000


def test_shading_waits_for_rest_only_without_a_gpu():
    detail = DetailController()
    detail.set_renderer("NVIDIA GeForce RTX 4070/PCIe/SSE2")
    assert detail.allows_shading(is_moving=True)
    detail.set_renderer("llvmpipe (LLVM 15.0.6, 256 bits)")
    assert not detail.allows_shading(is_moving=True)
    assert detail.allows_shading(is_moving=False)
