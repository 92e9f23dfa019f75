"""The cards of the Query tab: the ghost, its answers, flights and states."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, Qt

from tests.app_fakes import answer
from zipmap_app.state.commands import CompanionChosen, CompanionProgress, StateInfo
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.flight import FlightContent
from zipmap_app.state.ghost import GhostView
from zipmap_app.state.messages import ModelLoaded, StatesChanged
from zipmap_app.state.queries import LIVE_STATE, QueryRequest, QueryResult
from zipmap_app.ui.cards.answer_card import AnswerCard
from zipmap_app.ui.cards.flight_card import FlightCard, FlightWish
from zipmap_app.ui.cards.ghost_card import GhostCard, GhostPlace
from zipmap_app.ui.cards.states_card import CompanionCard, StatesCard
from zipmap_app.ui.side_tabs import SideTab, SideTabs

LEFT = Qt.MouseButton.LeftButton
LENS = np.array([[30.0, 0, 16], [0, 30.0, 12], [0, 0, 1]])
LIVE = StateInfo(LIVE_STATE, "Live scene", 6, 0)
FORK = StateInfo(1, "before the kitchen", 3, 302_000_000)


def view_at(x: float) -> GhostView:
    pose = np.eye(4)
    pose[:3, 3] = (x, 0.123456789, 0)
    return GhostView(pose, LENS.copy(), (24, 32))


def an_answer() -> QueryResult:
    return answer(QueryRequest(0, np.eye(4), LENS.copy(), (24, 32)))


# The ghost


def test_the_ghost_is_placed_by_buttons(shown, session, qtbot):
    card = shown(GhostCard(session.ghost, session.alignment))
    for place in GhostPlace:
        with qtbot.waitSignal(card.place_requested) as caught:
            qtbot.mouseClick(card._places[place], LEFT)
        assert caught.args == [place]
    card.set_available("The model “streaming” cannot answer queries")
    assert not card._places[GhostPlace.VIEW].isEnabled()
    assert "streaming" in card._note.text()


def test_a_typed_number_moves_the_ghost_and_nothing_else(shown, session):
    session.ghost.place(view_at(1.0))
    card = shown(GhostCard(session.ghost, session.alignment))
    assert card._position["x"].value() == 1.0
    card._position["x"].setValue(2.5)
    moved = session.ghost.view.world_from_camera
    assert moved[:3, 3] == pytest.approx((2.5, 0.123456789, 0), abs=1e-12)  # y is shown rounded, and stays
    card._angles["yaw_deg"].setValue(90.0)
    assert session.ghost.view.world_from_camera[:3, 2] == pytest.approx((1, 0, 0), abs=1e-9)


def test_the_numbers_are_in_the_turned_scene(shown, session):
    session.ghost.place(view_at(1.0))
    card = shown(GhostCard(session.ghost, session.alignment))
    session.alignment.set(session.alignment.value.with_up(np.array([0, 1.0, 0])))  # upside down
    assert card._position["y"].value() == pytest.approx(-0.123, abs=1e-3)


def test_with_a_scale_the_place_reads_and_takes_metres_and_the_ghost_stays(shown, session):
    editor = SceneEditor(session)
    session.ghost.place(view_at(1.0))
    card = shown(GhostCard(session.ghost, session.alignment))
    box = card._position["x"]
    editor.set_length(length_in_units=2.0, length_m=5.0)
    assert session.ghost.view.world_from_camera[0, 3] == 1.0
    assert (box.value(), box.text(), box.singleStep()) == (2.5, "2.500 m", 0.5)
    assert "metres" in box.toolTip()
    box.setValue(4.0)
    moved = session.ghost.view.world_from_camera[:3, 3]
    assert moved == pytest.approx((1.6, 0.123456789, 0), abs=1e-12)
    box.stepUp()
    assert session.ghost.view.world_from_camera[0, 3] == pytest.approx(1.8)
    session.undo.undo()
    assert session.ghost.view.world_from_camera[0, 3] == pytest.approx(1.8)
    assert (box.value(), box.suffix(), box.singleStep()) == (1.8, "", 0.1)
    assert "scene units" in box.toolTip()
    editor.close()


def test_small_things_can_be_placed_in_fractions_of_a_millimetre(shown, session):
    session.ghost.place(view_at(1.0))
    card = shown(GhostCard(session.ghost, session.alignment))
    session.alignment.set(session.alignment.value.with_length(1.0, 0.012))
    assert card._position["y"].text() == "0.00148 m"


def test_removing_the_ghost_leaves_nothing_to_edit(shown, session, qtbot):
    session.ghost.place(view_at(1.0))
    card = shown(GhostCard(session.ghost, session.alignment))
    qtbot.mouseClick(card._remove, LEFT)
    assert session.ghost.view is None
    assert not card._position["x"].isEnabled()
    assert not card._remove.isEnabled()


# The answer


def test_an_answer_says_what_it_rests_on(shown, qtbot):
    card = shown(AnswerCard())
    assert not card._add.isEnabled()
    card.show_waiting(True)
    assert "between two frames" in card._caption.text()
    card.show_answer(an_answer(), "Live scene")
    assert card.pictures.has_picture
    assert card.pictures.confidence_view.has_image
    for part in ("3 frames", "12 ms", "Live scene"):
        assert part in card._caption.text()
    with qtbot.waitSignal(card.add_points_requested):
        qtbot.mouseClick(card._add, LEFT)
    card.show_answer(None)
    assert not card.pictures.has_picture


def test_the_nearest_frame_stands_beside_unless_states_are_compared(shown, session, qtbot):
    card = shown(AnswerCard())
    card.resize(340, 500)
    card.show_answer(an_answer(), "Live scene")
    assert not card.beside_pictures.isVisible()
    with qtbot.waitSignal(card.beside_toggled):
        card.beside.click()
    assert card.wants_nearest
    card.show_nearest(session.history[2], session.history.detail(2))
    assert card.beside_pictures.isVisible()
    assert "frame_000002" in card._titles[1].text()
    card.show_compared(an_answer(), "before the kitchen")
    card.show_nearest(session.history[3], session.history.detail(3))
    assert card._titles[1].text() == "before the kitchen"
    assert not card.wants_nearest
    card.show_compared(None)
    assert card.beside_pictures.isVisible()
    card.beside.click()
    assert not card.beside_pictures.isVisible()


# The flight


def test_views_of_a_flight_are_reordered_and_deleted(shown, session, qtbot):
    keys = tuple(view_at(float(x)) for x in range(3))
    card = shown(FlightCard(session.flight))
    card.keys_changed.connect(session.flight.set_keys)
    session.flight.set_keys(keys)
    card._list.setCurrentRow(0)
    qtbot.mouseClick(card._later, LEFT)
    assert [key.world_from_camera[0, 3] for key in session.flight.keys] == [1, 0, 2]
    assert card._list.currentRow() == 1
    qtbot.mouseClick(card._delete, LEFT)
    assert [key.world_from_camera[0, 3] for key in session.flight.keys] == [1, 2]
    with qtbot.waitSignal(card.add_key_requested):
        qtbot.mouseClick(card._add, LEFT)


@pytest.mark.parametrize(
    ("row", "before", "order"), [(0, 3, [1, 2, 0]), (0, 2, [1, 0, 2]), (2, 0, [2, 0, 1])]
)
def test_views_of_a_flight_are_dragged_to_another_place_undoably(shown, session, row, before, order):
    editor = SceneEditor(session)
    card = shown(FlightCard(session.flight))
    card.keys_changed.connect(editor.set_flight_keys)
    session.flight.set_keys(tuple(view_at(float(x)) for x in range(3)))
    card._list.setCurrentRow(row)
    assert card._list.model().moveRow(QModelIndex(), row, QModelIndex(), before)  # as a drop does
    assert [key.world_from_camera[0, 3] for key in session.flight.keys] == order
    assert card._list.currentRow() == order.index(row)
    assert [card._list.item(i).text() for i in range(3)] == ["View 1", "View 2", "View 3"]
    session.undo.undo()
    assert [key.world_from_camera[0, 3] for key in session.flight.keys] == [0, 1, 2]
    editor.close()


def test_a_flight_is_written_as_wished_once_it_leads_somewhere(shown, session, qtbot):
    card = shown(FlightCard(session.flight))
    assert not card._video.isEnabled()
    assert "two views" in card._video.toolTip()
    session.flight.set_keys((view_at(0), view_at(1)))
    card._leg.setValue(1.0)
    card._rate.setValue(10)
    assert session.flight.n_frames == 11
    assert "11 views" in card._length.text()
    qtbot.mouseClick(card._content.button(FlightContent.BOTH), LEFT)
    with qtbot.waitSignal(card.save_requested) as caught:
        qtbot.mouseClick(card._video, LEFT)
    assert caught.args == [FlightWish(FlightContent.BOTH, is_video=True)]
    card.show_progress(0.25)
    assert not card._video.isEnabled()
    with qtbot.waitSignal(card.cancel_requested):
        qtbot.mouseClick(card._cancel, LEFT)
    card.show_progress(None)
    assert card._video.isEnabled()
    assert not card._cancel.isVisible()


# States


def test_states_are_asked_compared_and_forgotten(shown, qtbot):
    card = shown(StatesCard())
    assert not card._save.isEnabled()
    card.show_states((LIVE, FORK))
    assert "302 MB" in card._list.item(1).text()
    card._ask.setCurrentIndex(1)
    with qtbot.waitSignal(card.asked_changed) as caught:
        card._ask.activated.emit(1)
    assert caught.args == [1, None]
    card._compare.setCurrentIndex(1)
    with qtbot.waitSignal(card.asked_changed) as caught:
        card._compare.activated.emit(1)
    assert caught.args == [1, LIVE_STATE]
    card._list.setCurrentRow(1)
    for button, signal in ((card._save, card.save_requested), (card._forget, card.forget_requested)):
        with qtbot.waitSignal(signal) as caught:
            qtbot.mouseClick(button, LEFT)
        assert caught.args == [1]
    card._list.setCurrentRow(0)
    assert not card._forget.isEnabled()


def test_a_forgotten_state_is_asked_no_more(shown):
    card = shown(StatesCard())
    card.show_states((LIVE, FORK))
    card.show_asked(1, LIVE_STATE)
    card.show_states((LIVE,))
    assert (card.asked_id, card.compared_id) == (LIVE_STATE, None)
    assert card.name_of(1) == ""


def test_the_companion_says_how_far_it_is(shown, qtbot):
    card = CompanionCard()
    qtbot.addWidget(card)
    assert card.isHidden()
    card.show_progress(CompanionProgress(3, 9))
    assert not card.isHidden()
    assert "3 of 9" in card._text.text()


def test_the_tab_follows_the_session(qtbot, session, look):
    tabs = SideTabs(session, look)
    qtbot.addWidget(tabs)
    assert "not loaded" in tabs.ghost._note.text()
    session.apply(ModelLoaded(name="/w/streaming.pt", device="cpu", supports_query=False, load_s=0))
    assert "streaming.pt" in tabs.ghost._note.text()
    session.apply(ModelLoaded(name="bundled", device="cpu", supports_query=True, load_s=0))
    session.apply(StatesChanged((FORK,)))
    assert tabs.states.name_of(1) == FORK.name
    tabs.answer.show_answer(an_answer(), "Live scene")
    session.begin("next.mp4")
    assert not tabs.answer.pictures.has_picture
    assert "no scene" in tabs.ghost._note.text()
    tabs.release()


def test_without_anybody_to_ask_there_is_a_way_to_the_choice(qtbot, session, look):
    tabs = SideTabs(session, look)
    qtbot.addWidget(tabs)
    tabs.resize(370, 300)
    tabs.show()
    tabs.show_tab(SideTab.QUERY)
    session.apply(ModelLoaded(name="/w/streaming.pt", device="cpu", supports_query=False, load_s=0))
    assert tabs.ghost._choose.isVisible()
    assert not tabs.ghost._pose.isVisible()
    assert not tabs.answer.isVisible()
    qtbot.mouseClick(tabs.ghost._choose, LEFT)
    choice = tabs.run_settings.companion
    assert tabs.currentIndex() == SideTab.LIVE
    assert not choice.models.visibleRegion().isEmpty()  # scrolled to
    assert choice.models.visibleRegion().boundingRect() == choice.models.rect()
    session.apply(CompanionChosen("state_query"))
    tabs.show_tab(SideTab.QUERY)
    assert not tabs.ghost._choose.isVisible()
    assert tabs.ghost._pose.isVisible()
    assert tabs.answer.isVisible()
    assert "Place it" in tabs.ghost._note.text()
    tabs.release()
