"""The newest processed frame and its depth."""

from __future__ import annotations

from PySide6.QtWidgets import QBoxLayout, QCheckBox, QWidget

from zipmap_app.state.depth_colors import depth_picture
from zipmap_app.state.messages import FrameResult
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.image_view import DepthScale, ImageView


class VideoPanel(Card):
    """Shows a FrameResult; depth is coloured only while it is on screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Current frame", parent)
        self._frame: FrameResult | None = None
        self._depth_toggle = QCheckBox("Depth")
        self._depth_toggle.setChecked(True)
        self._depth_toggle.setToolTip("Show the depth map of the current frame")
        self._depth_toggle.toggled.connect(self._on_depth_toggled)
        self.title_row.addWidget(self._depth_toggle)
        self.picture_view = ImageView("No frame yet")
        self.depth_view = ImageView("No depth yet")
        self._scale = DepthScale()
        self._caption = small_label()
        self._pictures = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pictures.setSpacing(8)
        for view in (self.picture_view, self.depth_view):
            self._pictures.addWidget(view, 1)
        self.body.addLayout(self._pictures)
        for widget in (self._scale, self._caption):
            self.body.addWidget(widget)
        self._caption.hide()
        self._scale.hide()

    def set_stacked(self, is_stacked: bool) -> None:
        """Put the depth below the picture (large) or beside it (small)."""
        direction = QBoxLayout.Direction.TopToBottom if is_stacked else QBoxLayout.Direction.LeftToRight
        self._pictures.setDirection(direction)

    def show_frame(self, frame: FrameResult | None) -> None:
        self._frame = frame
        self._caption.setVisible(frame is not None)
        if frame is None:
            self.picture_view.clear()
            self.depth_view.clear()
            self._scale.hide()
            return
        self.picture_view.show_rgb(frame.rgb)
        height, width = frame.depth.shape
        self._caption.setText(f"{frame.name}  ·  {frame.timestamp_s:.2f} s  ·  {width} × {height}")
        self._show_depth()

    def _show_depth(self) -> None:
        if self._frame is None or not self._depth_toggle.isChecked():
            return
        picture = depth_picture(self._frame.depth)
        self.depth_view.show_rgb(picture.rgb)
        self._scale.set_range(picture.near, picture.far)
        self._scale.show()

    def _on_depth_toggled(self, is_on: bool) -> None:
        self.depth_view.setVisible(is_on)
        self._scale.setVisible(is_on and self._frame is not None)
        self._show_depth()
