"""The frame under the timeline's playhead."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QWidget

from zipmap_app.state.history import FrameDetail, FrameHistory, FrameRecord
from zipmap_app.state.timeline import Timeline
from zipmap_app.ui.card import Card
from zipmap_app.ui.controls import wrapped_label
from zipmap_app.ui.pictures import ViewPictures
from zipmap_app.ui.throttle import Throttle

_FOLLOW_MS = 100


class FrameCard(Card):
    """Picture, depth and confidence of one frame; colours them only while it can be seen. GUI thread only."""

    def __init__(self, history: FrameHistory, timeline: Timeline, parent: QWidget | None = None) -> None:
        super().__init__("Frame", parent)
        self._history = history
        self._timeline = timeline
        self._shown: tuple[FrameRecord | None, FrameDetail | None] | None = None
        self._keyframe = QLabel("keyframe")
        self._keyframe.setProperty("role", "mark")
        self._keyframe.setToolTip("This frame shows enough that is new: it is kept for finalising")
        self.title_row.addWidget(self._keyframe)
        self.pictures = ViewPictures("No frame yet")
        self._caption = wrapped_label()
        self.body.addWidget(self.pictures)
        self.body.addWidget(self._caption)
        self._follow = Throttle(self._refresh, _FOLLOW_MS, self)
        self._disconnects = (
            timeline.changed.connect(self._on_timeline),
            history.changed.connect(self._refresh),
        )
        self._refresh()

    def release(self) -> None:
        """Let go of the models."""
        self._follow.stop()
        for disconnect in self._disconnects:
            disconnect()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def _on_timeline(self) -> None:
        if self._timeline.cursor is None:
            self._follow()  # frames of a fast model need not all be coloured
        else:
            self._refresh()

    def _refresh(self) -> None:
        if not self.isVisible() and self._shown is not None:
            return
        position = self._timeline.position
        # While a run is cut or restored the timeline may be ahead of the history.
        is_known = position is not None and position < len(self._history)
        record = self._history[position] if is_known and position is not None else None
        detail = self._history.detail(record.position) if record is not None else None
        if self._shown is not None and self._shown[0] is record and self._shown[1] is detail:
            return
        self._shown = (record, detail)
        if record is None:
            self.pictures.clear()
        elif detail is None:
            self.pictures.show_view(record.thumbnail, None, None)
        else:
            self.pictures.show_view(detail.rgb, detail.depth, detail.confidence)
        self._keyframe.setVisible(record is not None and record.is_keyframe)
        self._caption.setText(_caption(record, detail))
        self._caption.setVisible(record is not None)


def _caption(record: FrameRecord | None, detail: FrameDetail | None) -> str:
    if record is None:
        return ""
    height, width = record.size_hw
    text = f"{record.name}  ·  {record.timestamp_s:.2f} s  ·  {width} × {height}"
    if detail is None:
        text += "\nOnly the thumbnail was kept: the memory for pictures is full"
    return text
