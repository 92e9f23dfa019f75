"""Picture, depth and confidence of one view, with their scales."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QGridLayout, QWidget

from zipmap_app.state.depth_colors import depth_picture
from zipmap_app.ui.image_view import ConfidenceScale, DepthScale, ImageView
from zipmap_app.ui.images import confidence_picture

_MIN_SHOWN_PX = 220  # depth and confidence are shown small: more pixels would only cost time


class ViewPictures(QWidget):
    """Three pictures: the large one above two small ones, or, when narrow, all in one column."""

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture_view = ImageView(placeholder)
        self.depth_view = ImageView("depth")
        self.confidence_view = ImageView("confidence")
        self.depth_scale = DepthScale()
        self.confidence_scale = ConfidenceScale()
        for scale in (self.depth_scale, self.confidence_scale):
            scale.hide()
        for view, tip in (
            (self.depth_view, "Depth along the viewing direction: red is near, blue is far"),
            (self.confidence_view, "How sure the model is: violet is unsure, yellow is sure"),
        ):
            view.setToolTip(tip)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self._grid.setVerticalSpacing(6)
        self._is_narrow = True
        self.set_narrow(False)

    @property
    def has_picture(self) -> bool:
        return self.picture_view.has_image

    def set_narrow(self, is_narrow: bool) -> None:
        """One column instead of two."""
        if is_narrow == self._is_narrow:
            return
        self._is_narrow = is_narrow
        column = 0 if is_narrow else 1
        places = (
            (self.picture_view, 0, 0, 1 if is_narrow else 2),
            (self.depth_view, 1, 0, 1),
            (self.depth_scale, 2, 0, 1),
            (self.confidence_view, 3 if is_narrow else 1, column, 1),
            (self.confidence_scale, 4 if is_narrow else 2, column, 1),
        )
        for widget, row, start, span in places:
            self._grid.addWidget(widget, row, start, 1, span)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, column)

    def show_view(
        self,
        rgb: np.ndarray,
        depth: np.ndarray | None,
        confidence: np.ndarray | None,
        depth_range: tuple[float, float] | None = None,
    ) -> tuple[float, float] | None:
        """Show (H, W, 3) uint8 with (H, W) depth and confidence, if there are any.

        Returns the depths at the ends of the scale, which is ``depth_range`` if given.
        """
        self.picture_view.show_rgb(rgb)
        ends = None
        if depth is None or confidence is None:
            self.depth_view.clear()
            self.confidence_view.clear()
        else:
            step = max(depth.shape[1] // _MIN_SHOWN_PX, 1)
            coloured = depth_picture(depth[::step, ::step].astype(np.float32), depth_range)
            self.depth_view.show_rgb(coloured.rgb)
            self.depth_scale.set_range(coloured.near, coloured.far)
            sureness, low, high = confidence_picture(confidence[::step, ::step])
            self.confidence_view.show_rgb(sureness)
            self.confidence_scale.set_range(low, high)
            ends = (coloured.near, coloured.far) if coloured.far > coloured.near else None
        for scale in (self.depth_scale, self.confidence_scale):
            scale.setVisible(depth is not None and confidence is not None)
        return ends

    def clear(self) -> None:
        for view in (self.picture_view, self.depth_view, self.confidence_view):
            view.clear()
        for scale in (self.depth_scale, self.confidence_scale):
            scale.hide()
