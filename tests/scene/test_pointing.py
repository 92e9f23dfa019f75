"""What clicks and drags in the scene say, in a turned stage as in the plain one; marks, ghost and flight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from tests.app_fakes import make_frame, make_points
from tests.scene.view_support import SIZE, click, drag, hover, picture_of, pixel_of
from zipmap_app.scene.coordinates import frustum_segments
from zipmap_app.scene.gizmo import Handle, HandleKind
from zipmap_app.scene.marks import Segment
from zipmap_app.scene.orbit import OrbitPose
from zipmap_app.state.alignment import Alignment
from zipmap_app.state.appearance import Appearance, ClipBox, ShownFrames
from zipmap_app.state.points import QUERIED_FRAME

POINT = np.array([0.2, 0.1, 1.7])
BEHIND = POINT + np.array([0.0, 0, 3])
TILT = Alignment().with_up(np.array([0.3, -1.0, 0.2]))
INTRINSICS = np.array([[200.0, 0, 160], [0, 200.0, 120], [0, 0, 1]])


@pytest.fixture
def scene(view, session):
    session.cloud.append(make_points(np.array([POINT, BEHIND])))
    view.set_grid_visible(False)
    view.camera.pose = OrbitPose(np.array([0.0, 0, 2]), 2.0, azimuth_rad=0.2)
    return view


@pytest.mark.parametrize("alignment", [Alignment(), TILT])
def test_a_click_gives_the_drawn_point_in_the_models_world(qtbot, scene, alignment):
    picked = []
    scene.point_picked.connect(picked.append)
    scene.set_alignment(alignment)
    click(qtbot, scene, pixel_of(scene, POINT))
    assert picked == []  # the tool is off
    scene.set_picking(True)
    assert scene.native.cursor().shape() == Qt.CursorShape.CrossCursor
    click(qtbot, scene, pixel_of(scene, POINT))
    np.testing.assert_allclose(picked[0], POINT, atol=0.02)
    click(qtbot, scene, QPoint(5, 5))
    drag(qtbot, scene, pixel_of(scene, POINT), pixel_of(scene, POINT) + QPoint(30, 0))
    assert len(picked) == 1
    scene.set_picking(False)
    assert scene.native.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_only_what_is_drawn_is_picked(scene, session):
    x, y = pixel_of(scene, POINT).toTuple()
    behind = pixel_of(scene, BEHIND).toTuple()
    scene.set_appearance(Appearance(clip_box=ClipBox((-9, -9, 3), (9, 9, 9))))
    assert scene.point_under(x, y) is None
    assert scene.point_under(*behind)[2] == pytest.approx(4.7, abs=0.02)
    scene.set_appearance(Appearance(is_shaded=False))
    assert scene.point_under(x, y)[2] == pytest.approx(1.7, abs=0.02)
    session.cloud.clear()
    assert scene.point_under(x, y) is None


def test_queried_points_can_be_picked_and_never_hide_by_frame_or_confidence(scene, session):
    asked = make_points(np.array([[-0.3, 0.0, 1.5]]), rgb=(0, 0, 255), confidence=0.0)
    asked["frame"] = QUERIED_FRAME
    session.queried.append(asked)
    scene.set_appearance(Appearance(hidden_fraction=1.0, size_px=6, is_attenuated=False))
    place = pixel_of(scene, np.array([-0.3, 0.0, 1.5]))
    red, _, _ = picture_of(scene)[place.y(), place.x()]
    assert red > 130  # the reserved tint
    assert scene.point_under(*place.toTuple())[2] == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize("alignment", [Alignment(), TILT])
def test_the_pose_that_is_asked_is_the_pose_that_is_drawn(scene, alignment):
    """Turned or not: a point projected with the reported pose lies on its drawn pixel."""
    scene.set_appearance(Appearance(size_px=3, is_attenuated=False))
    scene.set_alignment(alignment)
    in_camera = np.linalg.inv(scene.view_pose()) @ np.append(POINT, 1)
    expected = in_camera[:2] / in_camera[2] * scene.camera.view_focal_px + np.array(SIZE) / 2 - 0.5
    rows, columns = np.nonzero((picture_of(scene) == (255, 0, 0)).all(axis=2))
    near = np.hypot(columns - expected[0], rows - expected[1]) < 5
    np.testing.assert_allclose([columns[near].mean(), rows[near].mean()], expected, atol=0.8)


def test_turning_the_stage_keeps_the_eye_in_the_world_and_levels_the_view(scene):
    before = scene.view_pose()
    scene.set_alignment(TILT)
    after = scene.view_pose()
    np.testing.assert_allclose(after[:3, 3], before[:3, 3], atol=1e-12)
    np.testing.assert_allclose(after[:3, 2], before[:3, 2], atol=1e-12)
    up = TILT.stage_from_world.T @ (0, -1, 0)
    assert abs(after[:3, 0] @ up) < 1e-12
    scene.set_alignment(Alignment())
    np.testing.assert_allclose(scene.view_pose(), before, atol=1e-12)


def test_the_drawn_ghost_covers_exactly_the_rays_that_are_queried():
    pose = np.eye(4)
    pose[:3, 3] = (0.4, -0.1, 0.5)
    segments = frustum_segments(pose, INTRINSICS, (240, 320), 1.5)
    corners = segments[[1, 3, 5, 7]] - pose[:3, 3]
    pixels = corners @ INTRINSICS.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    np.testing.assert_allclose(
        pixels, [[-0.5, -0.5], [319.5, -0.5], [319.5, 239.5], [-0.5, 239.5]], atol=1e-4
    )


@pytest.fixture
def ghost_scene(scene):
    """A ghost that its owner moves as the scene asks, as the application does."""
    pose = np.eye(4)
    pose[:3, 3] = (0.0, 0.0, 1.2)
    scene.poses, scene.releases = [pose], []

    def show(moved: np.ndarray) -> None:
        scene.poses.append(moved)
        scene.show_ghost(moved, INTRINSICS, (240, 320))

    scene.ghost_dragged.connect(show)
    scene.ghost_released.connect(lambda: scene.releases.append(True))
    scene.show_ghost(pose, INTRINSICS, (240, 320))
    return scene


@pytest.mark.parametrize("alignment", [Alignment(), TILT])
def test_dragging_an_arrow_moves_the_ghost_under_the_mouse(qtbot, ghost_scene, alignment):
    ghost_scene.set_alignment(alignment)
    gizmo = ghost_scene._ghost.gizmo
    arrow = Handle(HandleKind.MOVE, 0)
    start, goal = gizmo.eye + 0.6 * gizmo.length * gizmo.axis(arrow), None
    goal = start + 0.25 * gizmo.axis(arrow)
    view_before = ghost_scene.view_pose()
    drag(qtbot, ghost_scene, pixel_of(ghost_scene, start), pixel_of(ghost_scene, goal))
    assert len(ghost_scene.poses) >= 3  # all along the way
    np.testing.assert_allclose(ghost_scene.poses[-1][:3, 3], (0.25, 0, 1.2), atol=0.02)
    np.testing.assert_array_equal(ghost_scene.poses[-1][1:3, 3], (0, 1.2))
    assert ghost_scene.releases == [True]
    np.testing.assert_array_equal(ghost_scene.view_pose(), view_before)


def test_the_handle_under_the_mouse_lights_up_and_empty_space_orbits(qtbot, ghost_scene):
    gizmo = ghost_scene._ghost.gizmo
    tip = gizmo.eye + 0.9 * gizmo.length * gizmo.axis(Handle(HandleKind.MOVE, 1))
    hover(qtbot, ghost_scene, pixel_of(ghost_scene, tip))
    assert ghost_scene._ghost._hovered == Handle(HandleKind.MOVE, 1)
    hover(qtbot, ghost_scene, QPoint(5, 5))
    assert ghost_scene._ghost._hovered is None
    before = ghost_scene.view_pose()
    drag(qtbot, ghost_scene, QPoint(5, 5), QPoint(45, 5))
    assert (ghost_scene.view_pose() != before).any()
    ghost_scene.hide_ghost()
    assert ghost_scene._ghost.gizmo is None


def test_the_handles_keep_their_size_on_the_screen(ghost_scene):
    def length_px() -> float:
        gizmo = ghost_scene._ghost.gizmo
        right = ghost_scene.view_pose()[:3, 0]
        pixels, _ = ghost_scene._stage.project(np.array([gizmo.eye, gizmo.eye + gizmo.length * right]))
        return float(np.linalg.norm(pixels[1] - pixels[0]))

    near = length_px()
    ghost_scene.camera.pose = OrbitPose(np.array([0.0, 0, 2]), 9.0)
    assert length_px() == pytest.approx(near, rel=1e-6)


def test_marks_are_drawn_over_everything_and_can_be_taken_away(scene, session):
    plain = picture_of(scene)
    a, b = np.array([-0.3, 0.2, 5.0]), np.array([0.3, 0.2, 5.0])  # behind the nearer point's depth
    scene.show_marks(np.array([[0.0, -0.2, 5.0]]), (Segment(a, b, "60 cm"),))
    marked = picture_of(scene)
    dot = pixel_of(scene, np.array([0.0, -0.2, 5.0]))
    assert (marked[dot.y(), dot.x()] != plain[dot.y(), dot.x()]).any()
    middle = pixel_of(scene, (a + b) / 2)
    label = marked[middle.y() - 24 : middle.y() - 4, middle.x() - 30 : middle.x() + 30]
    assert label.max() > 230  # white letters
    scene.show_marks(np.zeros((0, 3)))
    np.testing.assert_array_equal(picture_of(scene), plain)


def test_a_flight_is_shown_and_hidden(scene):
    plain = picture_of(scene)
    samples = np.tile(np.eye(4), (20, 1, 1))
    samples[:, 0, 3], samples[:, 2, 3] = np.linspace(-0.5, 0.5, 20), 2.0
    scene.show_flight(samples, samples[[0, -1]])
    assert (picture_of(scene) != plain).any(axis=2).sum() > 60
    scene.show_flight(np.zeros((0, 4, 4)), np.zeros((0, 4, 4)))
    np.testing.assert_array_equal(picture_of(scene), plain)


def test_frames_can_be_limited_by_the_cursor(view, session):
    session.begin("x")
    for i in range(3):
        frame = make_frame(i)
        points = frame.points.copy()
        points["frame"] = i
        session.cloud.append(points)
        session.path.append(i, 0.0, frame.world_from_camera)
        session.history.append(frame)
    view.set_appearance(Appearance(shown_frames=ShownFrames.PAST))
    view.set_cursor(1)
    assert (view.points.style.first_frame, view.points.style.last_frame) == (float("-inf"), 1.5)
    view.set_appearance(Appearance(shown_frames=ShownFrames.CURRENT))
    assert (view.points.style.first_frame, view.points.style.last_frame) == (0.5, 1.5)
    view.set_cursor(None)
    assert (view.points.style.first_frame, view.points.style.last_frame) == (1.5, 2.5)
    view.set_appearance(Appearance())
    assert view.points.style.last_frame == float("inf")


def test_a_frame_without_points_shows_those_of_the_keyframe_before(view, session):
    for i in range(5):
        is_keyframe = i in (1, 3)
        frame = make_frame(i, n_points=200 if is_keyframe else 0)
        session.apply(replace(frame, is_keyframe=is_keyframe))
    view.set_appearance(Appearance(shown_frames=ShownFrames.CURRENT))
    shown = []
    for position in range(5):
        view.set_cursor(position)
        shown.append(view.points.style.first_frame + 0.5)
    assert shown == [0, 1, 1, 3, 3]  # before the first keyframe there is nothing to show
    view.set_appearance(Appearance(shown_frames=ShownFrames.PAST))
    assert view.points.style.last_frame == 4.5


def test_a_frame_with_points_shows_its_own_though_it_is_no_keyframe(view, session):
    for i in range(2):
        session.apply(replace(make_frame(i), is_keyframe=i == 0))
    view.set_appearance(Appearance(shown_frames=ShownFrames.CURRENT))
    view.set_cursor(1)
    assert (view.points.style.first_frame, view.points.style.last_frame) == (0.5, 1.5)
