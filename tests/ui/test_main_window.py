"""The window over a session: what it shows, what it asks for, what it forgets when it closes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication

from tests.app_fakes import answer, make_frame
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.messages import ModelLoaded, PipelineFault, StreamEnded
from zipmap_app.state.queries import QueryRequest
from zipmap_app.state.session import SessionModel
from zipmap_app.ui.actions import ACTIONS, ActionId
from zipmap_app.ui.cards.ghost_card import GhostPlace
from zipmap_app.ui.main_window import MainWindow, WindowOptions
from zipmap_app.ui.opening.choice import SourceChoice
from zipmap_app.ui.side_tabs import SideTab

LOADED = ModelLoaded(name="bundled", device="cpu", supports_query=True, load_s=0.1)


@pytest.fixture
def session() -> SessionModel:
    return SessionModel()


@pytest.fixture
def window(qtbot, session, tmp_path) -> Iterator[MainWindow]:
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    options = WindowOptions(settings=settings, can_open=lambda path: path.suffix in (".mp4", ""))
    window = MainWindow(session, SceneEditor(session), options)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()  # shortcuts belong to the active window
    qtbot.waitUntil(window.isActiveWindow)
    yield window
    window.close()


def start(session: SessionModel, n_frames: int = 3, loaded: ModelLoaded = LOADED) -> None:
    session.begin("room.mp4", n_frames_hint=10)
    session.apply(loaded)
    for i in range(n_frames):
        session.apply(make_frame(i))


def is_enabled(window: MainWindow, action_id: ActionId) -> bool:
    return window.actions_table[action_id].isEnabled()


def test_an_empty_window_invites_and_a_run_replaces_the_invitation(window, session, qtbot):
    assert window.welcome.isVisible()
    for action_id in (ActionId.PAUSE, ActionId.STEP, ActionId.STOP, ActionId.QUERY, ActionId.SAVE):
        assert not is_enabled(window, action_id)
    start(session)
    assert not window.welcome.isVisible()
    qtbot.waitUntil(lambda: window.tabs.frame.pictures.has_picture)
    assert "room.mp4" in window.windowTitle()
    for action_id in (ActionId.PAUSE, ActionId.STOP, ActionId.QUERY, ActionId.SAVE):
        assert is_enabled(window, action_id)


def test_space_pauses_and_resumes_and_the_dot_steps(window, session, qtbot):
    start(session)
    with qtbot.waitSignal(window.requests.pause):
        qtbot.keyClick(window, Qt.Key.Key_Space)
    session.set_paused(True)
    with qtbot.waitSignal(window.requests.step):
        qtbot.keyClick(window, Qt.Key.Key_Period)
    with qtbot.waitSignal(window.requests.resume):
        qtbot.keyClick(window, Qt.Key.Key_Space)
    session.set_paused(False)
    assert not is_enabled(window, ActionId.STEP)


def test_a_query_asks_for_exactly_the_view_with_the_scenes_camera(window, session, qtbot):
    start(session)
    with qtbot.waitSignal(window.requests.query) as caught:
        qtbot.keyClick(window, Qt.Key.Key_Q)
    request = caught.args[0]
    frame = session.current_frame
    assert (request.world_from_camera == window.scene.view_pose()).all()
    assert (request.intrinsics == frame.intrinsics).all()
    assert request.size_hw == frame.rgb.shape[:2]
    session.apply(answer(request, n_frames=3))
    assert window.tabs.answer.pictures.has_picture
    assert window.tabs.currentIndex() == SideTab.QUERY


def test_the_ghost_asks_again_when_it_is_dragged_one_question_at_a_time(window, session):
    start(session)
    asked: list[QueryRequest] = []
    window.requests.query.connect(asked.append)
    window.actions_table[ActionId.QUERY].trigger()
    assert len(asked) == 1
    for x in range(5):
        pose = np.eye(4)
        pose[0, 3] = x
        window.scene.ghost_dragged.emit(pose)
    assert len(asked) == 1
    session.apply(answer(asked[0]))
    assert len(asked) == 2
    assert asked[1].world_from_camera[0, 3] == 4
    session.apply(answer(asked[1]))
    assert len(asked) == 2


def test_a_model_without_queries_says_so(window, session):
    start(session, loaded=ModelLoaded(name="streaming", device="cpu", supports_query=False, load_s=0))
    assert not is_enabled(window, ActionId.QUERY)
    button = window.tabs.ghost._places[GhostPlace.VIEW]
    assert not button.isEnabled()
    assert "streaming" in button.toolTip()


def test_notices_show_the_newest_and_closing_brings_back_the_one_before(window, session):
    notices = window.viewport.notices
    assert not notices.isVisible()
    session.apply(PipelineFault("a.jpg was skipped", fatal=False))
    session.apply(PipelineFault("the GPU ran out of memory", "traceback"))
    assert notices.isVisible()
    assert notices.sentence == "the GPU ran out of memory"
    notices._on_copy()
    assert "traceback" in QApplication.clipboard().text()
    notices.dismiss()
    assert notices.sentence == "a.jpg was skipped"
    notices.dismiss()
    assert not notices.isVisible()


def test_a_dropped_video_is_opened_and_remembered(window, qtbot, tmp_path):
    video = tmp_path / "clip.mp4"
    video.touch()
    with qtbot.waitSignal(window.requests.open) as caught:
        drop(window, [video])
    assert caught.args == [SourceChoice(str(video))]
    assert window._recent.paths()[0] == video.resolve()


def test_what_cannot_be_opened_is_explained_not_tried(window, session, tmp_path):
    opened = []
    window.requests.open.connect(opened.append)
    for paths, word in (([tmp_path / "notes.txt"], "notes.txt"), ([tmp_path, tmp_path / "b.mp4"], "one")):
        drop(window, paths)
        assert word in session.notices[-1].sentence
    assert opened == []


def drop(window: MainWindow, paths: list[Path]) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    details = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(window.rect().center(), *details)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    assert window._drop_overlay.isVisible()
    window.dropEvent(QDropEvent(QPointF(window.rect().center()), *details))
    assert not window._drop_overlay.isVisible()


def test_the_confidence_slider_reaches_the_points(window, session):
    start(session)
    window.tabs.appearance._hidden.slider.setValue(50)
    window.tabs.appearance.change_size(4)
    assert window.scene.points.style.min_confidence == pytest.approx(1.0)
    assert window.scene.points.style.size_px == pytest.approx(3.5)


def test_the_end_of_a_run_keeps_the_scene(window, session):
    start(session)
    session.apply(StreamEnded(n_frames=3, was_stopped=False, notes=("used 3 of the 10 claimed frames",)))
    assert not is_enabled(window, ActionId.PAUSE)
    assert is_enabled(window, ActionId.SAVE)
    assert is_enabled(window, ActionId.QUERY)
    assert not window.welcome.isVisible()
    assert window.viewport.notices.sentence == "used 3 of the 10 claimed frames"


def test_nothing_overlaps_or_is_cut_at_the_usual_size(window, session, qtbot):
    window.resize(1280, 800)
    start(session)
    qtbot.waitUntil(lambda: window.width() == 1280)
    right = window.viewport.mapTo(window, window.viewport.rect().topRight()).x()
    assert right < window.tabs.mapTo(window, window.tabs.rect().topLeft()).x()
    assert window.scene.native.height() > 450


def test_the_viewport_shows_the_points(window, session, qtbot):
    start(session)

    def n_red() -> int:
        image = window.scene.grab().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        picture = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
        return int((picture == (255, 0, 0)).all(axis=2).sum())

    qtbot.waitUntil(lambda: n_red() > 300)


def test_the_window_remembers_its_size_and_lets_go_of_the_session(qtbot, session, tmp_path):
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    options = WindowOptions(settings=settings, can_open=lambda path: True)
    first = MainWindow(session, SceneEditor(session), options)
    qtbot.addWidget(first)
    first.show()
    first.resize(1111, 777)
    first.close()
    for event in (
        session.status_changed,
        session.frame_changed,
        session.notice_added,
        session.cloud.appended,
    ):
        assert event.n_listeners == 0
    second = MainWindow(session, SceneEditor(session), options)
    qtbot.addWidget(second)
    assert (second.width(), second.height()) == (1111, 777)
    second.close()


def test_every_action_has_a_tooltip_and_shortcuts_are_unique():
    shortcuts = [keys for spec in ACTIONS for keys in spec.shortcuts]
    assert len(shortcuts) == len(set(shortcuts))
    assert all(spec.tooltip for spec in ACTIONS)
    assert {spec.id for spec in ACTIONS} == set(ActionId)
