"""The line at the bottom."""

from __future__ import annotations

import pytest

from zipmap_app.state.session import RunState, SessionStatus
from zipmap_app.ui.status_bar import StatusBar, count_text


@pytest.mark.parametrize(("n", "text"), [(0, "0"), (1234, "1,234"), (1_240_000, "1.24 M")])
def test_counts_are_readable(n, text):
    assert count_text(n) == text


def test_a_header_that_lies_never_overfills_the_bar(qtbot):
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show_status(SessionStatus(state=RunState.RUNNING, source_name="a", n_frames_hint=5, n_frames=9))
    assert bar._run_bar.value() == bar._run_bar.maximum() == 9
    assert "9 / 5" in bar._frames.text()


def test_a_job_can_be_cancelled(qtbot):
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show()
    bar.show_job("Saving", 0.5)
    assert bar._job_bar.isVisible()
    with qtbot.waitSignal(bar.cancel_requested):
        bar._cancel.click()
    bar.hide_job()
    assert not bar._cancel.isVisible()
