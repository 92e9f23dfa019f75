"""What an empty window shows: the ways to begin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from zipmap_app.ui.theme import PALETTE

_MAX_SHOWN = 3
_PICTURE_SIZE = QSize(56, 36)


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

    def show_recent(
        self, paths: list[Path], thumbnail: Callable[[Path], QPixmap | None] = lambda path: None
    ) -> None:
        """List what was opened lately, with a picture where there is one; missing files are greyed."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        if not paths:
            return
        heading = QLabel("Recent")
        heading.setProperty("role", "small")
        heading.setContentsMargins(6, 10, 0, 2)
        self._recent.addWidget(heading)
        for path in paths[:_MAX_SHOWN]:
            button = _recent_button(path, thumbnail(path))
            button.clicked.connect(lambda _=False, path=path: self.open_requested.emit(str(path)))
            self._recent.addWidget(button)


def _recent_button(path: Path, picture: QPixmap | None) -> QPushButton:
    button = QPushButton()
    button.setObjectName("recent")
    button.setIconSize(_PICTURE_SIZE)
    # Without a picture the place stays empty, so that the names stand in one column.
    icon = QIcon(_framed(picture))
    button.setIcon(icon)
    exists = path.exists()
    text = f"  {path.name}    {path.parent}" if exists else f"  {path.name}    is no longer there"
    button.setText(button.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, 420))
    button.setToolTip(str(path))
    button.setEnabled(exists)
    return button


def _framed(picture: QPixmap | None) -> QPixmap:
    """The picture cropped to the size it is shown at, or an empty place of that size."""
    size = _PICTURE_SIZE * 2  # for screens of high density
    if picture is None:
        empty = QPixmap(size)
        empty.fill(QColor(PALETTE.raised))
        return empty
    filling = picture.scaled(
        size, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    left, top = (filling.width() - size.width()) // 2, (filling.height() - size.height()) // 2
    return filling.copy(left, top, size.width(), size.height())


def _action_button(action: QAction, *, is_primary: bool) -> QPushButton:
    button = QPushButton(action.iconText() if not is_primary else action.iconText().strip())
    # The primary button's dark text on blue needs no grey icon beside it.
    if not is_primary:
        button.setIcon(action.icon())
    button.setProperty("primary", is_primary)
    button.setToolTip(action.toolTip())
    button.clicked.connect(lambda: action.trigger())
    return button
