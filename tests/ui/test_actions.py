"""The table of actions, the menus made of it, and who owns a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QCheckBox, QLineEdit, QSlider, QVBoxLayout, QWidget

from zipmap_app.ui.actions import ACTIONS, ActionId, Actions
from zipmap_app.ui.chrome import MENUS
from zipmap_app.ui.dialogs import ShortcutsDialog
from zipmap_app.ui.shortcut_guard import ShortcutGuard
from zipmap_app.ui.theme import style_sheet


def test_every_action_is_in_exactly_one_menu():
    listed = [action_id for _, sections in MENUS for section in sections for action_id in section]
    assert sorted(id_.name for id_ in listed) == sorted(id_.name for id_ in ActionId)


def test_one_colour_is_checked_at_a_time(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    actions = Actions(window)
    assert actions[ActionId.COLOR_PICTURE].isChecked()
    actions[ActionId.COLOR_TIME].trigger()
    assert not actions[ActionId.COLOR_PICTURE].isChecked()
    assert actions[ActionId.COLOR_TIME].isChecked()


def test_the_shortcuts_page_is_complete_and_fits_a_small_screen(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    dialog = ShortcutsDialog(window)
    dialog.setStyleSheet(style_sheet())
    texts = {label.text() for label in dialog.findChildren(QWidget) if hasattr(label, "text")}
    for spec in ACTIONS:
        if spec.shortcuts:
            assert " or ".join(spec.shortcuts) in texts
    size = dialog.sizeHint()
    assert size.width() <= 1280
    assert size.height() <= 760


class Form(QWidget):
    """A window with one-key shortcuts and things that want those keys."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[str] = []
        for key in ("Q", "Space", "Left", "Ctrl+Z", "F1", "W"):
            action = QAction(self)
            action.setShortcut(key)
            action.triggered.connect(lambda _=False, key=key: self.pressed.append(key))
            self.addAction(action)
        self.text, self.slider, self.box = QLineEdit(), QSlider(Qt.Orientation.Horizontal), QCheckBox("on")
        self.canvas = QWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.slider.setValue(50)
        layout = QVBoxLayout(self)
        for widget in (self.text, self.slider, self.box, self.canvas):
            layout.addWidget(widget)


@pytest.fixture
def guard(qapp) -> Iterator[ShortcutGuard]:
    guard = ShortcutGuard(qapp)
    yield guard
    guard.setParent(None)
    guard.deleteLater()


@pytest.fixture
def form(qtbot, guard) -> Form:
    form = Form()
    qtbot.addWidget(form)
    with qtbot.waitExposed(form):
        form.show()
    form.activateWindow()
    qtbot.waitUntil(form.isActiveWindow)
    return form


def focus(qtbot, widget: QWidget) -> QWidget:
    widget.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is widget)
    return widget


def test_typing_is_not_a_shortcut_but_commands_are(form, qtbot):
    qtbot.keyClicks(focus(qtbot, form.text), "Q w")
    assert form.text.text() == "Q w"
    assert form.pressed == []
    qtbot.keyClick(form.text, Qt.Key.Key_F1)
    assert form.pressed == ["F1"]


def test_a_slider_keeps_its_arrows_and_a_box_its_space(form, qtbot):
    qtbot.keyClick(focus(qtbot, form.slider), Qt.Key.Key_Left)
    assert form.slider.value() == 49
    qtbot.keyClick(form.slider, Qt.Key.Key_Q)
    qtbot.keyClick(focus(qtbot, form.box), Qt.Key.Key_Space)
    assert form.box.isChecked()
    assert form.pressed == ["Q"]


def test_flying_takes_its_keys_and_gives_them_back(form, guard, qtbot):
    focus(qtbot, form.canvas)
    guard.set_flying(True)
    qtbot.keyClick(form.canvas, Qt.Key.Key_W)
    qtbot.keyClick(form.canvas, Qt.Key.Key_Q)
    assert form.pressed == []
    guard.set_flying(False)
    qtbot.keyClick(form.canvas, Qt.Key.Key_Q)
    assert form.pressed == ["Q"]
