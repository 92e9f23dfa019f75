"""The floating lines over the scene, and the scale dialog."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from zipmap_app.state.tools import PointTool, ToolModel
from zipmap_app.ui.finalise_bar import FinaliseBar
from zipmap_app.ui.scale_dialog import ScaleDialog
from zipmap_app.ui.tool_hint import ToolHint


@pytest.fixture
def stage(qtbot) -> QWidget:
    stage = QWidget()
    qtbot.addWidget(stage)
    stage.resize(800, 500)
    stage.show()
    return stage


def button(parent: QWidget, text: str) -> QPushButton:
    return next(each for each in parent.findChildren(QPushButton) if each.text().strip() == text)


def test_the_hint_follows_the_tool(qtbot, stage: QWidget) -> None:
    tools = ToolModel()
    hint = ToolHint(tools, stage)
    hint.cancel_requested.connect(tools.cancel)
    assert not hint.isVisible()
    tools.start(PointTool.MEASURE)
    assert hint.isVisible()
    first = hint.findChild(type(hint._text)).text()
    tools.add_point(np.zeros(3))
    assert hint.findChild(type(hint._text)).text() != first
    for _ in range(2):
        qtbot.mouseClick(button(hint, "Esc"), Qt.MouseButton.LeftButton)
    assert tools.tool is None
    assert not hint.isVisible()
    hint.disconnect_model()


def test_the_hint_is_inside_its_stage(stage: QWidget) -> None:
    tools = ToolModel()
    hint = ToolHint(tools, stage)
    tools.start(PointTool.GHOST)
    assert stage.rect().contains(hint.geometry())
    hint.disconnect_model()


def test_finalising_can_be_cancelled_and_then_compared(qtbot, stage: QWidget) -> None:
    bar = FinaliseBar(stage)
    said: list[object] = []
    bar.cancel_requested.connect(lambda: said.append("cancel"))
    bar.refined_chosen.connect(said.append)
    bar.kept.connect(lambda: said.append("kept"))
    assert not bar.isVisible()
    bar.show_progress(0.25)
    assert "25" in bar._text.text()
    qtbot.mouseClick(button(bar, "Cancel"), Qt.MouseButton.LeftButton)
    bar.show_choice(is_refined=True)
    assert bar.choice.value is True
    assert not button(bar, "Cancel").isVisible()
    qtbot.mouseClick(bar.choice.button(False), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(bar, "Keep this"), Qt.MouseButton.LeftButton)
    assert said == ["cancel", False, "kept"]
    assert not bar.isVisible()
    assert bar.width() <= stage.width()


@pytest.mark.parametrize(("unit", "metres"), [("m", 2.5), ("cm", 0.025), ("ft", 0.762)])
def test_a_length_is_entered_in_any_unit(qtbot, stage: QWidget, unit: str, metres: float) -> None:
    dialog = ScaleDialog(stage)
    dialog.length.setValue(2.5)
    dialog.unit.setCurrentText(unit)
    assert dialog.length_m == pytest.approx(metres)
