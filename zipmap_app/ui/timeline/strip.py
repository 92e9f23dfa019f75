"""The strip of frames: pictures, time colours, keyframe ticks and the playhead."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFocusEvent,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from zipmap_app.scene.colors import TIME_RAMP
from zipmap_app.state.history import FrameHistory, FrameRecord
from zipmap_app.state.timeline import Timeline
from zipmap_app.ui.theme import PALETTE
from zipmap_app.ui.timeline.scale import FrameScale
from zipmap_app.ui.timeline.thumbnails import ThumbnailCache

_PICTURE_PX = 42
_BAR_PX = 4
_TICKS_PX = 8
_TOP_PX = 6  # room for the playhead's handle
_SIDE_PX = 10
_ZOOM_PER_NOTCH = 1.25
_SCROLL_PX_PER_NOTCH = 90
_FAST_STEP = 10


class FrameStrip(QWidget):
    """Shows a FrameHistory and scrubs a Timeline. Paints only what is visible. GUI thread only."""

    def __init__(self, history: FrameHistory, timeline: Timeline, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._timeline = timeline
        self._scale = FrameScale()
        self._thumbnails = ThumbnailCache(history, _PICTURE_PX)
        self._keyframes: list[int] = []
        self.setFixedHeight(_TOP_PX + _PICTURE_PX + _BAR_PX + _TICKS_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Timeline")
        self.setToolTip(
            "Click or drag to look at a frame. Wheel zooms, Shift+wheel scrolls.\n"
            "Left and Right step one frame, with Shift ten; Home is the first, End the newest"
        )
        self._disconnects = (
            timeline.changed.connect(self._on_timeline),
            history.appended.connect(self._on_appended),
            history.changed.connect(self._on_history),
        )
        self._on_history()

    def release(self) -> None:
        """Let go of the models."""
        for disconnect in self._disconnects:
            disconnect()

    @property
    def scale(self) -> FrameScale:
        """What lies where, in pixels from the first picture's place."""
        return self._scale

    @property
    def n_cached(self) -> int:
        """How many pictures are held ready."""
        return len(self._thumbnails)

    # The models speak

    def _on_timeline(self) -> None:
        self._fit()
        position = self._timeline.position
        if position is not None:
            self._scale = self._scale.showing(position)
        self.update()

    def _on_appended(self, record: FrameRecord) -> None:
        if record.is_keyframe:
            self._keyframes.append(record.position)

    def _on_history(self) -> None:
        self._thumbnails.clear()
        self._keyframes = [record.position for record in self._history.records if record.is_keyframe]
        self._on_timeline()

    def _fit(self) -> None:
        n_frames = min(self._timeline.n_frames, len(self._history))
        self._scale = self._scale.resized(n_frames, self.width() - 2 * _SIDE_PX)

    # The user acts

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._seek_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek_to(event.position().x())

    def _seek_to(self, x: float) -> None:
        if self._scale.n_frames:
            self._timeline.pause()
            self._timeline.seek(self._scale.position_at(x - _SIDE_PX))

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        if delta.x() or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            notches = (delta.x() or delta.y()) / 120
            self._scale = self._scale.scrolled(-notches * _SCROLL_PX_PER_NOTCH)
        else:
            factor = _ZOOM_PER_NOTCH ** (delta.y() / 120)
            self._scale = self._scale.zoomed(factor, event.position().x() - _SIDE_PX)
        self.update()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _FAST_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        match event.key():
            case Qt.Key.Key_Left:
                self._timeline.step(-step)
            case Qt.Key.Key_Right:
                self._timeline.step(step)
            case Qt.Key.Key_Home:
                self._timeline.pause()
                self._timeline.seek(0)
            case Qt.Key.Key_End:
                self._timeline.seek(None)
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    # Painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._scale.n_frames:
            painter.setPen(QColor(PALETTE.faint))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Frames appear here as they come")
            painter.end()
            return
        painter.translate(_SIDE_PX, _TOP_PX)
        painter.save()
        painter.setClipRect(QRectF(0, 0, self._scale.width_px, self.height()))
        self._paint_pictures(painter)
        self._paint_time(painter)
        self._paint_keyframes(painter)
        painter.restore()
        self._paint_playhead(painter)
        painter.end()

    def _paint_pictures(self, painter: QPainter) -> None:
        picture_px = _PICTURE_PX * self._thumbnails.aspect
        step = self._scale.picture_step(picture_px)
        visible = self._scale.visible
        first = visible.start - visible.start % step
        ratio = self.devicePixelRatioF()
        for position in range(first, visible.stop, step):
            x = self._scale.x_from_place(position)
            room = QRectF(x, 0, step * self._scale.scale - 1, _PICTURE_PX)
            painter.fillRect(room, QColor(PALETTE.surface))
            pixmap = self._thumbnails.pixmap(position, ratio)
            size = pixmap.deviceIndependentSize()
            shown_px = min(size.width(), room.width())
            cropped_px = (size.width() - shown_px) / 2
            shown = QRectF(cropped_px * ratio, 0, shown_px * ratio, size.height() * ratio)
            painter.drawPixmap(QPointF(x, 0), pixmap, shown)

    def _paint_time(self, painter: QPainter) -> None:
        start, end = self._scale.x_from_place(0), self._scale.x_from_place(self._scale.n_frames)
        gradient = QLinearGradient(start, 0, end, 0)
        for place, color in zip(np.linspace(0, 1, len(TIME_RAMP)), TIME_RAMP, strict=True):
            gradient.setColorAt(float(place), QColor.fromRgbF(*map(float, color)))
        painter.fillRect(QRectF(start, _PICTURE_PX + 1, end - start, _BAR_PX), QBrush(gradient))

    def _paint_keyframes(self, painter: QPainter) -> None:
        keyframes = np.asarray(self._keyframes, float)
        visible = self._scale.visible
        keyframes = keyframes[(keyframes >= visible.start) & (keyframes < visible.stop)]
        # One tick a pixel column at most: ten thousand ticks cost no more than the width has pixels.
        columns = np.unique(((keyframes + 0.5 - self._scale.first) * self._scale.scale).astype(int))
        top = _PICTURE_PX + _BAR_PX + 2
        painter.setPen(QPen(QColor(PALETTE.edge), 1))
        painter.drawLines([QLineF(x + 0.5, top, x + 0.5, top + 4) for x in columns.tolist()])

    def _paint_playhead(self, painter: QPainter) -> None:
        position = self._timeline.position
        if position is None:
            return
        x = self._scale.x_from_place(position + 0.5)
        if not 0 <= x <= self._scale.width_px:
            return
        is_newest = self._timeline.cursor is None
        color = QColor(PALETTE.good if is_newest else PALETTE.text)
        painter.setPen(QPen(color, 2))
        painter.drawLine(QPointF(x, 0), QPointF(x, _PICTURE_PX + _BAR_PX + 4))
        painter.setPen(QPen(QColor(PALETTE.accent), 1.5) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(color)
        handle = [QPointF(x - 5, -_TOP_PX + 1), QPointF(x + 5, -_TOP_PX + 1), QPointF(x, 3)]
        painter.drawPolygon(QPolygonF(handle))
