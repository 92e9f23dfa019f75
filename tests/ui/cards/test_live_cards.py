"""The Live tab shows the frame under the playhead."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.messages import ModelLoaded
from zipmap_app.state.run_settings import RunSettings
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
    assert tabs.run_info.text("Model") == "bundled on cpu"
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
