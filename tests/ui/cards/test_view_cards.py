"""The cards of the View tab edit what they say they edit."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from zipmap_app.state.appearance import ClipBox, ColorMode, ShownFrusta
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.tools import Measurement, PointTool
from zipmap_app.ui.appearance_panel import AppearancePanel
from zipmap_app.ui.cards.align_card import AlignCard, AlignWay
from zipmap_app.ui.cards.cameras_card import CamerasCard
from zipmap_app.ui.cards.clip_card import ClipCard
from zipmap_app.ui.cards.measure_card import MeasureCard

LEFT = Qt.MouseButton.LeftButton
UNIT = Measurement(np.zeros(3), np.array([1.0, 0, 0]))
TWO = Measurement(np.zeros(3), np.array([2.0, 0, 0]))


def test_points_follow_the_appearance_both_ways(shown, look, qtbot):
    panel = shown(AppearancePanel(look))
    panel._size.slider.setValue(16)
    qtbot.mouseClick(panel._colors.button(ColorMode.TIME), LEFT)
    qtbot.mouseClick(panel._shaded, LEFT, pos=panel._shaded.rect().center() / 8)
    assert (look.value.size_px, look.value.color_mode) == (4.0, ColorMode.TIME)
    look.edit(hidden_fraction=0.4, color_mode=ColorMode.DEPTH)
    assert panel._hidden.step == 40
    assert panel._colors.value is ColorMode.DEPTH
    assert look.value.size_px == 4.0


def test_showing_an_appearance_does_not_change_it(shown, look):
    shown(AppearancePanel(look))
    shown(CamerasCard(look))
    look.edit(size_px=3.3, frustum_scale=1.7)  # neither is a whole step of its slider
    assert look.value.size_px == 3.3
    assert look.value.frustum_scale == 1.7


def test_cameras_are_chosen_and_modes_are_asked_for(shown, look, qtbot):
    card = shown(CamerasCard(look))
    qtbot.mouseClick(card._frusta.button(ShownFrusta.NONE), LEFT)
    assert look.value.shown_frusta is ShownFrusta.NONE
    assert not card._pictures.isEnabled()
    with qtbot.waitSignal(card.fly_toggled) as caught:
        card._fly.click()
    assert caught.args == [True]
    with qtbot.assertNotEmitted(card.follow_toggled):
        card.show_follow(True)
    card._size.slider.setValue(20)
    assert look.value.frustum_scale == pytest.approx(10)


def test_the_clip_box_fits_the_scene_and_is_edited_by_numbers(shown, session, look):
    card = shown(ClipCard(look, session.cloud, session.alignment))
    card._on.click()
    fitted = look.value.clip_box
    assert fitted is not None
    assert fitted.minimum[2] < 1.9 < 2.1 < fitted.maximum[2]
    card._low[0].setValue(0.0)
    assert look.value.clip_box.minimum == (0.0, *fitted.minimum[1:])
    card._low[0].setValue(1e5)  # past its other end
    assert look.value.clip_box.minimum[0] == 0.0
    assert card._low[0].value() == 0.0
    card._on.click()
    assert look.value.clip_box is None
    assert not card._low[0].isEnabled()


def test_with_a_scale_the_clip_box_reads_and_takes_metres_and_stays(shown, session, look):
    card = shown(ClipCard(look, session.cloud, session.alignment))
    look.edit(clip_box=ClipBox((-1, -1, 0), (1, 1, 4)))
    editor = SceneEditor(session)
    editor.set_length(length_in_units=1.0, length_m=0.5)
    assert look.value.clip_box == ClipBox((-1, -1, 0), (1, 1, 4))
    assert [box.value() for box in card._high] == [0.5, 0.5, 2.0]
    assert card._high[2].suffix() == " m"
    assert card._high[2].singleStep() == pytest.approx(0.05)
    card._high[2].setValue(1.5)
    assert look.value.clip_box == ClipBox((-1, -1, 0), (1, 1, 3))
    session.undo.undo()
    assert look.value.clip_box == ClipBox((-1, -1, 0), (1, 1, 3))
    assert (card._high[2].value(), card._high[2].suffix()) == (3.0, "")
    editor.close()


def test_a_turned_scene_or_a_new_one_takes_its_old_box_away(shown, session, look):
    card = shown(ClipCard(look, session.cloud, session.alignment))
    look.edit(clip_box=ClipBox((0, 0, 0), (1, 1, 1)))
    session.alignment.set(session.alignment.value.with_up(np.array([1.0, 0, 0])))
    assert look.value.clip_box != ClipBox((0, 0, 0), (1, 1, 1))
    session.begin("next.mp4")
    assert look.value.clip_box is None
    assert not card._on.isEnabled()
    assert "no points" in card._on.toolTip()


def test_up_and_scale_are_asked_for_and_shown(shown, session, qtbot):
    card = shown(AlignCard(session.alignment))
    assert not card._floor.isEnabled()
    card.set_has_scene(True)
    with qtbot.waitSignal(card.align_requested) as caught:
        qtbot.mouseClick(card._ways[AlignWay.VIEW], LEFT)
    assert caught.args == [AlignWay.VIEW]
    with qtbot.waitSignal(card.tool_requested) as caught:
        qtbot.mouseClick(card._set_scale, LEFT)
    assert caught.args == [PointTool.SCALE]
    assert "relative" in card._scale.text()
    assert not card._clear_scale.isEnabled()
    session.alignment.set(session.alignment.value.with_length(2.0, 5.0))
    assert "2.5 m" in card._scale.text()
    with qtbot.waitSignal(card.scale_clear_requested):
        qtbot.mouseClick(card._clear_scale, LEFT)


def test_measurements_are_listed_in_the_unit_in_force_and_deleted(shown, session, qtbot):
    card = shown(MeasureCard(session.tools, session.alignment))
    card.set_has_scene(True)
    session.tools.set_measurements((UNIT, TWO))
    session.alignment.set(session.alignment.value.with_length(1.0, 0.5))
    assert [card._list.item(row).text()[-5:] for row in (0, 1)] == ["50 cm", "  1 m"]
    card._list.setCurrentRow(0)
    with qtbot.waitSignal(card.kept) as caught:
        qtbot.mouseClick(card._delete, LEFT)
    assert caught.args == [(TWO,)]
    with qtbot.waitSignal(card.kept) as caught:
        qtbot.mouseClick(card._delete_all, LEFT)
    assert caught.args == [()]


def test_the_measure_button_shows_whether_the_tool_is_in_hand(shown, session, qtbot):
    card = shown(MeasureCard(session.tools, session.alignment))
    card.set_has_scene(True)
    with qtbot.waitSignal(card.tool_requested) as caught:
        qtbot.mouseClick(card._start, LEFT)
    assert caught.args == [PointTool.MEASURE]
    session.tools.start(PointTool.MEASURE)
    assert card._start.isChecked()
    with qtbot.waitSignal(card.tool_requested) as caught:
        qtbot.mouseClick(card._start, LEFT)
    assert caught.args == [None]
    session.tools.start(PointTool.SCALE)
    assert not card._start.isChecked()
