"""Folding messages into what the window shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.app_fakes import answer, make_frame
from zipmap_app.state.commands import CompanionChosen, CompanionProgress
from zipmap_app.state.messages import (
    FrameTimings,
    ModelDownloading,
    ModelLoaded,
    PipelineFault,
    StreamEnded,
)
from zipmap_app.state.queries import QueryRequest
from zipmap_app.state.session import MAX_NOTICES, Notice, RunState, SessionModel, Severity

LOADED = ModelLoaded(name="bundled", device="cpu", supports_query=True, load_s=0.5)


@pytest.fixture
def session() -> SessionModel:
    ticks = iter(np.arange(0, 1000, 0.2))
    return SessionModel(clock=lambda: float(next(ticks)))


def test_a_run_goes_from_idle_through_loading_to_the_end(session):
    states = [session.status.state]
    session.status_changed.connect(lambda status: states.append(status.state))
    session.begin("room.mp4", n_frames_hint=3)
    session.apply(LOADED)
    for i in range(3):
        session.apply(make_frame(i))
    session.apply(StreamEnded(n_frames=3, was_stopped=False, notes=("used 3 of 5 frames",)))
    assert list(dict.fromkeys(states)) == [
        RunState.IDLE,
        RunState.LOADING,
        RunState.RUNNING,
        RunState.ENDED,
    ]
    assert [notice.sentence for notice in session.notices] == ["used 3 of 5 frames"]


def test_a_download_shows_until_the_model_is_there(session):
    session.begin("room.mp4")
    session.apply(ModelDownloading(name="streaming", done_bytes=1, total_bytes=4))
    assert session.status.state is RunState.LOADING
    assert session.status.download == (1, 4)
    session.apply(LOADED)
    assert session.status.download is None


def test_the_numbers_of_the_status(session):
    session.begin("room.mp4")
    session.apply(LOADED)
    for i in range(5):
        session.apply(make_frame(i, n_points=100, n_dropped=i))
    status = session.status
    assert (status.n_frames, status.n_points, status.n_dropped) == (5, 500, 4)
    assert status.ms_per_frame == pytest.approx(100)
    assert status.frames_per_s == pytest.approx(5)
    assert (status.model_name, status.device, status.supports_query) == ("bundled", "cpu", True)
    assert status.answers_itself
    assert session.current_frame is not None
    assert session.current_frame.frame_index == 4


def test_a_slow_first_frame_does_not_linger_in_the_speed(session):
    session.begin("a")
    slow = FrameTimings(wait_ms=0, infer_ms=20_000, pack_ms=0)
    session.apply(replace(make_frame(0), timings=slow))
    for i in range(1, 4):
        session.apply(make_frame(i))
    assert session.status.ms_per_frame == pytest.approx(100)


def test_a_new_run_forgets_the_scene_but_not_the_model(session):
    session.begin("a")
    session.apply(LOADED)
    session.apply(make_frame())
    session.begin("b")
    assert session.status.state is RunState.RUNNING
    assert session.status.supports_query
    assert session.cloud.n_points == len(session.path) == session.status.n_frames == 0
    assert session.current_frame is None


def test_pausing_survives_a_stepped_frame(session):
    session.begin("a")
    session.apply(LOADED)
    session.set_paused(True)
    session.apply(make_frame())
    assert session.status.state is RunState.PAUSED
    session.set_paused(False)
    assert session.status.state is RunState.RUNNING


@pytest.mark.parametrize(
    ("fatal", "state", "severity"),
    [(True, RunState.FAILED, Severity.ERROR), (False, RunState.RUNNING, Severity.WARNING)],
)
def test_only_fatal_faults_end_the_run(session, fatal, state, severity):
    session.begin("a")
    session.apply(LOADED)
    session.apply(make_frame())
    session.apply(PipelineFault("b.jpg was skipped", "trace", fatal=fatal))
    assert session.status.state is state
    assert session.notices[-1] == Notice("b.jpg was skipped", "trace", severity)
    if fatal:  # the end of the stream that follows does not hide the failure
        session.apply(StreamEnded(n_frames=1, was_stopped=False))
        assert session.status.state is RunState.FAILED


def test_a_run_that_never_gave_a_frame_leaves_an_empty_window(session):
    session.begin("a")
    session.apply(PipelineFault("no model"))
    assert session.status.state is RunState.IDLE


def test_notices_are_bounded_and_queries_are_kept(session):
    for i in range(MAX_NOTICES + 10):
        session.apply(PipelineFault(f"{i}", fatal=False))
    assert len(session.notices) == MAX_NOTICES
    request = QueryRequest(7, np.eye(4), np.eye(3), (4, 6))
    session.apply(answer(request))
    assert session.latest_query is not None
    assert session.latest_query.query_id == 7


def test_a_companion_answers_for_a_model_that_cannot(session):
    progress = []
    session.companion_progressed.connect(progress.append)
    session.apply(CompanionChosen("state_query"))
    assert not session.status.supports_query  # nothing is loaded yet
    session.apply(ModelLoaded(name="streaming", device="cpu", supports_query=False, load_s=0.5))
    assert session.status.supports_query
    session.begin("next.mp4")
    assert (session.status.companion, session.status.answers_itself) == ("state_query", False)
    session.apply(CompanionProgress(2, 4))
    session.apply(CompanionChosen(None))
    assert not session.status.supports_query
    assert progress == [None, CompanionProgress(2, 4), None]  # what one has seen is no word about another
