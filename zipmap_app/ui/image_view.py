"""Widgets that show a picture, and the colour scales beside it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from zipmap_app.state.depth_colors import TURBO
from zipmap_app.state.lengths import LengthUnit
from zipmap_app.ui.images import CONFIDENCE_TABLE, qimage_from_rgb
from zipmap_app.ui.theme import PALETTE


class ImageView(QWidget):
    """A picture fitted into the widget with its aspect kept, or a line of text while there is none."""

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._placeholder = placeholder
        self._image: QImage | None = None
        self._aspect = 4 / 3
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumSize(100, 70)

    @property
    def has_image(self) -> bool:
        return self._image is not None

    def show_rgb(self, rgb: np.ndarray) -> None:
        """Show (H, W, 3) uint8."""
        self._image = qimage_from_rgb(rgb)
        aspect = rgb.shape[1] / rgb.shape[0]
        if abs(aspect - self._aspect) > 1e-3:
            self._aspect = aspect
            self.updateGeometry()
        self.update()

    def clear(self) -> None:
        self._image = None
        self.update()

    def set_placeholder(self, text: str) -> None:
        self._placeholder = text
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        # A very tall picture must not push everything else out of the panel.
        return round(width / max(self._aspect, 0.75))

    def sizeHint(self) -> QSize:
        return QSize(260, self.heightForWidth(260))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setClipPath(outline)
        painter.fillRect(self.rect(), QColor(PALETTE.base))
        if self._image is None:
            painter.setPen(QColor(PALETTE.faint))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(10, 6, -10, -6), flags, self._placeholder)
        else:
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRectF(0, 0, size.width(), size.height())
            target.moveCenter(QRectF(self.rect()).center())
            painter.drawImage(target, self._image)
        painter.end()


class ColorScale(QWidget):
    """A colour bar with the values at its ends and a title between them."""

    def __init__(self, colors: np.ndarray, title: str, parent: QWidget | None = None) -> None:
        """``colors``: (N, 3) uint8 from left to right."""
        super().__init__(parent)
        self._title = title
        self._left = self._right = 0.0
        self.setFixedHeight(22)
        self._bar = qimage_from_rgb(colors[None])

    def set_range(self, left: float, right: float) -> None:
        """The values at the ends; equal values blank the numbers."""
        self._left, self._right = left, right
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 0, self.width(), 6), self._bar)
        painter.setPen(QColor(PALETTE.dim))
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        labels = self.rect().adjusted(0, 7, 0, 0)
        if self._right > self._left:
            painter.drawText(labels, Qt.AlignmentFlag.AlignLeft, self.text(self._left))
            painter.drawText(labels, Qt.AlignmentFlag.AlignRight, self.text(self._right))
        painter.drawText(labels, Qt.AlignmentFlag.AlignHCenter, self._title)
        painter.end()

    def text(self, value: float) -> str:
        """How a value at an end is written."""
        return f"{value:.3g}"


class DepthScale(ColorScale):
    """The turbo colour bar of a depth picture, near (red) on the left; its ends are in scene units."""

    def __init__(self, title: str = "depth", parent: QWidget | None = None) -> None:
        super().__init__(TURBO[::-1], title, parent)
        self._unit = LengthUnit()

    def set_unit(self, unit: LengthUnit) -> None:
        """How the depths are written from now on."""
        self._unit = unit
        self.update()

    def text(self, value: float) -> str:
        # Without a scale the title says all there is to say.
        return self._unit.text(value) if self._unit.is_metric else super().text(value)


class ConfidenceScale(ColorScale):
    """The colour bar of a confidence picture, unsure on the left."""

    def __init__(self, title: str = "confidence", parent: QWidget | None = None) -> None:
        super().__init__(CONFIDENCE_TABLE, title, parent)
