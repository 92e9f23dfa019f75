"""The viewport: the drawn camera is the reported camera, and the mouse does what the manual says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent

from tests.app_fakes import make_frame, make_points
from tests.scene.view_support import SIZE, drag, picture_of, settle
from zipmap_app.scene.coordinates import focal_px
from zipmap_app.scene.orbit import OrbitPose
from zipmap_app.state.appearance import Appearance, ClipBox

MIDDLE = QPoint(200, 150)


def red_pixels(picture: np.ndarray) -> np.ndarray:
    """(K, 2) x, y of pure red pixels."""
    rows, columns = np.nonzero((picture == (255, 0, 0)).all(axis=2))
    return np.stack([columns, rows], axis=1)


POSES = [
    OrbitPose(np.array([0.0, 0, 2]), 2.0),
    OrbitPose(np.array([0.3, -0.2, 2.0]), 3.0, azimuth_rad=0.8, elevation_rad=0.5),
    OrbitPose(np.array([0.1, 0.4, 1.0]), 2.5, azimuth_rad=-2.0, elevation_rad=-0.3),
]


@pytest.mark.parametrize("pose", POSES)
def test_a_point_is_drawn_where_the_reported_pose_projects_it(view, session, pose):
    point = np.array([0.2, 0.1, 1.7])
    session.cloud.append(make_points(point[None]))
    view.set_appearance(Appearance(size_px=3, is_attenuated=False))
    view.set_grid_visible(False)
    view.camera.pose = pose
    in_camera = np.linalg.inv(view.view_pose()) @ np.append(point, 1)
    focal = focal_px(view.camera.fov_y_rad, SIZE[1])
    expected = in_camera[:2] / in_camera[2] * focal + np.array(SIZE) / 2 - 0.5
    drawn = red_pixels(picture_of(view)).mean(axis=0)
    np.testing.assert_allclose(drawn, expected, atol=0.75)
    pixels, _ = view._stage.project(point[None])
    np.testing.assert_allclose(pixels[0] - 0.5, expected, atol=1e-9)


def test_down_in_the_world_is_down_on_the_screen(view, session):
    session.cloud.append(make_points(np.array([[0.0, 0.5, 2.0]])))
    view.set_grid_visible(False)
    view.camera.pose = POSES[0]
    assert red_pixels(picture_of(view))[:, 1].mean() > SIZE[1] / 2


def test_the_cloud_grows_on_screen_and_is_cleared(view, session):
    session.begin("x")
    for i in range(5):
        session.apply(make_frame(i))
    assert view.points.n_points == 1000
    assert len(red_pixels(picture_of(view))) > 100
    session.begin("y")
    assert view.points.n_points == 0
    assert len(red_pixels(picture_of(view))) == 0


def test_the_view_follows_the_scene_until_the_user_touches_it(view, session, qtbot):
    session.begin("x")
    session.apply(make_frame(0))
    first = view.camera.pose
    session.apply(make_frame(1))
    assert (view.camera.pose.pivot != first.pivot).any()
    drag(qtbot, view, MIDDLE, MIDDLE + QPoint(60, 0))
    touched = view.camera.pose
    session.apply(make_frame(20))
    assert view.camera.pose is touched
    view.reset_view()
    settle(qtbot, view)
    reset = view.camera.pose
    session.apply(make_frame(21))
    assert view.camera.pose is not reset


def test_left_drag_orbits_and_right_or_middle_drag_pans(view, qtbot):
    before = view.camera.pose
    drag(qtbot, view, MIDDLE, MIDDLE + QPoint(50, 20))
    orbited = view.camera.pose
    assert orbited.azimuth_rad > before.azimuth_rad
    assert orbited.elevation_rad > before.elevation_rad
    np.testing.assert_array_equal(orbited.pivot, before.pivot)
    for button in (Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton):
        before = view.camera.pose
        drag(qtbot, view, MIDDLE, MIDDLE + QPoint(40, 0), button)
        panned = view.camera.pose
        assert panned.azimuth_rad == before.azimuth_rad
        assert np.linalg.norm(panned.pivot - before.pivot) > 0.05


def test_the_wheel_zooms_in_and_out(view):
    before = view.camera.pose.distance
    where = QPointF(300, 100)
    event = QWheelEvent(
        where,
        QPointF(view.native.mapToGlobal(where.toPoint())),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QCoreApplication.sendEvent(view.native, event)
    assert view.camera.pose.distance < before


def test_double_click_on_a_point_makes_it_the_pivot(view, session, qtbot):
    point = np.array([0.2, 0.1, 1.7])
    session.cloud.append(make_points(point[None]))
    view.camera.pose = POSES[0]
    in_camera = np.linalg.inv(view.view_pose()) @ np.append(point, 1)
    pixel = in_camera[:2] / in_camera[2] * view.camera.view_focal_px + np.array(SIZE) / 2
    eye = view.view_pose()[:3, 3]
    qtbot.mouseDClick(view.native, Qt.MouseButton.LeftButton, pos=QPoint(*pixel.astype(int)))
    settle(qtbot, view)
    np.testing.assert_allclose(view.camera.pose.pivot, point, atol=0.02)
    assert np.linalg.norm(view.view_pose()[:3, 3] - eye) > 0.1  # it slid so that the point is in the middle
    unchanged = view.camera.pose
    qtbot.mouseDClick(view.native, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert view.camera.pose is unchanged


def test_when_still_everything_is_drawn_again(view, session, qtbot):
    view._pacer.detail.set_renderer("llvmpipe")
    session.cloud.append(make_points(np.random.default_rng(0).normal(size=(400_000, 3))))
    qtbot.waitUntil(lambda: view.points.plan.is_moving and view.points.n_drawn > 0)
    assert view.points.n_drawn < 100_000
    qtbot.waitUntil(lambda: not view.points.plan.is_moving and not view.points.is_complete)
    qtbot.waitUntil(lambda: view.points.is_complete, timeout=20_000)
    shown = picture_of(view)
    view._pacer.detail._budget = 1e7
    view.camera.pose = replace(view.camera.pose, azimuth_rad=view.camera.pose.azimuth_rad + 1)
    view.camera.pose = replace(view.camera.pose, azimuth_rad=view.camera.pose.azimuth_rad - 1)
    np.testing.assert_array_equal(picture_of(view), shown)  # in one go it is the same picture


def frame_points(frame: int) -> np.ndarray:
    """A dense patch of one frame, in a colour of its own."""
    rng = np.random.default_rng(frame)
    positions = rng.uniform((-1 + frame * 0.5, -0.5, 2), (-0.5 + frame * 0.5, 0.5, 2.01), (4000, 3))
    points = make_points(positions, rgb=(255, 0, 0) if frame % 2 else (0, 255, 0))
    points["frame"] = frame
    return points


def count(view, rgb: tuple[int, int, int]) -> int:
    return int((picture_of(view) == rgb).all(axis=2).sum())


def test_the_screen_keeps_up_with_cutting_restoring_replacing_and_thinning(view, session):
    cloud = session.cloud
    view.set_grid_visible(False)
    view.set_appearance(Appearance(is_shaded=False, is_attenuated=False, size_px=3))
    view.camera.pose = OrbitPose(np.array([0.0, 0, 2]), 3.0)
    for frame in range(4):
        cloud.append(frame_points(frame))
    green, red = count(view, (0, 255, 0)), count(view, (255, 0, 0))
    assert green > 1000
    assert red > 1000
    removed = cloud.truncate(1)
    assert view.points.n_points == cloud.n_points == 4000
    assert count(view, (255, 0, 0)) == 0
    assert count(view, (0, 255, 0)) == pytest.approx(green / 2, rel=0.1)
    cloud.restore(removed)
    assert (count(view, (0, 255, 0)), count(view, (255, 0, 0))) == (green, red)
    old = cloud.replace([frame_points(1)])
    assert count(view, (0, 255, 0)) == 0
    cloud.replace(old)
    assert (count(view, (0, 255, 0)), count(view, (255, 0, 0))) == (green, red)
    cloud.max_points = 8000  # thins to about 4000
    assert view.points.n_points == cloud.n_points < 5000
    assert count(view, (0, 255, 0)) > 0.8 * green  # coverage stays


def test_the_clip_box_is_drawn_where_it_cuts(view):
    view.set_grid_visible(False)
    view.camera.pose = OrbitPose(np.array([0.0, 0, 2]), 3.0)
    plain = picture_of(view)
    view.set_appearance(Appearance(clip_box=ClipBox((-0.5, -0.4, 1.5), (0.5, 0.4, 2.5))))
    rows, columns = np.nonzero((picture_of(view) != plain).any(axis=2))
    focal = view.camera.view_focal_px
    assert columns.max() - columns.min() == pytest.approx(1.0 / 2.5 * focal, abs=3)  # the front face
    assert rows.max() - rows.min() == pytest.approx(0.8 / 2.5 * focal, abs=3)
    view.set_appearance(Appearance())
    np.testing.assert_array_equal(picture_of(view), plain)
