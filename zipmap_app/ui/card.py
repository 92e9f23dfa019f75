"""The titled box that panels of the side column are made of."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget


class Card(QFrame):
    """A rounded box with a title row; put the content into ``body``, small controls into ``title_row``."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(12, 10, 12, 12)
        self.body.setSpacing(8)
        self.title_row = QHBoxLayout()
        self.title_row.setSpacing(8)
        label = QLabel(title)
        label.setObjectName("cardTitle")
        self.title_row.addWidget(label)
        self.title_row.addStretch(1)
        self.body.addLayout(self.title_row)


def small_label(text: str = "") -> QLabel:
    """A line of secondary text."""
    label = QLabel(text)
    label.setProperty("role", "small")
    return label
