"""A flight of the query camera: key views, speed, and what is written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QWidget

from zipmap_app.state.flight import CameraFlight, FlightContent
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.controls import (
    Choice,
    SegmentedControl,
    check_box,
    number_box,
    push_button,
    set_enabled_or_why,
    show_number,
    tool_button,
    wrapped_label,
)
from zipmap_app.ui.progress_bar import ProgressBar

_LIST_PX = 92
_CONTENTS = (
    Choice(FlightContent.RGB, "Picture", "Write the predicted pictures"),
    Choice(FlightContent.DEPTH, "Depth", "Write the predicted depth, in the colours of its scale"),
    Choice(FlightContent.BOTH, "Both", "Write picture and depth side by side"),
)
_PREVIEW_TIP = "Let the query camera fly in the scene (Shift+J)"
_VIDEO_TIP = "Ask the model for every view and write a video"
_PICTURES_TIP = "Ask the model for every view and write PNG pictures into a new folder"
_TOO_FEW = "A flight needs two views at least"


@dataclass(frozen=True, slots=True)
class FlightWish:
    """What of a flight is to be written."""

    content: FlightContent
    is_video: bool  # else PNG pictures


class FlightCard(Card):
    """Edits the settings of a CameraFlight and asks for everything else. GUI thread only."""

    add_key_requested = Signal()
    keys_changed = Signal(object)  # tuple[GhostView, ...] in their new order
    preview_requested = Signal()  # again: stop
    save_requested = Signal(object)  # FlightWish
    cancel_requested = Signal()

    def __init__(self, flight: CameraFlight, parent: QWidget | None = None) -> None:
        super().__init__("Flight", parent)
        self._flight = flight
        self._why_not = ""
        self._is_writing = False
        self._build_keys()
        self._build_settings()
        self._build_output()
        self._disconnect = flight.changed.connect(self._show)
        self._show()

    def release(self) -> None:
        """Let go of the model."""
        self._disconnect()

    def set_available(self, why_not: str = "") -> None:
        """Whether the model can be asked now; a reason makes it unavailable."""
        self._why_not = why_not
        self._show()

    def show_preview(self, is_flying: bool) -> None:
        self._preview.setText(" Stop" if is_flying else " Preview")

    def show_progress(self, fraction: float | None) -> None:
        """How much of the flight is written; None: it is over."""
        self._is_writing = fraction is not None
        if fraction is not None:
            self._bar.set_fraction(fraction)
        self._show()

    # Construction

    def _build_keys(self) -> None:
        self._list = QListWidget()
        self._list.setFixedHeight(_LIST_PX)
        self._list.setToolTip("Views that the flight passes, in order; drag one to pass it earlier or later")
        self._list.setDragDropMode(QListWidget.DragDropMode.InternalMove)
        self._list.model().rowsMoved.connect(self._on_dragged)
        self._list.currentRowChanged.connect(lambda row: self._show_buttons())
        self._add = push_button(
            "Add view", "The flight passes the query camera, or else this view (J)", "plus"
        )
        self._add.clicked.connect(lambda: self.add_key_requested.emit())
        self._earlier = tool_button("up", "Pass the chosen view earlier")
        self._earlier.clicked.connect(lambda: self._move(-1))
        self._later = tool_button("down", "Pass the chosen view later")
        self._later.clicked.connect(lambda: self._move(1))
        self._delete = tool_button("trash", "Take the chosen view out of the flight")
        self._delete.clicked.connect(lambda: self._on_delete())
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._add, 1)
        for button in (self._earlier, self._later, self._delete):
            row.addWidget(button)
        self.body.addLayout(row)
        self.body.addWidget(self._list)

    def _build_settings(self) -> None:
        self._leg = number_box("Time from one view to the next", 0.1, 60, decimals=1, step=0.5, suffix=" s")
        self._leg.valueChanged.connect(
            lambda value: self._flight.set_settings(replace(self._flight.settings, seconds_per_leg=value))
        )
        self._rate = number_box("Pictures a second", 1, 60, decimals=0, step=1, suffix=" fps")
        self._rate.valueChanged.connect(
            lambda value: self._flight.set_settings(replace(self._flight.settings, frames_per_s=round(value)))
        )
        self._loop = check_box("Loop", "Fly back to the first view at the end")
        self._loop.clicked.connect(
            lambda is_on: self._flight.set_settings(replace(self._flight.settings, is_loop=is_on))
        )
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(small_label("Per leg"))
        row.addWidget(self._leg, 1)
        row.addWidget(self._rate, 1)
        row.addWidget(self._loop)
        self.body.addLayout(row)

    def _build_output(self) -> None:
        self._content: SegmentedControl[FlightContent] = SegmentedControl(_CONTENTS)
        self._preview = push_button("Preview", _PREVIEW_TIP, "flight")
        self._preview.clicked.connect(lambda: self.preview_requested.emit())
        self._video = push_button("Video…", _VIDEO_TIP, "film")
        self._video.clicked.connect(lambda: self._on_save(is_video=True))
        self._pictures = push_button("PNGs…", _PICTURES_TIP)
        self._pictures.clicked.connect(lambda: self._on_save(is_video=False))
        self._length = wrapped_label()
        self._bar = ProgressBar()
        self._cancel = push_button("Cancel", "Write no more, and leave no half a file")
        self._cancel.clicked.connect(lambda: self.cancel_requested.emit())
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self._preview, self._video, self._pictures):
            buttons.addWidget(button, 1)
        progress = QHBoxLayout()
        progress.addWidget(self._bar, 1)
        progress.addWidget(self._cancel)
        self.body.addWidget(self._content)
        self.body.addLayout(buttons)
        self.body.addWidget(self._length)
        self.body.addLayout(progress)

    # What is

    def _show(self) -> None:
        flight = self._flight
        chosen = self._list.currentRow()
        if self._list.count() != len(flight.keys):
            chosen = len(flight.keys) - 1
            self._list.clear()
            self._list.addItems([""] * len(flight.keys))
            for row in range(self._list.count()):
                # A drop is between two views; one on a view would put what is dragged at the end.
                item = self._list.item(row)
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsDropEnabled)
        for row in range(self._list.count()):  # by their place, also after one was dragged
            self._list.item(row).setText(f"View {row + 1}")
        self._list.setCurrentRow(min(chosen, len(flight.keys) - 1))
        show_number(self._leg, flight.settings.seconds_per_leg)
        show_number(self._rate, flight.settings.frames_per_s)
        self._loop.setChecked(flight.settings.is_loop)
        seconds = max(flight.n_frames - 1, 0) / flight.settings.frames_per_s
        self._length.setText(
            f"{seconds:.1f} s, {flight.n_frames:,} views to ask" if flight.is_ready else _TOO_FEW
        )
        self._show_buttons()

    def _show_buttons(self) -> None:
        chosen, n_keys = self._list.currentRow(), self._list.count()
        self._earlier.setEnabled(chosen > 0)
        self._later.setEnabled(0 <= chosen < n_keys - 1)
        self._delete.setEnabled(chosen >= 0)
        self._add.setEnabled(not self._why_not)
        too_few = "" if self._flight.is_ready else _TOO_FEW
        busy = "A flight is being written" if self._is_writing else ""
        set_enabled_or_why(self._preview, too_few, _PREVIEW_TIP)
        for button, tooltip in ((self._video, _VIDEO_TIP), (self._pictures, _PICTURES_TIP)):
            set_enabled_or_why(button, self._why_not or too_few or busy, tooltip)
        for widget in (self._bar, self._cancel):
            widget.setVisible(self._is_writing)

    # What the user wants

    def _move(self, offset: int) -> None:
        chosen = self._list.currentRow()
        self._list.setCurrentRow(chosen + offset)
        self._reorder(chosen, chosen + offset)

    def _on_dragged(
        self, parent: QModelIndex, first: int, last: int, target: QModelIndex, before: int
    ) -> None:
        """The list has moved its row ``first`` already, to where the row ``before`` was."""
        self._reorder(first, before if before <= first else before - 1)

    def _reorder(self, old_row: int, new_row: int) -> None:
        keys = list(self._flight.keys)
        keys.insert(new_row, keys.pop(old_row))
        self.keys_changed.emit(tuple(keys))

    def _on_delete(self) -> None:
        chosen = self._list.currentRow()
        keys = self._flight.keys
        self.keys_changed.emit((*keys[:chosen], *keys[chosen + 1 :]))

    def _on_save(self, *, is_video: bool) -> None:
        self.save_requested.emit(FlightWish(self._content.value, is_video))
