"""Edits of the scene, and taking them back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.app_fakes import make_frame, make_points
from zipmap_app.state.commands import RefinedFrame, RunRewound, SceneRefined
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.messages import FrameResult, ModelLoaded
from zipmap_app.state.session import RunState, SessionModel
from zipmap_app.state.tools import Measurement


def frame_at(position: int) -> FrameResult:
    frame = make_frame(position, n_points=10)
    points = frame.points.copy()
    points["frame"] = position
    return replace(frame, points=points, position=position)


@pytest.fixture
def session() -> SessionModel:
    session = SessionModel()
    session.begin("room.mp4")
    session.apply(ModelLoaded("bundled", "cpu", True, 0.1))
    for position in range(6):
        session.apply(frame_at(position))
    return session


@pytest.fixture
def editor(session: SessionModel) -> SceneEditor:
    return SceneEditor(session)


def frames_of(session: SessionModel) -> set[int]:
    return {int(place) for block in session.cloud.blocks() for place in np.unique(block["frame"])}


def counts(session: SessionModel) -> tuple[int, int, int, int]:
    return (len(session.path), len(session.history), session.timeline.n_frames, session.status.n_frames)


def test_rewinding_cuts_everything_of_the_later_frames(session: SessionModel, editor: SceneEditor) -> None:
    session.timeline.seek(2)
    session.apply(RunRewound(3, can_continue=True))
    assert counts(session) == (3, 3, 3, 3)
    assert frames_of(session) == {0, 1, 2}
    assert session.status.state is RunState.PAUSED
    assert session.current_frame is not None
    assert session.current_frame.position == 2
    assert session.timeline.cursor is None
    session.apply(frame_at(3))
    assert counts(session) == (4, 4, 4, 4)


def test_undoing_a_rewind_waits_for_the_pipeline_and_brings_all_back(
    session: SessionModel, editor: SceneEditor
) -> None:
    asked: list[str] = []
    editor.rewind_undo_wanted.connect(lambda: asked.append("undo"))
    editor.rewind_wanted.connect(lambda n_frames: asked.append(f"rewind {n_frames}"))
    poses = session.path.world_from_camera.copy()
    session.apply(RunRewound(3, can_continue=True))
    session.apply(frame_at(3))  # it went on from there
    session.undo.undo()
    assert asked == ["undo"]
    assert counts(session) == (4, 4, 4, 4), "nothing moves before the pipeline has"
    session.undo.undo()
    assert asked == ["undo"], "one thing at a time"
    session.apply(RunRewound(6, can_continue=True))
    assert counts(session) == (6, 6, 6, 6)
    assert frames_of(session) == {0, 1, 2, 3, 4, 5}
    assert np.array_equal(session.path.world_from_camera, poses)
    session.undo.redo()
    assert asked == ["undo", "rewind 3"]
    session.apply(RunRewound(3, can_continue=True))
    assert counts(session) == (3, 3, 3, 3)
    assert session.undo.undo_label == "going back"
    session.undo.undo()
    assert session.undo.undo_label is None, "the redone step is there once"


def test_a_rewind_that_failed_leaves_the_next_undo_free(session: SessionModel, editor: SceneEditor) -> None:
    session.apply(RunRewound(3, can_continue=True))
    session.undo.undo()
    editor.rewind_failed()
    assert not session.undo.is_blocked
    assert counts(session) == (3, 3, 3, 3)


def test_a_run_that_cannot_go_on_says_so(session: SessionModel, editor: SceneEditor) -> None:
    session.apply(RunRewound(2, can_continue=False))
    assert session.status.state is RunState.ENDED


def refined(n_frames: int) -> SceneRefined:
    cameras = np.tile(np.eye(4), (n_frames, 1, 1))
    cameras[:, 2, 3] = 5 + np.arange(n_frames)
    kept = range(0, n_frames, 2)
    frames = []
    for position in kept:
        points = make_points(np.full((4, 3), 9.0))
        points["frame"] = position
        depth = np.ones((24, 32), np.float32)
        frames.append(
            RefinedFrame(position, cameras[position].copy(), np.eye(3), points, depth, depth.copy())
        )
    return SceneRefined(tuple(frames), cameras)


def test_finalising_swaps_cameras_and_points_and_can_be_compared(
    session: SessionModel, editor: SceneEditor
) -> None:
    shown: list[bool | None] = []
    editor.refined_changed.connect(shown.append)
    poses = session.path.world_from_camera.copy()
    n_points = session.cloud.n_points
    session.apply(refined(6))
    assert session.path.world_from_camera[3, 2, 3] == 8
    assert session.history[3].world_from_camera[2, 3] == 8
    assert session.cloud.n_points == 12
    session.undo.undo()
    assert np.array_equal(session.path.world_from_camera, poses)
    assert session.cloud.n_points == n_points
    session.undo.redo()
    assert session.cloud.n_points == 12
    assert shown == [True, False, True]


def test_frames_that_came_during_the_pass_stay(session: SessionModel, editor: SceneEditor) -> None:
    session.apply(refined(4))
    assert len(session.path) == 6
    assert session.path.world_from_camera[5, 0, 3] == pytest.approx(0.5)
    assert frames_of(session) == {0, 2, 4, 5}
    session.apply(frame_at(6))
    session.undo.undo()
    assert frames_of(session) == {0, 1, 2, 3, 4, 5, 6}
    assert len(session.path) == 7


def test_a_pass_over_frames_that_are_gone_is_ignored(session: SessionModel, editor: SceneEditor) -> None:
    session.apply(RunRewound(2, can_continue=True))
    session.apply(refined(6))
    assert len(session.path) == 2


def test_up_and_scale_can_be_undone(session: SessionModel, editor: SceneEditor) -> None:
    editor.align_up(np.array([1.0, 0, 0]))
    editor.set_length(2.0, 1.0)
    assert session.alignment.value.metres_per_unit == pytest.approx(0.5)
    session.undo.undo()
    assert session.alignment.value.metres_per_unit is None
    assert np.allclose(session.alignment.value.stage_from_world @ [1, 0, 0], [0, -1, 0])
    session.undo.undo()
    assert np.allclose(session.alignment.value.stage_from_world, np.eye(3))
    with pytest.raises(ValueError, match="positive"):
        editor.set_length(0.0, 1.0)
    assert session.undo.undo_label is None, "what was refused leaves no step"


def test_predicted_points_stay_apart_and_can_be_undone(session: SessionModel, editor: SceneEditor) -> None:
    n_seen = session.cloud.n_points
    editor.add_queried_points(make_points(np.zeros((5, 3))))
    editor.add_queried_points(make_points(np.ones((7, 3))))
    assert (session.cloud.n_points, session.queried.n_points) == (n_seen, 12)
    session.undo.undo()
    assert session.queried.n_points == 5
    session.undo.redo()
    assert session.queried.n_points == 12
    editor.clear_queried_points()
    assert session.queried.n_points == 0
    session.undo.undo()
    assert session.queried.n_points == 12


def test_measurements_can_be_undone(session: SessionModel, editor: SceneEditor) -> None:
    first, second = (Measurement(np.zeros(3), np.full(3, float(i))) for i in (1, 2))
    editor.add_measurement(first)
    editor.add_measurement(second)
    editor.remove_measurements((second,))
    assert session.tools.measurements == (second,)
    session.undo.undo()
    assert session.tools.measurements == (first, second)


def test_a_new_run_forgets_all_edits(session: SessionModel, editor: SceneEditor) -> None:
    editor.align_up(np.array([1.0, 0, 0]))
    session.begin("next.mp4")
    assert session.undo.undo_label is None
    assert np.allclose(session.alignment.value.stage_from_world, np.eye(3))
    assert session.timeline.n_frames == 0


def test_a_closed_editor_hears_nothing(session: SessionModel, editor: SceneEditor) -> None:
    editor.close()
    session.apply(RunRewound(2, can_continue=True))
    assert len(session.path) == 6
