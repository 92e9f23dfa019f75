"""A guided tour of the whole window with real clicks and keys: a test runs it, and so does the documentation."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from zipmap_app.desktop.composition import Desktop
from zipmap_app.scene.gizmo import HandleKind
from zipmap_app.state.session import RunState
from zipmap_app.ui import dialogs
from zipmap_app.ui.scale_dialog import ScaleDialog
from zipmap_app.ui.side_tabs import SideTab

Shoot = Callable[[str], None]
LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier


class Tour:
    """Does to a Desktop what a person would do, one step a method, each checked before it returns.

    ``shoot`` is called at the end of each step with its name.
    """

    def __init__(self, desktop: Desktop, shoot: Shoot = lambda name: None, patience_s: float = 120.0) -> None:
        self.desktop = desktop
        self.session = desktop.session
        self.window = desktop.window
        self._shoot = shoot
        self._patience_s = patience_s

    # Live

    def open_by_drop(self, path: Path) -> None:
        """Drop a file on the window and wait until it grows."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        details = (Qt.DropAction.CopyAction, mime, LEFT, NO_KEY)
        self.window.dragEnterEvent(QDragEnterEvent(self.window.rect().center(), *details))
        self.window.dropEvent(QDropEvent(QPointF(self.window.rect().center()), *details))
        self.wait(lambda: self.session.status.n_frames >= 4)
        self._shoot("grow")

    def pause_and_step(self) -> None:
        """Space pauses, the dot takes exactly one frame."""
        self.key(Qt.Key.Key_Space)
        self.wait(lambda: self.session.status.state is RunState.PAUSED)
        self.settle()
        n_before = self.session.status.n_frames
        self.key(Qt.Key.Key_Period)
        self.wait(lambda: self.session.status.n_frames == n_before + 1)
        self.settle()
        assert self.session.status.n_frames == n_before + 1
        self._shoot("step")

    def rewind_to(self, n_frames: int) -> None:
        """Click a frame of the strip, then "Continue from here"."""
        strip = self.window.timeline.strip
        x = next(x for x in range(strip.width()) if self._frame_clicked(strip, x) == n_frames - 1)
        assert self.session.timeline.cursor == n_frames - 1, x
        self._shoot("rewind")
        self.click(self.button(self.window.timeline, "Continue from here"))
        self.wait(lambda: self.session.status.n_frames == n_frames)
        assert self.session.status.state is RunState.PAUSED

    def continue_to_the_end(self) -> None:
        self.key(Qt.Key.Key_Space)
        self.wait(lambda: self.session.status.state is RunState.ENDED)

    # Asking

    def ask_from_here(self) -> None:
        """Q places the ghost at the first camera; seen from aside, an arrow is dragged, and answers follow."""
        self.key(Qt.Key.Key_0)
        self.settle(1.0)
        self.key(Qt.Key.Key_Q)
        self.wait(lambda: self.session.latest_query is not None)
        camera = self.window.scene.camera
        camera.pose = camera.pose.orbited(-110, 50).zoomed(2.6, (0, 0), camera.view_focal_px)
        self.settle()
        assert self.session.ghost.view is not None
        before = self.session.ghost.view.world_from_camera.copy()
        asked_before = self.session.latest_query
        self.drag_an_arrow()
        after = self.session.ghost.view.world_from_camera
        assert np.linalg.norm(after[:3, 3] - before[:3, 3]) > 0
        assert np.allclose(after[:3, :3], before[:3, :3])
        self.wait(lambda: self.session.latest_query is not asked_before)
        self.wait(self._is_answer_current)
        self._shoot("ghost")

    def add_answer_and_undo(self) -> None:
        """The answer becomes points; undo takes them away, redo brings them back."""
        self.click(self.button(self.window.tabs.answer, "Add as points"))
        self.wait(lambda: self.session.queried.n_points > 0)
        n_added = self.session.queried.n_points
        self._shoot("predicted")
        self.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert self.session.queried.n_points == 0
        self.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        assert self.session.queried.n_points == n_added
        self.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    # Measuring

    def align_up(self) -> None:
        """Up from the camera path."""
        self.window.tabs.show_tab(SideTab.VIEW)
        self.window.scene.reset_view()
        self.settle()
        self.click(self.button(self.window.tabs.align, "From path"))
        assert self.session.undo.undo_label == "turning the scene"
        self.key(Qt.Key.Key_F)  # from here on the view is the user's: it no longer drifts with the scene
        self.settle(1.0)
        self._shoot("view")

    def set_scale_and_measure(self) -> None:
        """Two clicked points are said to be 2.5 m apart; then a distance is measured in metres."""
        first, second = self.two_places()
        self.click(self.button(self.window.tabs.align, "Set from two points…"))
        QTimer.singleShot(0, self.window, lambda: self._answer_scale_dialog(2.5))
        self.click_scene(first)
        self._shoot("scale")
        self.click_scene(second)
        self.wait(lambda: self.session.alignment.value.metres_per_unit is not None)
        self.key(Qt.Key.Key_M)
        self.click_scene(first)
        self.click_scene(second)
        measured = self.session.tools.measurements[-1].length
        metres = measured * (self.session.alignment.value.metres_per_unit or 0.0)
        assert abs(metres - 2.5) < 0.05, metres
        self._shoot("measure")
        self.key(Qt.Key.Key_Escape)
        assert self.session.tools.tool is None

    # The finished scene

    def finalise_and_compare(self) -> None:
        """Ctrl+F, then Before, After, and keep."""
        streamed, poses = self._places(), self.session.path.world_from_camera.copy()
        self.key(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        bar = self.window.viewport.finalise_bar
        self.wait(lambda: bar.choice.isVisible() and bar.isVisible())
        refined = self._places()
        assert not np.array_equal(refined, streamed)
        assert np.allclose(self.session.path.world_from_camera, poses), "the tracks know the cameras better"
        self.click(bar.choice.button(False))
        assert np.array_equal(self._places(), streamed)
        self.click(bar.choice.button(True))
        assert np.array_equal(self._places(), refined)
        self._shoot("finalise")
        self.click(self.button(bar, "Keep this"))
        assert not bar.isVisible()

    def _places(self) -> np.ndarray:
        """(N, 3) of all points of the scene."""
        return np.concatenate([block["position"] for block in self.session.cloud.blocks()])

    def play_back(self) -> None:
        """K plays from the start to the end at the fastest speed."""
        self.session.timeline.set_speed(4.0)
        self.session.timeline.seek(0)
        self.click(self.button(self.window.timeline, "Past"))
        self.key(Qt.Key.Key_K)
        assert self.session.timeline.is_playing
        middle = self.session.timeline.n_frames // 2
        self.wait(lambda: (self.session.timeline.position or 0) >= middle)
        self._shoot("play")
        self.wait(lambda: not self.session.timeline.is_playing)
        assert self.session.timeline.position == self.session.timeline.n_frames - 1
        self.click(self.button(self.window.timeline, "All"))

    def fly_to_video(self, path: Path) -> None:
        """Three views become a flight, and the flight a video."""
        scene = self.window.scene
        scene.reset_view()
        self.settle()
        for number in range(3):
            self.key(Qt.Key.Key_Q)
            self.key(Qt.Key.Key_J)
            assert len(self.session.flight.keys) == number + 1
            scene.camera.pose = scene.camera.pose.orbited(60, 0)
        self.window.tabs.show_tab(SideTab.QUERY)
        self.session.flight.set_settings(
            type(self.session.flight.settings)(seconds_per_leg=0.5, frames_per_s=12)
        )
        scene.camera.pose = scene.camera.pose.orbited(-160, 60).zoomed(
            1.6, (0, 0), scene.camera.view_focal_px
        )
        self.settle()
        asked = dialogs.ask_for_flight_video
        dialogs.ask_for_flight_video = lambda parent, suggestion: path
        try:
            self.show(self.window.tabs.flight)
            self.click(self.button(self.window.tabs.flight, "Video…"))
        finally:
            dialogs.ask_for_flight_video = asked
        self.wait(path.exists)
        self.wait(lambda: any("views to" in notice.sentence for notice in self.session.notices))
        self._shoot("flight")

    # Hands

    def wait(self, condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + self._patience_s
        while not condition():
            if time.monotonic() > end_s:
                notices = [notice.sentence for notice in self.session.notices]
                raise AssertionError(f"the application did not get there in time; it says {notices}")
            QApplication.processEvents()
            time.sleep(0.003)

    def settle(self, seconds: float = 0.4) -> None:
        """Let what is under way come to rest, and the picture of the scene become complete."""
        end_s = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() >= end_s)
        scene = self.window.scene
        self.wait(lambda: scene.points.is_complete and scene.queried_points.is_complete)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_KEY) -> None:
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)
        QTest.keyClick(self.window, key, modifiers)
        QApplication.processEvents()

    def click(self, button: QWidget) -> None:
        self.show(button)
        assert button.isVisible()
        assert button.isEnabled(), button.toolTip()
        QTest.mouseClick(button, LEFT)
        QApplication.processEvents()

    def show(self, widget: QWidget) -> None:
        """Bring its tab to the front and scroll to it."""
        tabs = self.window.tabs
        for tab in SideTab:
            area = tabs.widget(tab)
            if area.isAncestorOf(widget):
                tabs.show_tab(tab)
                QApplication.processEvents()
                area.ensureWidgetVisible(widget)  # type: ignore[attr-defined]  # all tabs scroll
                QApplication.processEvents()

    @staticmethod
    def button(parent: QWidget, text: str) -> QPushButton:
        return next(each for each in parent.findChildren(QPushButton) if each.text().strip() == text)

    def click_scene(self, place: QPoint) -> None:
        """Click a point of the scene; a click that hit nothing is made again when the view is at rest."""
        tools = self.session.tools
        heard: list[int] = []
        disconnect = tools.changed.connect(lambda: heard.append(1))
        for _ in range(5):
            self.settle()
            QTest.mouseClick(self.window.scene.native, LEFT, NO_KEY, place)
            QApplication.processEvents()
            if heard:
                break
        disconnect()
        assert heard, f"nothing could be clicked at {place}"

    def two_places(self) -> tuple[QPoint, QPoint]:
        """Two places of the viewport, apart from each other, with points of the scene under them."""
        scene = self.window.scene
        width, height = (int(side) for side in scene.camera.size_px)
        found = [
            QPoint(x, y)
            for x in range(width // 4, 3 * width // 4, 40)
            for y in range(height // 3, 3 * height // 4, 40)
            if scene.point_under(x, y) is not None
        ]
        assert len(found) >= 2, "the viewport shows nothing to click on"
        return found[0], found[-1]

    def drag_an_arrow(self) -> None:
        """Grab one of the ghost's arrows with the mouse and pull."""
        scene = self.window.scene
        width, height = scene.camera.size_px
        for y in range(10, int(height), 6):
            for x in range(10, int(width), 6):
                mouse = type("Mouse", (), {"x": float(x), "y": float(y)})
                handle = scene._ghost._handle_under(mouse)
                if handle is not None and handle.kind is HandleKind.MOVE:
                    self._drag(QPoint(x, y), QPoint(x + 30, y - 24))
                    return
        raise AssertionError("no arrow of the ghost is in view")

    def _drag(self, start: QPoint, end: QPoint) -> None:
        self._send_mouse(QEvent.Type.MouseButtonPress, start)
        for share in (0.5, 1.0):
            self.settle(0.05)  # VisPy drops moves that come in quick succession
            self._send_mouse(QEvent.Type.MouseMove, start + (end - start) * share)
        self._send_mouse(QEvent.Type.MouseButtonRelease, end)

    def _send_mouse(self, kind: QEvent.Type, place: QPoint) -> None:
        """By hand: QTest cannot hold a button while the mouse moves."""
        native = self.window.scene.native
        changed = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else LEFT
        event = QMouseEvent(kind, QPointF(place), QPointF(native.mapToGlobal(place)), changed, LEFT, NO_KEY)
        QCoreApplication.sendEvent(native, event)

    def _frame_clicked(self, strip: QWidget, x: int) -> int | None:
        if x % 5:  # every fifth pixel will do
            return None
        QTest.mouseClick(strip, LEFT, NO_KEY, QPoint(x, strip.height() // 2))
        return self.session.timeline.cursor

    def _is_answer_current(self) -> bool:
        view, answer = self.session.ghost.view, self.session.latest_query
        return (
            view is not None
            and answer is not None
            and np.array_equal(view.world_from_camera, answer.world_from_camera)
        )

    def _answer_scale_dialog(self, metres: float) -> None:
        """Type into the dialog as soon as it is there."""
        dialog = next((each for each in self.window.findChildren(ScaleDialog) if each.isVisible()), None)
        if dialog is None:
            QTimer.singleShot(20, self.window, lambda: self._answer_scale_dialog(metres))
            return
        dialog.length.setFocus()
        dialog.length.selectAll()
        QTest.keyClicks(dialog.length, str(metres))
        QTest.keyClick(dialog.length, Qt.Key.Key_Return)
        if dialog.isVisible():
            dialog.accept()
