"""The line over the scene that says what to click next."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from zipmap_app.state.tools import ToolModel
from zipmap_app.ui.controls import push_button

_TOP_PX = 12


class ToolHint(QFrame):
    """Floats at the top of its parent while a point tool is in hand. GUI thread only."""

    cancel_requested = Signal()

    def __init__(self, tools: ToolModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toolHint")
        self._tools = tools
        self._stage = parent
        self._text = QLabel()
        cancel = push_button("Esc", "Take back the clicked points, or put the tool away (Esc)")
        cancel.clicked.connect(lambda: self.cancel_requested.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 8, 6)
        row.setSpacing(12)
        row.addWidget(self._text)
        row.addWidget(cancel)
        self._disconnect = tools.changed.connect(self._refresh)
        self._refresh()

    def disconnect_model(self) -> None:
        """Listen to the tools no more."""
        self._disconnect()

    def place(self) -> None:
        """Centre it over the parent, whose size changed."""
        self.adjustSize()
        self.move((self._stage.width() - self.width()) // 2, _TOP_PX)

    def _refresh(self) -> None:
        tool = self._tools.tool
        self.setVisible(tool is not None)
        if tool is not None:
            self._text.setText(tool.hint(len(self._tools.points)))
            self.place()
            self.raise_()
