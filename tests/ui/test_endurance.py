"""A stream of many frames through the whole window with very little memory."""

from __future__ import annotations

import pytest

from zipmap_app.benchmarks.endurance import EnduranceOptions, run_endurance


@pytest.mark.timeout(240)
def test_a_long_stream_stays_within_its_budget_and_leaves_nothing(qapp):
    options = EnduranceOptions(n_frames=400, budget_bytes=96 * 2**20)
    result = run_endurance(options)
    assert result.n_frames == options.n_frames
    assert result.largest_use_bytes <= options.budget_bytes
    assert result.threads_left == ()
    assert result.timers_left == 0
    assert result.gl_objects_left == 0
