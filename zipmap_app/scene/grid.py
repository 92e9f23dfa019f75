"""What gives the scene a frame: ground grid, clip box, and the corner gizmo that says where the axes point."""

from __future__ import annotations

import itertools
import math

import numpy as np
from vispy.scene import Node
from vispy.scene.visuals import Line

from zipmap_app.scene.colors import AXIS_COLORS
from zipmap_app.scene.orbit import OrbitPose
from zipmap_app.state.appearance import ClipBox

_CELLS_PER_SIDE = 24
_OUTLINE = (0.95, 0.82, 0.42, 0.55)
# X, Y and Z as strokes in a box of width and height 2, y down: text visuals cost more than all lines together.
_LETTERS = (
    (((-1, -1), (1, 1)), ((-1, 1), (1, -1))),
    (((-1, -1), (0, 0)), ((1, -1), (0, 0)), ((0, 0), (0, 1))),
    (((-1, -1), (1, -1)), ((1, -1), (-1, 1)), ((-1, 1), (1, 1))),
)
_LETTER_PX = (3.2, 4.2)  # half a letter's width and height
_MINOR, _MAJOR = (0.55, 0.62, 0.72, 0.13), (0.55, 0.62, 0.72, 0.26)


def grid_cell(radius: float) -> float:
    """A round cell size (1, 2 or 5 times a power of ten) that suits a scene of this radius."""
    raw = radius / 5
    power = 10.0 ** math.floor(math.log10(raw))
    return power * next(step for step in (1, 2, 5, 10) if raw / power <= step)


class GroundGrid:
    """Lines in a plane of constant y (stage space: y points down)."""

    def __init__(self, parent: Node) -> None:
        self._line = Line(pos=np.zeros((2, 3), np.float32), connect="segments", parent=parent, color=_MINOR)
        self._line.set_gl_state("translucent", depth_test=True)
        self._line.order = 1  # after the points, so that it blends over nothing it should not
        self._shown: tuple[float, float, float, float] | None = None

    @property
    def cell(self) -> float:
        """Side of one cell in scene units; 0 before the first update."""
        return self._shown[0] if self._shown else 0.0

    def update(self, centre: tuple[float, float, float], radius: float, floor_y: float) -> None:
        """Lie under a scene; small changes of the scene do not move the grid."""
        cell = grid_cell(radius)
        x0, z0 = (round(value / cell) * cell for value in (centre[0], centre[2]))
        if self._shown and self._shown[0] == cell:
            shift = max(abs(self._shown[1] - x0), abs(self._shown[3] - z0))
            if abs(self._shown[2] - floor_y) < 0.25 * cell and shift < 0.25 * _CELLS_PER_SIDE * cell:
                return
        self._shown = (cell, x0, floor_y, z0)
        half = _CELLS_PER_SIDE // 2
        reach = half * cell
        segments, colors = [], []
        for i in range(-half, half + 1):
            color = _MAJOR if i % 4 == 0 else _MINOR
            segments += [(x0 + i * cell, floor_y, z0 - reach), (x0 + i * cell, floor_y, z0 + reach)]
            segments += [(x0 - reach, floor_y, z0 + i * cell), (x0 + reach, floor_y, z0 + i * cell)]
            colors += [color] * 4
        self._line.set_data(pos=np.array(segments, np.float32), color=np.array(colors, np.float32))

    def set_visible(self, is_visible: bool) -> None:
        self._line.visible = is_visible


class ClipOutline:
    """The edges of the box outside of which nothing is drawn. Stage space."""

    def __init__(self, parent: Node) -> None:
        self._line = Line(
            pos=np.zeros((2, 3), np.float32), connect="segments", parent=parent, color=_OUTLINE, width=1.5
        )
        self._line.set_gl_state("translucent", depth_test=True)
        self._line.order = 4
        self._line.visible = False

    def show(self, box: ClipBox | None) -> None:
        self._line.visible = box is not None
        if box is not None:
            low, high = np.array(box.minimum), np.array(box.maximum)
            corners = np.array(list(itertools.product((0, 1), repeat=3)))
            pairs = [(a, b) for a, b in itertools.combinations(corners, 2) if np.abs(a - b).sum() == 1]
            places = low + np.array(pairs).reshape(-1, 3) * (high - low)
            self._line.set_data(pos=places.astype(np.float32))


class AxisGizmo:
    """Three lettered axes in a corner of the view, turning with the camera. Pixel coordinates."""

    def __init__(self, parent: Node, arm_px: float = 30.0) -> None:
        self._arm_px = arm_px
        n_strokes = [1 + len(letter) for letter in _LETTERS]
        self._line = Line(
            pos=np.zeros((2 * sum(n_strokes), 2), np.float32),
            color=np.repeat(AXIS_COLORS, 2 * np.array(n_strokes), axis=0),
            width=2.0,
            connect="segments",
            parent=parent,
        )
        self._line.set_gl_state("translucent", depth_test=False)
        self._line.order = 100

    def update(self, pose: OrbitPose, corner_px: tuple[float, float]) -> None:
        """Show the stage's axes (Y points down) as ``pose`` sees them, centred at ``corner_px``."""
        tips = pose.rotation[:, :2] * self._arm_px  # row k: axis k in the camera's x right, y down
        centre = np.array(corner_px)
        ends: list[np.ndarray] = []
        for tip, letter in zip(tips, _LETTERS, strict=True):
            place = centre + tip * 1.38
            ends += [centre[None], (centre + tip)[None], place + np.array(letter).reshape(-1, 2) * _LETTER_PX]
        self._line.set_data(pos=np.concatenate(ends).astype(np.float32))
