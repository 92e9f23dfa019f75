"""The line at the bottom."""

from __future__ import annotations

import pytest

from zipmap_app.state.commands import CompanionProgress
from zipmap_app.state.memory import MemoryBudget, MemoryUse
from zipmap_app.state.session import RunState, SessionStatus
from zipmap_app.ui.status_bar import StatusBar, count_text, memory_text


@pytest.mark.parametrize(("n", "text"), [(0, "0"), (1234, "1,234"), (1_240_000, "1.24 M")])
def test_counts_are_readable(n, text):
    assert count_text(n) == text


def test_a_header_that_lies_never_overfills_the_bar(qtbot):
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show_status(SessionStatus(state=RunState.RUNNING, source_name="a", n_frames_hint=5, n_frames=9))
    assert bar._run_line.fraction == 1.0
    assert "9 / 5" in bar._frames.text()


def test_numbers_that_change_with_every_frame_are_shown_in_a_while_and_states_at_once(qtbot):
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show_status(SessionStatus(state=RunState.RUNNING, source_name="a", n_frames=1))
    bar.show_status(SessionStatus(state=RunState.RUNNING, source_name="a", n_frames=2))
    assert bar._frames.text() == "1 frames"
    qtbot.waitUntil(lambda: bar._frames.text() == "2 frames")
    bar.show_status(SessionStatus(state=RunState.PAUSED, source_name="a", n_frames=3))
    assert bar._state.text() == "Paused"
    assert bar._frames.text() == "3 frames"


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


@pytest.mark.parametrize(
    ("used", "total", "text"),
    [(1_240_000_000, 4_000_000_000, "1.2 of 4.0 GB"), (30_000_000, 500_000_000, "30 of 500 MB")],
)
def test_memory_is_readable(used, total, text):
    assert memory_text(used, total) == text


def test_memory_thinning_and_the_companion_show_only_when_there_is_something_to_say(qtbot):
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.resize(900, 35)
    bar.show()
    budget = MemoryBudget(2**30)
    labels = (bar._memory, bar._thinned, bar._companion)
    assert not any(label.isVisible() for label in labels)
    bar.show_memory(MemoryUse(points_bytes=2**29), budget)
    bar.show_thinning("2.1 cm")
    bar.show_companion(CompanionProgress(n_done=3, n_kept=9))
    assert [label.text() for label in labels] == ["0.5 of 1.1 GB", "thinned to 2.1 cm", "query model 3 / 9"]
    assert all(label.isVisible() for label in labels)
    bar.show_memory(MemoryUse(), budget)
    bar.show_thinning("")
    bar.show_companion(CompanionProgress(n_done=9, n_kept=9))
    assert not any(label.isVisible() for label in labels)


def test_what_matters_least_gives_way_in_a_narrow_window(qtbot):
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.resize(2000, 35)
    bar.show()
    bar.show_status(
        SessionStatus(
            state=RunState.RUNNING, source_name="room.mp4", n_frames=8, n_points=900, model_name="bundled"
        )
    )
    assert bar._model.isVisible()
    bar.resize(330, 35)
    assert bar.width() == 330
    assert not bar._model.isVisible()
    assert bar._state.isVisible()
    assert bar._frames.isVisible()
    bar.resize(2000, 35)
    assert bar._model.isVisible()
