"""What the scene state says a camera at a new pose would see."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QWidget

from zipmap_app.state.depth_colors import depth_picture
from zipmap_app.state.queries import QueryResult
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.image_view import DepthScale, ImageView
from zipmap_app.ui.theme import PALETTE, icon

_ABOUT = (
    "The picture and depth that the model's scene state predicts for the view you look from. "
    "Predicted, not observed: expect blur, and nothing sensible where the camera never looked."
)


class QueryPanel(Card):
    """Colour and depth of the newest answer side by side. Emits what the user wants, asks nothing itself."""

    asked = Signal()
    follow_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Query", parent)
        badge = QLabel("experimental")
        badge.setProperty("role", "badge")
        badge.setToolTip(_ABOUT)
        self.title_row.insertWidget(1, badge)
        self.follow = QCheckBox("Follow view")
        self.follow.setToolTip("Ask again whenever the view moves")
        self.follow.toggled.connect(self.follow_toggled)
        self.title_row.addWidget(self.follow)
        pictures = QHBoxLayout()
        pictures.setSpacing(8)
        self.picture_view = ImageView("Predicted\npicture")
        self.depth_view = ImageView("Predicted\ndepth")
        for view in (self.picture_view, self.depth_view):
            view.setToolTip(_ABOUT)
            pictures.addWidget(view, 1)
        self.body.addLayout(pictures)
        self._scale = DepthScale()
        self._scale.hide()
        self.body.addWidget(self._scale)
        self._caption = small_label("Press Q to see the scene from where you look now")
        self._caption.setWordWrap(True)
        self.body.addWidget(self._caption)
        self.button = QPushButton(icon("query", PALETTE.query), " Query from here")
        self.button.setToolTip("Ask the model what a camera at the current view would see (Q)")
        self.button.clicked.connect(lambda: self.asked.emit())
        self.body.addWidget(self.button)

    def set_available(self, is_available: bool, why_not: str = "") -> None:
        """Enable asking, or say why it cannot be done now."""
        self.button.setEnabled(is_available)
        self.follow.setEnabled(is_available)
        if not self.picture_view.has_image:
            self._caption.setText(why_not or "Press Q to see the scene from where you look now")

    def show_waiting(self) -> None:
        self._caption.setText("Asked; the answer comes between two frames")

    def show_result(self, result: QueryResult | None) -> None:
        if result is None:
            self.picture_view.clear()
            self.depth_view.clear()
            self._scale.hide()
            self._caption.setText("Press Q to see the scene from where you look now")
            return
        self.picture_view.show_rgb(result.rgb)
        picture = depth_picture(result.depth)
        self.depth_view.show_rgb(picture.rgb)
        self._scale.set_range(picture.near, picture.far)
        self._scale.show()
        plural = "frame" if result.n_frames_in_state == 1 else "frames"
        self._caption.setText(
            f"From {result.n_frames_in_state} {plural} of memory  ·  {result.latency_ms:.0f} ms"
        )
