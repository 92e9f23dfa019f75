"""Corner marks in the viewport around what a query from here would see."""

from __future__ import annotations

import numpy as np
from vispy.scene import Node
from vispy.scene.visuals import Line

from zipmap_app.scene.colors import QUERY_COLOR
from zipmap_app.scene.coordinates import frustum_corners

_ARM = 0.12  # length of a corner mark as a share of the side


def viewfinder_rectangle(
    intrinsics: np.ndarray, size_hw: tuple[int, int], view_size_px: tuple[float, float], view_focal: float
) -> np.ndarray:
    """(4, 2) corners, in the view's pixels (y down), of the picture a camera at the view's own eye takes."""
    corners = frustum_corners(intrinsics, size_hw, 1.0)
    return corners[:, :2] * view_focal + np.array(view_size_px) / 2


class Viewfinder:
    """Eight short lines at the corners of the queried picture. Pixel coordinates of the view."""

    def __init__(self, parent: Node) -> None:
        self._line = Line(
            pos=np.zeros((2, 2), np.float32), color=QUERY_COLOR, width=2.0, connect="segments", parent=parent
        )
        self._line.set_gl_state("translucent", depth_test=False)
        self._line.order = 90
        self._line.visible = False

    def show(self, rectangle: np.ndarray) -> None:
        segments = []
        for i, corner in enumerate(rectangle):
            for neighbour in (rectangle[i - 1], rectangle[(i + 1) % 4]):
                segments += [corner, corner + (neighbour - corner) * _ARM]
        self._line.set_data(pos=np.array(segments, np.float32))
        self._line.visible = True

    def hide(self) -> None:
        self._line.visible = False
