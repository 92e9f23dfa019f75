"""Marks over the scene: clicked points, measured lengths with their text, and the planned flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from vispy.scene import Node
from vispy.scene.visuals import Line, Markers, Text

from zipmap_app.scene.colors import FLIGHT_COLOR, MARK_COLOR


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A measured length between two points of the model's world."""

    a: np.ndarray  # (3,)
    b: np.ndarray  # (3,)
    text: str


class Marks:
    """Dots, lines and labels, always on top. GUI thread only."""

    def __init__(self, parent: Node) -> None:
        blank = np.zeros((2, 3), np.float32)
        self._line = Line(pos=blank, color=MARK_COLOR, width=2.0, connect="segments", parent=parent)
        self._dots = Markers(parent=parent)
        # A dark copy below keeps the letters readable on bright points.
        self._shadow = Text("", color="black", bold=True, font_size=11, parent=parent, anchor_y="bottom")
        self._labels = Text("", color=MARK_COLOR, bold=False, font_size=11, parent=parent, anchor_y="bottom")
        for order, node in enumerate((self._line, self._dots, self._shadow, self._labels), start=30):
            node.set_gl_state("translucent", depth_test=False)
            node.order = order
            node.visible = False

    def show(self, points: np.ndarray, segments: Sequence[Segment]) -> None:
        """Mark (N, 3) points and lengths; replaces what was marked."""
        ends = [end for segment in segments for end in (segment.a, segment.b)]
        dots = np.concatenate([np.asarray(points, np.float32).reshape(-1, 3), np.reshape(ends, (-1, 3))])
        self._dots.visible = bool(len(dots))
        self._line.visible = self._labels.visible = self._shadow.visible = bool(segments)
        if len(dots):
            self._dots.set_data(
                dots.astype(np.float32), face_color=MARK_COLOR, edge_color="black", edge_width=1, size=9
            )
        if segments:
            self._line.set_data(pos=np.array(ends, np.float32))
            middles = np.array([(segment.a + segment.b) / 2 for segment in segments], np.float32)
            for text in (self._shadow, self._labels):
                text.text = [segment.text for segment in segments]
                text.pos = middles


class FlightPath:
    """The path of a planned flight: dashed, with a dot at each key view. GUI thread only."""

    def __init__(self, parent: Node) -> None:
        blank = np.zeros((2, 3), np.float32)
        self._line = Line(pos=blank, color=FLIGHT_COLOR, width=2.0, connect="segments", parent=parent)
        self._looks = Line(pos=blank, color=FLIGHT_COLOR, width=1.5, connect="segments", parent=parent)
        self._keys = Markers(parent=parent)
        for order, node in enumerate((self._line, self._looks, self._keys), start=14):
            node.set_gl_state("translucent", depth_test=False)
            node.order = order
            node.visible = False

    def show(self, world_from_camera: np.ndarray, key_positions: Sequence[int], look_length: float) -> None:
        """Show (N, 4, 4) samples of a flight; those at ``key_positions`` are its key views.

        From each key view a line of ``look_length`` shows where it looks. No samples hide everything.
        """
        n = len(world_from_camera)
        self._line.visible = n >= 2
        self._keys.visible = self._looks.visible = bool(len(key_positions)) and n > 0
        if n >= 2:
            centres = world_from_camera[:, :3, 3].astype(np.float32)
            n_even = n - n % 2
            self._line.set_data(pos=centres[:n_even])  # pairs of neighbours: every second piece is left out
        if self._keys.visible:
            keys = world_from_camera[list(key_positions)]
            eyes = keys[:, :3, 3]
            self._keys.set_data(
                eyes.astype(np.float32), face_color=FLIGHT_COLOR, edge_color="black", edge_width=1, size=8
            )
            looks = np.stack([eyes, eyes + look_length * keys[:, :3, 2]], axis=1)
            self._looks.set_data(pos=looks.reshape(-1, 3).astype(np.float32))
