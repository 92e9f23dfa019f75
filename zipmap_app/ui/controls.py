"""Small controls that several cards are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QWidget,
)

from zipmap_app.ui.card import small_label
from zipmap_app.ui.theme import icon

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[_T]):
    """One segment: the value it stands for, and how it says so."""

    value: _T
    text: str
    tooltip: str


class SegmentedControl(QWidget, Generic[_T]):
    """A row of buttons of which exactly one is pressed. GUI thread only."""

    chosen = Signal(object)  # the value; by the user only

    def __init__(self, choices: Sequence[Choice[_T]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values = [choice.value for choice in choices]
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for index, choice in enumerate(choices):
            button = QPushButton(choice.text)
            button.setCheckable(True)
            button.setToolTip(choice.tooltip)
            place = "first" if index == 0 else "last" if index == len(choices) - 1 else "middle"
            button.setProperty("segment", place)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(button, index)
            row.addWidget(button, 1)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda index: self.chosen.emit(self._values[index]))

    @property
    def value(self) -> _T:
        return self._values[self._group.checkedId()]

    def set_value(self, value: _T) -> None:
        """Show a value without announcing it."""
        self._group.button(self._values.index(value)).setChecked(True)

    def button(self, value: _T) -> QPushButton:
        """The segment of a value."""
        button = self._group.button(self._values.index(value))
        assert isinstance(button, QPushButton)
        return button


class SliderRow(QWidget):
    """A named slider with its value as text. Values are whole steps; the owner knows what they mean."""

    moved = Signal(int)  # by the user only

    def __init__(
        self, title: str, tooltip: str, steps: tuple[int, int], text: Callable[[int], str], title_px: int = 78
    ) -> None:
        super().__init__()
        self._text = text
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(*steps)
        self._value = small_label()
        self._value.setMinimumWidth(48)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        name = small_label(title)
        name.setMinimumWidth(title_px)
        name.setBuddy(self.slider)
        for widget in (name, self.slider):
            widget.setToolTip(tooltip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(name)
        row.addWidget(self.slider, 1)
        row.addWidget(self._value)
        self.slider.valueChanged.connect(self._on_changed)
        self._value.setText(text(self.slider.value()))

    @property
    def step(self) -> int:
        return self.slider.value()

    def set_step(self, step: int) -> None:
        """Show a value without announcing it."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(step)
        self._value.setText(self._text(self.slider.value()))

    def _on_changed(self, step: int) -> None:
        self._value.setText(self._text(step))
        self.moved.emit(step)


def number_box(
    tooltip: str, minimum: float, maximum: float, *, decimals: int = 2, step: float = 0.1, suffix: str = ""
) -> QDoubleSpinBox:
    """A spin box for a number of some kind; see ``style_number_box``."""
    box = QDoubleSpinBox()
    box.setRange(minimum, maximum)
    box.setDecimals(decimals)
    box.setSingleStep(step)
    box.setSuffix(suffix)
    box.setToolTip(tooltip)
    style_number_box(box)
    return box


def style_number_box(box: QDoubleSpinBox) -> None:
    """Small, and a typed number is announced when it is complete, not at every digit."""
    box.setKeyboardTracking(False)
    box.lineEdit().setTextMargins(4, 0, 0, 0)
    box.setMinimumWidth(62)
    box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)  # arrow keys and the wheel still step


def show_number(box: QDoubleSpinBox, value: float) -> None:
    """Put a number into a box without announcing it."""
    with QSignalBlocker(box):
        box.setValue(value)


def tool_button(icon_name: str, tooltip: str, *, is_checkable: bool = False) -> QToolButton:
    """A small icon button that the keyboard reaches, too."""
    button = QToolButton()
    button.setIcon(icon(icon_name))
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip)
    button.setCheckable(is_checkable)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setProperty("role", "small")
    return button


def push_button(text: str, tooltip: str, icon_name: str = "") -> QPushButton:
    """A button with a tooltip and, if named, an icon."""
    button = QPushButton(f" {text}" if icon_name else text)  # Qt leaves no air between icon and text
    if icon_name:
        button.setIcon(icon(icon_name))
    button.setToolTip(tooltip)
    button.setProperty("role", "compact")
    # A click leaves the focus where it was: Space goes on meaning pause.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def check_box(text: str, tooltip: str) -> QCheckBox:
    """A check box with a tooltip."""
    box = QCheckBox(text)
    box.setToolTip(tooltip)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return box


def set_enabled_or_why(widget: QWidget, why_not: str, tooltip: str) -> None:
    """Enable a widget, or disable it and let its tooltip say why."""
    widget.setEnabled(not why_not)
    widget.setToolTip(f"{tooltip}\n{why_not}" if why_not else tooltip)


def wrapped_label(text: str = "") -> QLabel:
    """Secondary text over as many lines as it needs."""
    label = small_label(text)
    label.setWordWrap(True)
    return label
