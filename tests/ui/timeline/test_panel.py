"""The timeline: scrubbing, playing back, going on from an earlier frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt

from tests.app_fakes import make_frame
from zipmap_app.state.appearance import AppearanceModel, ShownFrames
from zipmap_app.state.session import SessionModel
from zipmap_app.ui.timeline.panel import TimelinePanel

N_FRAMES = 30


@pytest.fixture
def session() -> SessionModel:
    session = SessionModel()
    session.begin("room.mp4")
    for i in range(N_FRAMES):
        session.apply(replace(make_frame(i, n_points=1), position=i, is_keyframe=i % 5 == 0))
    return session


@pytest.fixture
def look() -> AppearanceModel:
    return AppearanceModel()


@pytest.fixture
def panel(qtbot, session, look) -> Iterator[TimelinePanel]:
    panel = TimelinePanel(session.history, session.timeline, look)
    qtbot.addWidget(panel)
    panel.resize(900, 100)
    with qtbot.waitExposed(panel):
        panel.show()
    yield panel
    panel.release()


def place_of(panel: TimelinePanel, position: int) -> QPoint:
    return QPoint(round(10 + panel.strip.scale.x_from_place(position + 0.5)), 30)


def test_a_click_and_a_drag_scrub(panel, session, qtbot):
    qtbot.mouseClick(panel.strip, Qt.MouseButton.LeftButton, pos=place_of(panel, 12))
    assert session.timeline.position == 12
    qtbot.mousePress(panel.strip, Qt.MouseButton.LeftButton, pos=place_of(panel, 3))
    qtbot.mouseMove(panel.strip, place_of(panel, 20))
    qtbot.mouseRelease(panel.strip, Qt.MouseButton.LeftButton, pos=place_of(panel, 20))
    assert session.timeline.position in (3, 20)  # a synthetic move may carry no button


def test_keys_step_through_the_run(panel, session, qtbot):
    strip = panel.strip
    qtbot.keyClick(strip, Qt.Key.Key_Home)
    assert session.timeline.position == 0
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    qtbot.keyClick(strip, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert session.timeline.position == 11
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert session.timeline.position == 10
    qtbot.keyClick(strip, Qt.Key.Key_End)
    assert session.timeline.cursor is None


def test_going_on_from_a_frame_needs_an_earlier_frame_and_keeps_it(panel, session, qtbot):
    assert not panel.can_rewind
    assert "earlier frame" in panel._rewind.toolTip()
    session.timeline.seek(11)
    with qtbot.waitSignal(panel.rewind_requested) as caught:
        qtbot.mouseClick(panel._rewind, Qt.MouseButton.LeftButton)
    assert caught.args == [12]


def test_the_timer_runs_only_while_playing_and_playing_moves_on(panel, session, qtbot):
    assert not panel._timer.isActive()
    session.timeline.seek(0)
    session.timeline.set_speed(4.0)
    qtbot.mouseClick(panel._play, Qt.MouseButton.LeftButton)
    assert panel._timer.isActive()
    qtbot.waitUntil(lambda: session.timeline.position >= 2)
    qtbot.mouseClick(panel._play, Qt.MouseButton.LeftButton)
    assert not panel._timer.isActive()


def test_points_shown_are_chosen_here_and_followed(panel, look, qtbot):
    qtbot.mouseClick(panel._shown.button(ShownFrames.PAST), Qt.MouseButton.LeftButton)
    assert look.value.shown_frames is ShownFrames.PAST
    look.edit(shown_frames=ShownFrames.CURRENT)
    assert panel._shown.value is ShownFrames.CURRENT


def test_folding_leaves_the_row_of_controls(panel, qtbot):
    qtbot.mouseClick(panel._fold, Qt.MouseButton.LeftButton)
    assert panel.is_folded
    assert panel._play.isVisible()
    qtbot.mouseClick(panel._fold, Qt.MouseButton.LeftButton)
    assert not panel.is_folded


def test_a_long_run_holds_few_pictures(qtbot):
    session = SessionModel()
    frame = make_frame(0, n_points=1)
    for i in range(3000):
        session.history.append(replace(frame, position=i))
    session.timeline.set_timestamps([i / 10 for i in range(3000)])
    panel = TimelinePanel(session.history, session.timeline, AppearanceModel())
    qtbot.addWidget(panel)
    panel.resize(900, 100)
    with qtbot.waitExposed(panel):
        panel.show()
    for position in range(0, 3000, 300):
        session.timeline.seek(position)
        panel.strip.repaint()
    assert 0 < panel.strip.n_cached < 40
    panel.release()
    assert session.timeline.changed.n_listeners == session.history.changed.n_listeners == 0
