"""Commands from the window to the pipeline and back, with real threads and a fake engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings

from tests.pipeline_fakes import FakeEngine
from zipmap_app.cli import parse
from zipmap_app.desktop.composition import Desktop
from zipmap_app.pipeline.options import TrackingOptions
from zipmap_app.sources.opening import open_source
from zipmap_app.state.flight import FlightContent, FlightSettings
from zipmap_app.state.ghost import GhostView
from zipmap_app.state.queries import LIVE_STATE
from zipmap_app.state.run_settings import RunSettings
from zipmap_app.state.session import RunState
from zipmap_app.ui.flight_order import FlightOrder

N_FRAMES = 8


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def desktop(qtbot, tmp_path: Path, engine: FakeEngine) -> Iterator[Desktop]:
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    desktop = Desktop(parse(["--max-frames", str(N_FRAMES)]), settings, engine)
    qtbot.addWidget(desktop.window)
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)
    yield desktop
    desktop.window.close()


def wait_for(qtbot, condition: Callable[[], bool]) -> None:
    qtbot.waitUntil(condition, timeout=20_000)


def counts(desktop: Desktop) -> set[int]:
    """All counts of frames there are: one, if they agree."""
    session = desktop.session
    return {
        session.status.n_frames,
        len(session.path),
        len(session.history),
        session.timeline.n_frames,
        len({int(block["frame"][0]) for block in session.cloud.blocks()}),
    }


def two_views() -> tuple[GhostView, GhostView]:
    pose = np.eye(4)
    pose[0, 3] = 1
    intrinsics = np.array([[30.0, 0, 16], [0, 30.0, 12], [0, 0, 1]])
    first = GhostView(np.eye(4), intrinsics, (24, 32))
    return first, first.with_pose(pose)


def test_going_back_and_on_ends_where_it_would_have_ended(qtbot, desktop: Desktop) -> None:
    poses = desktop.session.path.world_from_camera.copy()
    desktop.commands.rewind(3)
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.PAUSED)
    assert counts(desktop) == {3}
    desktop.runner.step()
    wait_for(qtbot, lambda: desktop.session.status.n_frames == 4)
    desktop.window.requests.resume.emit()
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)
    assert counts(desktop) == {N_FRAMES}
    assert np.array_equal(desktop.session.path.world_from_camera, poses)


def test_undo_brings_the_cut_frames_back(qtbot, desktop: Desktop) -> None:
    desktop.commands.rewind(3)
    wait_for(qtbot, lambda: counts(desktop) == {3})
    desktop.session.undo.undo()
    wait_for(qtbot, lambda: counts(desktop) == {N_FRAMES})
    desktop.session.undo.redo()
    wait_for(qtbot, lambda: counts(desktop) == {3})


def test_a_rewind_that_cannot_be_says_why_and_changes_nothing(qtbot, desktop: Desktop) -> None:
    desktop.commands.rewind(99)
    wait_for(qtbot, lambda: bool(desktop.session.notices))
    assert counts(desktop) == {N_FRAMES}
    assert not desktop.session.undo.is_blocked


def test_finalising_swaps_the_scene_and_undo_swaps_it_back(qtbot, desktop: Desktop) -> None:
    poses = desktop.session.path.world_from_camera.copy()
    desktop.commands.finalise()
    wait_for(qtbot, lambda: desktop.session.undo.undo_label == "finalising")
    assert len(desktop.session.path) == N_FRAMES
    desktop.session.undo.undo()
    assert np.array_equal(desktop.session.path.world_from_camera, poses)


def test_a_flight_becomes_a_video(qtbot, desktop: Desktop, tmp_path: Path) -> None:
    desktop.session.flight.set_settings(FlightSettings(seconds_per_leg=0.5, frames_per_s=20))
    desktop.session.flight.set_keys(two_views())
    path = tmp_path / "flight.mp4"
    desktop.record_flight(FlightOrder(path, FlightContent.BOTH, 20, LIVE_STATE))
    wait_for(qtbot, lambda: any("Saved 11 views" in notice.sentence for notice in desktop.session.notices))
    source = open_source(str(path))
    n_read = 0
    while source.read() is not None:
        n_read += 1
    source.close()
    assert n_read == 11


def test_a_flight_that_cannot_be_written_says_so(qtbot, desktop: Desktop, tmp_path: Path) -> None:
    desktop.session.flight.set_keys(two_views())
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    desktop.record_flight(FlightOrder(blocked / "flight.mp4", FlightContent.RGB, 24, LIVE_STATE))
    wait_for(
        qtbot, lambda: any("could not be written" in notice.sentence for notice in desktop.session.notices)
    )


def test_an_answer_becomes_points_that_can_be_undone(qtbot, desktop: Desktop) -> None:
    n_seen = desktop.session.cloud.n_points
    desktop.session.ghost.place(two_views()[1])
    desktop.window.asker.ask()
    wait_for(qtbot, lambda: desktop.session.latest_query is not None)
    assert desktop.session.latest_query is not None
    desktop.add_points(desktop.session.latest_query)
    assert desktop.session.queried.n_points > 100
    assert desktop.session.cloud.n_points == n_seen
    desktop.session.undo.undo()
    assert desktop.session.queried.n_points == 0


def test_states_are_forked_saved_opened_and_forgotten(qtbot, desktop: Desktop, tmp_path: Path) -> None:
    desktop.commands.fork_state(0, "before")
    wait_for(qtbot, lambda: len(desktop.session.states) == 1)
    path = tmp_path / "scene.state"
    desktop.commands.save_state(desktop.session.states[0].state_id, path)
    wait_for(qtbot, path.exists)
    desktop.commands.open_state(path)
    wait_for(qtbot, lambda: len(desktop.session.states) == 2)
    desktop.commands.drop_state(desktop.session.states[0].state_id)
    wait_for(qtbot, lambda: len(desktop.session.states) == 1)
    assert desktop.session.states[0].n_frames == N_FRAMES


def test_settings_reach_the_engine(qtbot, desktop: Desktop, engine: FakeEngine) -> None:
    desktop.window.requests.settings.emit(
        RunSettings(leaves_out_sky=True, has_keyframe_points_only=True, has_assist=False, fov_x_deg=70.0)
    )
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.RUNNING)
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)
    assert engine.packing.masks.sky
    assert engine.packing.points_from == "keyframes"
    assert engine.tracking == TrackingOptions(has_assist=False, fov_deg=70.0)
