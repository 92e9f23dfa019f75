"""Drag and drop anywhere in the window, with a word on what will happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from zipmap_app.ui.theme import PALETTE


@dataclass(frozen=True, slots=True)
class DropOffer:
    """What dropping these files would do; ``path`` is None when it would do nothing."""

    text: str
    path: Path | None


def drop_offer(mime: QMimeData, can_open: Callable[[Path], bool], *, is_busy: bool) -> DropOffer | None:
    """Judge a drag; None when it carries no local files."""
    paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
    if not paths:
        return None
    if len(paths) > 1:
        return DropOffer("Drop one video, one picture or one folder", None)
    path = paths[0]
    if not can_open(path):
        return DropOffer(f"{path.name} is neither a video nor a picture nor a folder of pictures", None)
    verb = "Replace the current scene with" if is_busy else "Reconstruct"
    kind = "the photos in " if path.is_dir() else ""
    return DropOffer(f"{verb} {kind}{path.name}", path)


class DropOverlay(QWidget):
    """Covers the window while something is dragged over it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._window = parent
        self._offer: DropOffer | None = None
        self.hide()

    def show_offer(self, offer: DropOffer) -> None:
        self._offer = offer
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._offer is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shade = QColor(PALETTE.base)
        shade.setAlpha(232)
        painter.fillRect(self.rect(), shade)
        color = QColor(PALETTE.accent if self._offer.path else PALETTE.error)
        painter.setPen(QPen(color, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 14, 14)
        font = painter.font()
        font.setPixelSize(22)
        painter.setFont(font)
        painter.setPen(QColor(PALETTE.text))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.rect().adjusted(60, 60, -60, -60), flags, self._offer.text)
        painter.end()
