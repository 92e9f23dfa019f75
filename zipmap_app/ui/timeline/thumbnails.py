"""Thumbnails as pixmaps of the strip's height, as many as are looked at."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap

from zipmap_app.state.history import FrameHistory
from zipmap_app.ui.images import qimage_from_rgb

_MAX_PIXMAPS = 256  # a strip on the widest screen shows about a hundred


class ThumbnailCache:
    """Scaled pixmaps by frame; those not asked for longest go first. GUI thread only."""

    def __init__(self, history: FrameHistory, height_px: int) -> None:
        self._history = history
        self._height_px = height_px
        self._pixmaps: OrderedDict[int, QPixmap] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pixmaps)

    @property
    def aspect(self) -> float:
        """Width over height of the newest picture."""
        if not len(self._history):
            return 4 / 3
        height, width = self._history[len(self._history) - 1].size_hw
        return min(max(width / height, 0.5), 2.5)

    def pixmap(self, position: int, device_pixel_ratio: float) -> QPixmap:
        """The picture of a frame, scaled to the strip's height."""
        pixmap = self._pixmaps.get(position)
        if pixmap is None:
            image = qimage_from_rgb(self._history[position].thumbnail)
            height = round(self._height_px * device_pixel_ratio)
            smooth = Qt.TransformationMode.SmoothTransformation
            pixmap = QPixmap.fromImage(image.scaledToHeight(height, smooth))
            pixmap.setDevicePixelRatio(device_pixel_ratio)
            self._pixmaps[position] = pixmap
            if len(self._pixmaps) > _MAX_PIXMAPS:
                self._pixmaps.popitem(last=False)
        else:
            self._pixmaps.move_to_end(position)
        return pixmap

    def clear(self) -> None:
        self._pixmaps.clear()
