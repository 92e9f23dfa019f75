"""What the model says the query camera would see."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from zipmap_app.state.history import FrameDetail, FrameRecord
from zipmap_app.state.lengths import LengthUnit
from zipmap_app.state.queries import QueryResult
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.controls import check_box, push_button, set_enabled_or_why, wrapped_label
from zipmap_app.ui.pictures import ViewPictures

_ABOUT = (
    "The picture and depth that the model's scene state predicts for the query camera. "
    "Predicted, not observed: expect blur, and nothing sensible where the camera never looked."
)
_HOW = "Press Q to see the scene from where you look now"
_ADD_TIP = (
    "Put the answer into the scene as points. They keep the colour of what was asked, never seen, and are left "
    "out when the cloud is saved (Shift+A)"
)
_BESIDE_TIP = "Show the real frame whose camera is most like the query camera beside the answer"


class AnswerCard(Card):
    """Shows answers; beside the newest one the nearest real frame, or what another state answers.

    A comparison of states takes the place beside. GUI thread only.
    """

    beside_toggled = Signal(bool)
    add_points_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Answer", parent)
        badge = QLabel("experimental")
        badge.setProperty("role", "badge")
        badge.setToolTip(_ABOUT)
        self.title_row.insertWidget(1, badge)
        self.beside = check_box("Side by side", _BESIDE_TIP)
        self.beside.clicked.connect(self._on_beside)
        self.title_row.addWidget(self.beside)
        self.pictures = ViewPictures("Predicted picture")
        self.beside_pictures = ViewPictures("No frame near")
        self._titles = (small_label(), small_label())
        self._depth_range: tuple[float, float] | None = None
        self._is_comparing = False
        columns = QHBoxLayout()
        columns.setSpacing(8)
        self._beside_column = QWidget()
        for column, title, pictures in (
            (QWidget(), self._titles[0], self.pictures),
            (self._beside_column, self._titles[1], self.beside_pictures),
        ):
            layout = QVBoxLayout(column)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(4)
            layout.addWidget(title)
            layout.addWidget(pictures)
            layout.addStretch(1)
            columns.addWidget(column, 1)
        self._caption = wrapped_label(_HOW)
        self._add = push_button("Add as points", _ADD_TIP, "plus")
        self._add.clicked.connect(lambda: self.add_points_requested.emit())
        self.body.addLayout(columns)
        self.body.addWidget(self._caption)
        self.body.addWidget(self._add)
        self.show_answer(None)

    @property
    def wants_nearest(self) -> bool:
        """Whether the nearest real frame is to be shown."""
        return self.beside.isChecked() and not self._is_comparing

    def set_unit(self, unit: LengthUnit) -> None:
        """How depths are written from now on."""
        for pictures in (self.pictures, self.beside_pictures):
            pictures.depth_scale.set_unit(unit)

    def show_waiting(self, is_waiting: bool) -> None:
        """A question is out; the answer that is shown is an older one."""
        if is_waiting and not self.pictures.has_picture:
            self._caption.setText("Asked; the answer comes between two frames")

    def show_answer(self, result: QueryResult | None, state_name: str = "") -> None:
        """The newest answer of the chosen state, or None: there is none."""
        set_enabled_or_why(self._add, "" if result is not None else "There is no answer yet", _ADD_TIP)
        self._titles[0].setText(state_name or "Answer")
        if result is None:
            self.pictures.clear()
            self.beside_pictures.clear()
            self._depth_range = None
            self._caption.setText(_HOW)
        else:
            self._depth_range = self.pictures.show_view(result.rgb, result.depth, result.confidence)
            plural = "frame" if result.n_frames_in_state == 1 else "frames"
            parts = (
                f"From {result.n_frames_in_state} {plural}",
                f"{result.latency_ms:.0f} ms",
                *((state_name,) if state_name else ()),
            )
            self._caption.setText("  ·  ".join(parts))
        self._arrange()

    def show_compared(self, result: QueryResult | None, state_name: str = "") -> None:
        """What a second state answers to the same question; None ends comparing."""
        self._is_comparing = result is not None
        if result is not None:
            self._titles[1].setText(state_name)
            self.beside_pictures.show_view(result.rgb, result.depth, result.confidence, self._depth_range)
        self._arrange()

    def show_nearest(self, record: FrameRecord | None, detail: FrameDetail | None) -> None:
        """The real frame nearest to the query camera, with its large pictures if they were kept."""
        if self._is_comparing:
            return
        self._titles[1].setText(f"nearest: {record.name}" if record is not None else "")
        if record is None:
            self.beside_pictures.clear()
        elif detail is None:
            self.beside_pictures.show_view(record.thumbnail, None, None)
        else:
            self.beside_pictures.show_view(detail.rgb, detail.depth, detail.confidence, self._depth_range)

    def _on_beside(self, is_on: bool) -> None:
        self._arrange()
        self.beside_toggled.emit(is_on)

    def _arrange(self) -> None:
        has_two = self._is_comparing or self.beside.isChecked()
        self.beside.setEnabled(not self._is_comparing)
        self._beside_column.setVisible(has_two)
        for title in self._titles:
            title.setVisible(has_two)
        for pictures in (self.pictures, self.beside_pictures):
            pictures.set_narrow(has_two)
