"""The timeline under the canvas: playing, stepping back, and going on from an earlier frame."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from zipmap_app.state.appearance import AppearanceModel, ShownFrames
from zipmap_app.state.history import FrameHistory
from zipmap_app.state.timeline import SPEEDS, Timeline
from zipmap_app.ui.card import small_label
from zipmap_app.ui.controls import (
    Choice,
    SegmentedControl,
    push_button,
    set_enabled_or_why,
    tool_button,
)
from zipmap_app.ui.theme import icon
from zipmap_app.ui.timeline.strip import FrameStrip

_TICK_MS = 33
_REWIND_TIP = (
    "Cut off the frames after this one and reconstruct on from here, exactly as if they had never come.\n"
    "Undo brings them back"
)
_SHOWN = (
    Choice(ShownFrames.ALL, "All", "Draw the points of all frames"),
    Choice(ShownFrames.PAST, "Past", "Draw the points up to the frame under the playhead"),
    Choice(ShownFrames.CURRENT, "Current", "Draw the points of the frame under the playhead only"),
)


class TimelinePanel(QFrame):
    """A row of controls over the strip of frames; folds down to the row. GUI thread only.

    The only timer runs while the recording is played back, which is apart from pausing the reconstruction.
    """

    rewind_requested = Signal(int)  # how many frames to keep
    folded = Signal(bool)

    def __init__(
        self,
        history: FrameHistory,
        timeline: Timeline,
        look: AppearanceModel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("timeline")
        self._timeline = timeline
        self._look = look
        self.strip = FrameStrip(history, timeline)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        self._last_tick_s = 0.0
        self._build()
        self._disconnects = (
            timeline.changed.connect(self._on_timeline),
            look.changed.connect(lambda appearance: self._shown.set_value(appearance.shown_frames)),
        )
        self._shown.set_value(look.value.shown_frames)
        self._on_timeline()

    def release(self) -> None:
        """Let go of the models, and play no more."""
        self._timer.stop()
        self.strip.release()
        for disconnect in self._disconnects:
            disconnect()

    @property
    def can_rewind(self) -> bool:
        """Whether "Continue from here" would do something now."""
        return self._rewind.isEnabled()

    @property
    def is_folded(self) -> bool:
        return self.strip.isHidden()

    def set_folded(self, is_folded: bool) -> None:
        self.strip.setVisible(not is_folded)
        self._fold.setIcon(icon("chevron_up" if is_folded else "chevron_down"))
        self._fold.setToolTip("Show the strip of frames" if is_folded else "Hide the strip of frames")
        self.folded.emit(is_folded)

    def toggle_playing(self) -> None:
        """Play back from the playhead, or stop playing."""
        if self._timeline.is_playing:
            self._timeline.pause()
        else:
            self._timeline.play()

    def request_rewind(self) -> None:
        """Ask to cut off what comes after the frame under the playhead."""
        if self.can_rewind and self._timeline.position is not None:
            self.rewind_requested.emit(self._timeline.position + 1)

    # Construction

    def _build(self) -> None:
        self._play = tool_button("play", "Play the recording back (K)")
        self._play.clicked.connect(lambda: self.toggle_playing())
        self._speed = QComboBox()
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g}×", speed)
        self._speed.setToolTip("Speed of playing back")
        self._speed.activated.connect(lambda index: self._timeline.set_speed(SPEEDS[index]))
        self._live = push_button("Newest", "Follow the newest frame (End)", "live")
        self._live.setCheckable(True)
        self._live.clicked.connect(lambda: self._timeline.seek(None))
        self._time = QLabel()
        self._time.setToolTip("Time in the recording, and the frame under the playhead")
        self._rewind = push_button("Continue from here", _REWIND_TIP, "rewind")
        self._rewind.clicked.connect(lambda: self.request_rewind())
        self._shown: SegmentedControl[ShownFrames] = SegmentedControl(_SHOWN)
        self._shown.chosen.connect(lambda shown: self._look.edit(shown_frames=shown))
        self._fold = tool_button("chevron_down", "Hide the strip of frames")
        self._fold.clicked.connect(lambda: self.set_folded(not self.is_folded))
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(8)
        left: tuple[QWidget, ...] = (self._play, self._speed, self._live, self._time)
        right: tuple[QWidget, ...] = (self._rewind, small_label("Points"), self._shown, self._fold)
        for widget in left:
            row.addWidget(widget)
        row.addStretch(1)
        for widget in right:
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.strip)

    # What is

    def _on_timeline(self) -> None:
        timeline = self._timeline
        is_playing = timeline.is_playing
        if is_playing and not self._timer.isActive():
            self._last_tick_s = time.monotonic()
            self._timer.start()
        elif not is_playing:
            self._timer.stop()
        self._show_play_button(self._play, is_playing)
        self._speed.setCurrentIndex(SPEEDS.index(timeline.speed) if timeline.speed in SPEEDS else -1)
        self._live.setChecked(timeline.cursor is None)
        for widget in (self._live, self._shown):
            widget.setEnabled(timeline.n_frames > 0)
        self._play.setEnabled(timeline.n_frames > 1)
        self._time.setText(_time_text(timeline))
        self._show_rewind()

    def _show_play_button(self, button: QToolButton, is_playing: bool) -> None:
        if button.property("playing") != is_playing:
            button.setProperty("playing", is_playing)
            button.setIcon(icon("pause" if is_playing else "play"))

    def _show_rewind(self) -> None:
        timeline = self._timeline
        is_newest = timeline.position is None or timeline.position == timeline.n_frames - 1
        why_not = "First choose an earlier frame" if is_newest else ""
        set_enabled_or_why(self._rewind, why_not, _REWIND_TIP)

    def _on_tick(self) -> None:
        now_s = time.monotonic()
        elapsed_s, self._last_tick_s = now_s - self._last_tick_s, now_s
        self._timeline.advance(elapsed_s)


def _time_text(timeline: Timeline) -> str:
    if timeline.position is None:
        return ""
    times = f"{_clock(timeline.time_s)} / {_clock(timeline.duration_s)}"
    return f"{times}   ·   frame {timeline.position + 1:,} of {timeline.n_frames:,}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"
