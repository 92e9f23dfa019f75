"""The Live tab shows the frame under the playhead."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.messages import ModelLoaded
from zipmap_app.state.run_settings import RunSettings
from zipmap_app.ui import dialogs
from zipmap_app.ui.cards.companion_choice import CompanionChoice
from zipmap_app.ui.cards.frame_card import FrameCard
from zipmap_app.ui.cards.run_settings_card import RunSettingsCard
from zipmap_app.ui.side_tabs import SideTab, SideTabs
from zipmap_app.ui.theme import style_sheet


def test_the_card_follows_the_playhead_and_marks_keyframes(shown, session):
    card = shown(FrameCard(session.history, session.timeline))
    assert "frame_000005" in card._caption.text()
    assert not card._keyframe.isVisible()
    session.timeline.seek(3)
    assert "frame_000003" in card._caption.text()
    assert card._keyframe.isVisible()
    assert card.pictures.has_picture
    assert card.pictures.depth_view.has_image
    assert card.pictures.confidence_view.has_image


def test_a_frame_without_its_pictures_says_why(shown, session):
    card = shown(FrameCard(session.history, session.timeline))
    session.history._details.clear()
    session.timeline.seek(1)
    assert card.pictures.has_picture
    assert not card.pictures.depth_view.has_image
    assert "memory for pictures is full" in card._caption.text()


def test_a_hidden_card_does_no_work_and_catches_up(shown, session):
    card = shown(FrameCard(session.history, session.timeline))
    card.hide()
    session.timeline.seek(2)
    assert "frame_000005" in card._caption.text()
    card.show()
    assert "frame_000002" in card._caption.text()


def test_cutting_the_run_shows_the_frame_that_is_left(shown, session):
    card = shown(FrameCard(session.history, session.timeline))
    session.history.truncate(2)
    session.timeline.set_timestamps([0.0, 1 / 30])
    assert "frame_000001" in card._caption.text()
    session.history.clear()
    session.timeline.set_timestamps([])
    assert not card.pictures.has_picture


def test_the_tabs_fit_the_panel_and_let_go_of_the_session(shown, session, look, qtbot):
    tabs = SideTabs(session, look)
    tabs.setStyleSheet(style_sheet())
    qtbot.addWidget(tabs)
    tabs.resize(370, 700)
    tabs.show()
    assert tabs.tabBar().sizeHint().width() <= 370
    for tab in SideTab:
        tabs.show_tab(tab)
        area = tabs.currentWidget()
        assert area.widget().minimumSizeHint().width() <= 370 - 12  # beside a scroll bar
    session.apply(ModelLoaded(name="bundled", device="cpu", supports_query=True, load_s=0.1))
    qtbot.waitUntil(lambda: tabs.run_info.text("Model") == "bundled on cpu")  # shown a few times a second
    focal = session.current_frame.intrinsics[0, 0]
    assert f"{2 * np.degrees(np.arctan(16 / focal)):.0f}°" in tabs.run_info.text("Lens")
    tabs.release()
    events = [event for event in vars(session).values() if hasattr(event, "n_listeners")]
    models = (session.timeline, session.history, session.alignment, session.tools, session.ghost, look)
    # The session itself listens to its cloud, or to nobody.
    assert sum(event.n_listeners for event in events) == 0
    assert [model.changed.n_listeners for model in models] == [0] * len(models)


def test_depths_are_written_in_the_unit_in_force(session, look, qtbot):
    tabs = SideTabs(session, look)
    qtbot.addWidget(tabs)
    scales = [
        pictures.depth_scale
        for pictures in (tabs.frame.pictures, tabs.answer.pictures, tabs.answer.beside_pictures)
    ]
    assert {scale.text(2.0) for scale in scales} == {"2"}
    session.alignment.set(session.alignment.value.with_length(1.0, 0.25))
    assert {scale.text(2.0) for scale in scales} == {"50 cm"}
    session.begin("next.mp4")
    assert {scale.text(2.0) for scale in scales} == {"2"}
    tabs.release()


def test_run_settings_are_announced_whole_and_only_by_the_user(shown, qtbot):
    card = shown(RunSettingsCard())
    with qtbot.assertNotEmitted(card.changed):
        card.show_settings(RunSettings(leaves_out_sky=True, fov_x_deg=90))
    with qtbot.waitSignal(card.changed) as caught:
        card._keyframes.click()
    wanted = RunSettings(leaves_out_sky=True, has_keyframe_points_only=True, fov_x_deg=90)
    assert caught.args == [wanted]
    with qtbot.waitSignal(card.changed) as caught:
        card._has_fov.click()
    assert caught.args[0].fov_x_deg is None
    assert not card._fov.isEnabled()


def test_a_lens_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="10 to 150"):
        RunSettings(fov_x_deg=200)


def pick(choice: CompanionChoice, text: str) -> None:
    """As the user does in the list."""
    index = choice.models.findText(text)
    choice.models.setCurrentIndex(index)
    choice.models.activated.emit(index)


def test_who_answers_is_only_asked_where_the_model_cannot(shown):
    card = shown(RunSettingsCard())
    choice = card.companion
    assert not choice.isVisible()
    choice.show_run_model("bundled", answers_itself=True)
    assert not choice.isVisible()
    choice.show_run_model("/w/streaming.pt", answers_itself=False)
    assert choice.isVisible()
    assert choice.models.currentText() == "nobody"
    assert "cannot answer" in choice._note.text()
    assert not choice.alternate.isEnabled()
    card.show_settings(RunSettings(companion="state_query", has_one_model_at_a_time=True))
    assert choice.models.currentText() == "state_query"
    assert choice.alternate.isEnabled()
    assert choice.alternate.isChecked()
    assert not choice._note.isVisible()
    choice.show_run_model("bundled", answers_itself=True)
    assert choice.isVisible()  # it was chosen, so it can be taken back
    assert "answers itself" in choice._note.text()


def test_who_answers_is_announced_when_it_is_another_one(shown, qtbot, monkeypatch, tmp_path):
    card = shown(RunSettingsCard())
    card.companion.show_run_model("streaming", answers_itself=False)
    with qtbot.waitSignal(card.changed) as caught:
        pick(card.companion, "state_query")
    assert caught.args == [RunSettings(companion="state_query")]
    with qtbot.assertNotEmitted(card.changed):
        pick(card.companion, "state_query")
    with qtbot.waitSignal(card.changed) as caught:
        card.companion.alternate.click()
    assert caught.args == [RunSettings(companion="state_query", has_one_model_at_a_time=True)]
    monkeypatch.setattr(dialogs, "ask_for_weights", lambda parent: None)
    with qtbot.assertNotEmitted(card.changed):
        pick(card.companion, "a file…")
    assert card.companion.models.currentText() == "state_query"
    weights = tmp_path / "mine.safetensors"
    monkeypatch.setattr(dialogs, "ask_for_weights", lambda parent: weights)
    with qtbot.waitSignal(card.changed) as caught:
        pick(card.companion, "a file…")
    assert caught.args[0].companion == str(weights)
    assert card.companion.models.currentText() == "mine.safetensors"
    with qtbot.waitSignal(card.changed) as caught:
        pick(card.companion, "nobody")
    assert caught.args[0].companion is None
