"""Getting around: glides, preset views, looking through cameras, flying and following."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication

from tests.app_fakes import HEIGHT, WIDTH, make_frame
from tests.scene.view_support import SIZE, drag, settle
from zipmap_app.scene.motion import FlyKeys, Glide
from zipmap_app.scene.navigation import ViewDirection
from zipmap_app.scene.orbit import OrbitPose

POSE = OrbitPose(np.array([0.5, 0.0, 2.0]), 2.0, azimuth_rad=0.3, elevation_rad=0.2)


@pytest.fixture
def scene(view, session):
    session.begin("x")
    for i in range(4):
        session.apply(make_frame(10 * i))
    return view


def tilted(roll: float) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    pose[:3, 3] = (0.3, -0.4, 0.2)
    return pose


def test_a_glide_starts_and_ends_exactly_and_is_short():
    glide = Glide(POSE, OrbitPose(np.zeros(3), 5.0), start_s=10.0)
    np.testing.assert_allclose(glide.pose_at(10.0).pivot, POSE.pivot)
    assert glide.pose_at(10.3) is glide.goal
    assert glide.is_over(10.3)
    assert 2.0 < glide.pose_at(10.14).distance < 5.0


@pytest.mark.parametrize("roll", [0.0, 0.5, -2.0])
def test_looking_through_a_camera_is_standing_exactly_there(qtbot, scene, roll):
    intrinsics = np.array([[30.0, 0, WIDTH / 2], [0, 30.0, HEIGHT / 2], [0, 0, 1]])
    scene.look_through(tilted(roll), intrinsics, (HEIGHT, WIDTH))
    settle(qtbot, scene)
    np.testing.assert_allclose(scene.view_pose(), tilted(roll), atol=1e-12)
    magnification = min(SIZE[0] / WIDTH, SIZE[1] / HEIGHT)
    assert scene.camera.view_focal_px == pytest.approx(30.0 * magnification)


def test_a_drag_brings_a_tilted_view_upright_and_ends_a_glide(qtbot, scene):
    scene.look_through(tilted(0.5), np.diag([30.0, 30, 1]), (HEIGHT, WIDTH))
    settle(qtbot, scene)
    for _ in range(8):
        drag(qtbot, scene, QPoint(200, 150), QPoint(215, 150))
    assert abs(scene.camera.pose.roll_rad) < 0.05
    scene.frame_scene()
    drag(qtbot, scene, QPoint(200, 150), QPoint(215, 150))
    settle(qtbot, scene)
    assert not scene._navigation.is_moving


@pytest.mark.parametrize(
    ("direction", "forward"),
    [
        (ViewDirection.FRONT, (0, 0, 1)),
        (ViewDirection.RIGHT, (-1, 0, 0)),
        (ViewDirection.TOP, (0, 1, 0)),
    ],
)
def test_preset_views_look_where_they_say(qtbot, scene, direction, forward):
    scene.set_view(direction)
    settle(qtbot, scene)
    assert scene.view_pose()[:3, 2] @ np.array(forward) > 0.999
    extent = scene._framing.extent()
    pixels, depths = scene._stage.project(np.array([extent.centre]))
    np.testing.assert_allclose(pixels[0], np.array(SIZE) / 2, atol=1e-6)
    assert depths[0] > extent.radius


def test_the_first_camera_is_a_preset_too(qtbot, scene, session):
    scene.set_view(ViewDirection.FIRST_CAMERA)
    settle(qtbot, scene)
    np.testing.assert_allclose(scene.view_pose(), session.history[0].world_from_camera, atol=1e-12)


def test_keys_steer_along_the_view_and_up_and_down_the_ground():
    keys = FlyKeys()
    assert keys.set("w", is_down=True)
    assert not keys.set("X", is_down=True)
    moved = keys.moved(POSE, 0.5).stage_from_camera[:3, 3] - POSE.stage_from_camera[:3, 3]
    np.testing.assert_allclose(moved / np.linalg.norm(moved), POSE.rotation[:, 2], atol=1e-12)
    keys.set("Shift", is_down=True)
    fast = keys.moved(POSE, 0.5).stage_from_camera[:3, 3] - POSE.stage_from_camera[:3, 3]
    np.testing.assert_allclose(fast, 4 * moved, atol=1e-12)
    keys.release_all()
    keys.set("E", is_down=True)
    risen = keys.moved(POSE, 0.5).stage_from_camera[:3, 3] - POSE.stage_from_camera[:3, 3]
    assert risen[1] < 0
    np.testing.assert_allclose(risen[[0, 2]], 0, atol=1e-12)


def test_flying_moves_while_a_key_is_down_and_looks_around_with_a_drag(qtbot, scene):
    scene.camera.pose = POSE
    scene.set_fly(True)
    before = scene.view_pose()
    assert scene.fly_key("W", True)
    qtbot.waitUntil(lambda: np.linalg.norm(scene.view_pose()[:3, 3] - before[:3, 3]) > 0.05)
    assert scene.fly_key("W", False)
    settle(qtbot, scene)
    np.testing.assert_allclose(scene.view_pose()[:3, :3], before[:3, :3], atol=1e-12)
    stand = scene.view_pose()
    drag(qtbot, scene, QPoint(200, 150), QPoint(260, 150))
    np.testing.assert_allclose(scene.view_pose()[:3, 3], stand[:3, 3], atol=1e-9)
    assert scene.view_pose()[:3, 2] @ stand[:3, 0] > 0.1  # to the right
    scene.set_fly(False)
    assert not scene.fly_key("W", True)


def test_flying_takes_the_keys_of_the_canvas(qtbot, scene):
    scene.set_fly(True)
    scene.native.setFocus()
    before = scene.view_pose()
    qtbot.keyPress(scene.native, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: np.linalg.norm(scene.view_pose()[:3, 3] - before[:3, 3]) > 0.02)
    qtbot.keyRelease(scene.native, Qt.Key.Key_D)
    settle(qtbot, scene)


def test_following_rides_behind_the_current_camera_until_the_user_moves_the_view(qtbot, scene, session):
    modes = []
    scene.follow_camera_changed.connect(modes.append)
    scene.set_follow_camera(True)
    settle(qtbot, scene)
    scene.set_cursor(0)
    settle(qtbot, scene)
    at_first = scene.view_pose()
    camera = session.history[0].world_from_camera
    in_camera = np.linalg.inv(camera) @ at_first[:, 3]
    assert in_camera[2] < 0  # behind
    assert in_camera[1] < 0  # and above
    scene.set_cursor(3)
    settle(qtbot, scene)
    np.testing.assert_allclose(scene.view_pose()[:3, 3] - at_first[:3, 3], (3.0, 0, 0), atol=0.02)
    drag(qtbot, scene, QPoint(200, 150), QPoint(230, 150))
    assert modes == [True, False]


def test_leaving_the_mode_stops_the_flight(qtbot, scene):
    scene.set_fly(True)
    scene.fly_key("W", True)
    assert scene._navigation.is_moving
    scene.set_fly(False)
    settle(qtbot, scene)


def test_a_window_in_the_background_does_not_fly_on(qtbot, scene):
    scene.set_fly(True)
    scene.fly_key("W", True)
    QGuiApplication.instance().focusWindowChanged.emit(None)
    settle(qtbot, scene)  # though W never went up
    assert scene._navigation.is_flying
