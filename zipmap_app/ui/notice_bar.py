"""A strip above the viewport that tells the user what happened, without stopping anything."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from zipmap_app.state.session import Notice
from zipmap_app.ui.theme import icon

_MAX_STACKED = 20


class NoticeBar(QFrame):
    """Shows the newest notice; closing it brings back the one before. Never modal."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._stack: list[Notice] = []
        self._sentence = QLabel()
        self._sentence.setWordWrap(True)
        self._more = QLabel()
        self._more.setProperty("role", "dim")
        self._details_button = QPushButton("Details")
        self._details_button.setCheckable(True)
        self._details_button.setProperty("flat", True)
        self._copy_button = QPushButton("Copy")
        self._copy_button.setProperty("flat", True)
        self._copy_button.setToolTip("Copy the sentence and the details for a report")
        close_button = QToolButton()
        close_button.setIcon(icon("close"))
        close_button.setToolTip("Dismiss")
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setFixedHeight(150)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._sentence, 1)
        for widget in (self._more, self._details_button, self._copy_button, close_button):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 6, 8, 6)
        layout.addLayout(row)
        layout.addWidget(self._details)
        self._details_button.toggled.connect(self._details.setVisible)
        self._copy_button.clicked.connect(self._on_copy)
        close_button.clicked.connect(self.dismiss)
        self._show_top()

    @property
    def sentence(self) -> str:
        """What is shown, or an empty string."""
        return self._stack[-1].sentence if self._stack else ""

    def add(self, notice: Notice) -> None:
        """Show a notice on top of the others; the same sentence is not stacked twice."""
        self._stack = [old for old in self._stack if old.sentence != notice.sentence]
        self._stack = [*self._stack, notice][-_MAX_STACKED:]
        self._show_top()

    def dismiss(self) -> None:
        if self._stack:
            self._stack.pop()
        self._show_top()

    def clear(self) -> None:
        self._stack.clear()
        self._show_top()

    def _show_top(self) -> None:
        self.setVisible(bool(self._stack))
        self._details_button.setChecked(False)
        self._details.hide()
        if not self._stack:
            return
        notice = self._stack[-1]
        self._sentence.setText(notice.sentence)
        self._more.setText(f"and {len(self._stack) - 1} more" if len(self._stack) > 1 else "")
        self._details.setPlainText(notice.details)
        self._details_button.setVisible(bool(notice.details))
        self._copy_button.setVisible(bool(notice.details))
        self.setProperty("severity", notice.severity.value)
        # A style sheet looks at properties only when the widget is polished.
        self.style().unpolish(self)
        self.style().polish(self)

    def _on_copy(self) -> None:
        notice = self._stack[-1]
        QGuiApplication.clipboard().setText(f"{notice.sentence}\n\n{notice.details}")
