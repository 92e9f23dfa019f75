"""Keeps one-key shortcuts away from whoever types."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

_TYPING = (QLineEdit, QAbstractSpinBox, QPlainTextEdit)
_MOVING = (QAbstractSlider, QAbstractItemView, QComboBox)
_ARROWS = {
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}
_FLYING = {Qt.Key.Key_W, Qt.Key.Key_A, Qt.Key.Key_S, Qt.Key.Key_D, Qt.Key.Key_Q, Qt.Key.Key_E}
_COMMAND = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


class ShortcutGuard(QObject):
    """Lets a text field have every plain key, sliders and lists the arrows, and flying its own keys.

    Qt asks the focused widget before it runs a shortcut (ShortcutOverride); accepting means: mine. Sliders, lists
    and buttons do not claim the keys that they understand, so this does it for them. It watches the focused
    widget only: a filter of the application would see every event of every widget. GUI thread only.
    """

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._is_flying = False
        application.focusChanged.connect(self._on_focus)
        self._on_focus(None, QApplication.focusWidget())

    def set_flying(self, is_flying: bool) -> None:
        """While flying W A S D Q E belong to the view."""
        self._is_flying = is_flying

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        is_claimed = self._is_claimed(watched, event)
        if is_claimed:
            event.accept()
        return is_claimed

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is not None:
            old.removeEventFilter(self)
        if new is not None:
            new.installEventFilter(self)

    def _is_claimed(self, watched: QObject, event: QKeyEvent) -> bool:
        if event.modifiers() & _COMMAND:
            return False
        key = Qt.Key(event.key())
        if isinstance(watched, _TYPING):
            return key is not Qt.Key.Key_Escape and not Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
        if isinstance(watched, QAbstractButton):
            return key is Qt.Key.Key_Space
        if isinstance(watched, _MOVING):
            return key in _ARROWS
        return self._is_flying and key in _FLYING
