"""Cameras in the scene: which are drawn, what is under the mouse, and pictures where they belong."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from tests.app_fakes import make_frame
from tests.scene.view_support import click, hover, picture_of, pixel_of
from zipmap_app.scene.coordinates import frusta_corners, frusta_segments, frustum_corners
from zipmap_app.scene.frusta import frustum_under, shown_positions
from zipmap_app.scene.orbit import OrbitPose
from zipmap_app.state.appearance import Appearance, ShownFrusta

INTRINSICS = np.array([[30.0, 0, 16], [0, 30.0, 12], [0, 0, 1]])


def cameras_along_x(n: int, step: float) -> np.ndarray:
    poses = np.tile(np.eye(4), (n, 1, 1))
    poses[:, 0, 3] = step * np.arange(n)
    return poses


def test_frusta_far_apart_are_all_shown_and_crowded_ones_are_not():
    assert shown_positions(cameras_along_x(20, 1.0), size=0.1).tolist() == list(range(20))
    crowded = shown_positions(cameras_along_x(100, 0.01), size=0.25)
    assert crowded.tolist() == [0, 25, 50, 75]
    assert shown_positions(np.zeros((0, 4, 4)), 1.0).tolist() == []


def test_the_choice_is_bounded_and_older_ones_stay_chosen():
    poses = cameras_along_x(3000, 1.0)
    before, after = shown_positions(poses[:2900], 0.5), shown_positions(poses, 0.5)
    assert 100 < len(after) <= 256
    assert set(before) <= set(after)


def test_turning_on_the_spot_shows_frusta_too():
    angles = np.linspace(0, 2 * np.pi, 200)
    poses = np.tile(np.eye(4), (200, 1, 1))
    poses[:, 0, 0] = poses[:, 2, 2] = np.cos(angles)
    poses[:, 0, 2], poses[:, 2, 0] = np.sin(angles), -np.sin(angles)
    assert len(shown_positions(poses, 0.5)) == pytest.approx(2 * np.pi / 0.35, abs=1.5)


def test_many_corners_are_those_of_each_camera():
    poses = cameras_along_x(3, 1.0)
    corners = frusta_corners(poses, np.tile(INTRINSICS, (3, 1, 1)), np.tile((24, 32), (3, 1)), 0.5)
    one = frustum_corners(INTRINSICS, (24, 32), 0.5)
    np.testing.assert_allclose(corners[2, 1:], one + np.array([2, 0, 0]))
    np.testing.assert_allclose(corners[2, 0], (2, 0, 0))
    assert frusta_segments(corners).shape == (54, 3)


def test_the_nearest_frustum_under_the_mouse_is_found():
    square = np.array([[50.0, 50], [0, 0], [100, 0], [100, 100], [0, 100]])
    pixels = np.stack([square, square, square + 300])
    depths = np.stack([np.full(5, 3.0), np.full(5, 2.0), np.full(5, 1.0)])
    assert frustum_under(pixels, depths, 60, 40) == 1
    assert frustum_under(pixels, depths, 103, 50) == 1  # just beside an edge
    assert frustum_under(pixels, depths, 120, 50) is None
    depths[1, 0] = -0.1  # reaches behind the eye
    assert frustum_under(pixels, depths, 60, 40) == 0


@pytest.fixture
def row_of_cameras(view, session):
    """Five cameras from left to right, seen from behind, each frustum well apart."""
    session.begin("x")
    for i in range(5):
        frame = make_frame(10 * i)
        session.apply(frame)
    view.set_appearance(Appearance(shown_frusta=ShownFrusta.ALL, frustum_scale=2.0))
    view.set_path_visible(False)
    view.camera.pose = OrbitPose(np.array([2.0, 0, 0.1]), 6.0)
    return view


def middle_of_frustum(view, position: int) -> QPoint:
    frusta = view._frusta
    corners = frusta.corners[list(frusta.positions).index(position)]
    return pixel_of(view, corners[1:].mean(axis=0))


def test_hovering_and_clicking_say_which_frame(qtbot, row_of_cameras):
    view, hovered, clicked = row_of_cameras, [], []
    view.frustum_hovered.connect(hovered.append)
    view.frustum_clicked.connect(clicked.append)
    for position in (1, 3):
        hover(qtbot, view, middle_of_frustum(view, position))
    assert hovered[-1] == 3
    assert 1 in hovered
    click(qtbot, view, middle_of_frustum(view, 3))
    assert clicked == [3]
    hover(qtbot, view, QPoint(5, 5))
    assert hovered[-1] is None
    click(qtbot, view, QPoint(5, 5))
    assert clicked == [3]


def test_pictures_stand_in_the_frusta_and_can_be_left_out(row_of_cameras):
    view = row_of_cameras
    top_left, _, _, bottom_left = view._frusta.corners[2, 1:]
    place = pixel_of(view, 0.5 * (view._frusta.corners[2, 1:].mean(axis=0) + 0.5 * (top_left + bottom_left)))
    with_picture = picture_of(view)[place.y(), place.x()]
    np.testing.assert_allclose(with_picture, 200, atol=25)  # the frames of the fakes are plain 200
    view.set_appearance(Appearance(has_pictures=False, frustum_scale=2.0))
    without = picture_of(view)[place.y(), place.x()]
    assert abs(int(without[1]) - 200) > 40


def test_only_the_current_or_no_frusta(row_of_cameras):
    view = row_of_cameras
    view.set_appearance(Appearance(shown_frusta=ShownFrusta.CURRENT))
    view.set_cursor(1)
    assert view._frusta.positions.tolist() == [1]
    assert view._frusta._current.is_shown
    view.set_appearance(Appearance(shown_frusta=ShownFrusta.NONE))
    assert view._frusta.positions.tolist() == []
    assert not view._frusta._current.is_shown


def test_frusta_right_before_the_eye_are_left_out(row_of_cameras, session):
    view = row_of_cameras
    assert view._frusta.positions.tolist() == [0, 1, 2, 3, 4]
    third = session.history[2]
    view.camera.pose = view._stage.orbit_from_world(third.world_from_camera, 1.0)
    assert 2 not in view._frusta.positions
    assert {0, 4} <= set(view._frusta.positions)


def test_thumbnails_are_sent_once_while_the_run_grows(row_of_cameras, session):
    view = row_of_cameras
    picture_of(view)
    sent = []
    view._frusta._pictures.set_picture = lambda tile, rgb: sent.append(tile)
    session.apply(make_frame(50))
    assert len(sent) == 1
    session.apply(make_frame(60))
    assert len(set(sent)) == 2
