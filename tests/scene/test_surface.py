"""The canvas on the screen, through OpenGL and as a plain picture: the same to whoever looks or points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget

from tests.app_fakes import make_points
from tests.scene.view_support import SIZE, click, drag, open_view, picture_of, pixel_of
from zipmap_app.scene.detail import is_software
from zipmap_app.scene.surface import PictureSurface, default_renderer
from zipmap_app.scene.view import SceneView
from zipmap_app.state.session import SessionModel

POINT = np.array([0.2, 0.1, 1.7])


@pytest.fixture(params=["some GPU", "llvmpipe"])
def shown(qtbot, session: SessionModel, monkeypatch, request) -> Iterator[tuple[SceneView, QWidget]]:
    monkeypatch.setattr("zipmap_app.scene.stage.default_renderer", lambda: request.param)
    view, window = open_view(qtbot, session)
    assert isinstance(view.native, PictureSurface) == is_software(request.param)
    session.cloud.append(make_points(POINT[None], (255, 0, 0)))
    yield view, window
    view.close()
    window.close()
    window.deleteLater()


def test_the_renderer_of_the_display_is_known_before_anything_is_shown(qtbot):
    assert default_renderer()


def test_what_is_drawn_is_what_the_window_shows(shown, qtbot):
    view, window = shown
    picture = picture_of(view)
    where = pixel_of(view, POINT)
    assert tuple(picture[where.y(), where.x()]) == (255, 0, 0)
    qtbot.waitUntil(lambda: not view._navigation.is_moving)
    in_window = window.grab().toImage()
    assert in_window.pixelColor(view.native.mapTo(window, where)).red() == 255


def test_mouse_and_keys_reach_the_tools(shown, qtbot):
    view, _ = shown
    before = view.camera.pose.azimuth_rad
    drag(qtbot, view, QPoint(200, 150), QPoint(240, 150))
    assert view.camera.pose.azimuth_rad != before
    picked = []
    view.point_picked.connect(picked.append)
    view.set_picking(True)
    click(qtbot, view, pixel_of(view, POINT))
    np.testing.assert_allclose(picked[0], POINT, atol=0.02)
    view.set_picking(False)
    view.set_fly(True)
    view.native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    eye = view.view_pose()[:3, 3]
    qtbot.keyPress(view.native, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: np.linalg.norm(view.view_pose()[:3, 3] - eye) > 0.01)
    qtbot.keyRelease(view.native, Qt.Key.Key_D)


def test_the_picture_follows_the_size_of_the_window(shown, qtbot):
    view, window = shown
    window.resize(SIZE[0] + 120, SIZE[1] + 60)
    qtbot.waitUntil(lambda: view.camera.size_px == (SIZE[0] + 120, SIZE[1] + 60))
    where = pixel_of(view, POINT)
    assert tuple(picture_of(view)[where.y(), where.x()]) == (255, 0, 0)


def test_after_closing_nothing_is_drawn_and_events_do_no_harm(shown, qtbot):
    view, window = shown
    view.close()
    window.resize(SIZE[0] + 30, SIZE[1])
    view.native.update()
    qtbot.mouseClick(window, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    qtbot.wait(30)
