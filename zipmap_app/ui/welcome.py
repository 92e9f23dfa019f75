"""What an empty window shows: the ways to begin."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

_MAX_SHOWN = 3


class Welcome(QWidget):
    """A card in the middle of the empty viewport."""

    open_requested = Signal(str)

    def __init__(self, actions: tuple[QAction, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel("ZipMap Studio")
        title.setObjectName("welcomeTitle")
        text = QLabel("Live 3D reconstruction from a webcam, a video or photos")
        text.setObjectName("welcomeText")
        zone = QFrame()
        zone.setObjectName("dropZone")
        drop_text = QLabel("Drop a video or a photo folder here")
        drop_text.setObjectName("dropText")
        formats = QLabel("MP4, MOV, AVI, MKV, GIF  ·  JPEG, PNG, HEIC, WebP, TIFF")
        formats.setProperty("role", "small")
        zone_layout = QVBoxLayout(zone)
        zone_layout.setContentsMargins(20, 26, 20, 26)
        zone_layout.setSpacing(6)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for index, action in enumerate(actions):
            buttons.addWidget(_action_button(action, is_primary=index == 0))
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        card = QFrame()
        card.setObjectName("welcomeCard")
        card.setFixedWidth(580)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(36, 30, 36, 26)
        layout.setSpacing(6)
        for label in (title, text):
            layout.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        for label in (drop_text, formats):
            zone_layout.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(14)
        layout.addWidget(zone)
        layout.addSpacing(10)
        layout.addLayout(buttons)
        layout.addLayout(self._recent)
        outer = QVBoxLayout(self)
        outer.addWidget(card, 0, Qt.AlignmentFlag.AlignCenter)

    def show_recent(self, paths: list[Path]) -> None:
        """List what was opened lately; missing files are greyed."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        if not paths:
            return
        heading = QLabel("Recent")
        heading.setProperty("role", "small")
        heading.setContentsMargins(6, 14, 0, 2)
        self._recent.addWidget(heading)
        for path in paths[:_MAX_SHOWN]:
            button = QPushButton()
            button.setObjectName("recent")
            text = f"{path.name}    {path.parent}"
            button.setText(button.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, 480))
            button.setToolTip(str(path))
            button.setEnabled(path.exists())
            button.clicked.connect(lambda _=False, path=path: self.open_requested.emit(str(path)))
            self._recent.addWidget(button)


def _action_button(action: QAction, *, is_primary: bool) -> QPushButton:
    button = QPushButton(action.iconText() if not is_primary else action.iconText().strip())
    # The primary button's dark text on blue needs no grey icon beside it.
    if not is_primary:
        button.setIcon(action.icon())
    button.setProperty("primary", is_primary)
    button.setToolTip(action.toolTip())
    button.clicked.connect(lambda: action.trigger())
    return button
