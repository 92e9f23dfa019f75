"""Marks over the scene: clicked points, measured lengths with their text, and the planned flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from vispy.scene import Node
from vispy.scene.visuals import Line, Markers, Text

from zipmap_app.scene.colors import FLIGHT_COLOR, MARK_COLOR
from zipmap_app.scene.stage import Stage

_LABEL_OFFSET_PX = np.array([0.0, -14.0])
_OUTLINE_PX = np.array([[-1.2, 0], [1.2, 0], [0, -1.2], [0, 1.2]])


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A measured length between two points of the model's world."""

    a: np.ndarray  # (3,)
    b: np.ndarray  # (3,)
    text: str


class Marks:
    """Dots and lines in the scene, labels over it, always on top. GUI thread only."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        blank = np.zeros((2, 3), np.float32)
        self._line = Line(pos=blank, color=MARK_COLOR, width=2.0, connect="segments", parent=stage.world)
        self._dots = Markers(parent=stage.world)
        # Dark copies round the letters keep them readable on bright points.
        self._outlines = Text("", color="black", bold=True, font_size=10, parent=stage.overlay)
        self._labels = Text("", color="white", bold=True, font_size=10, parent=stage.overlay)
        for order, node in enumerate((self._line, self._dots, self._outlines, self._labels), start=30):
            node.set_gl_state("translucent", depth_test=False)
            node.order = order
            node.visible = False
        self._segments: tuple[Segment, ...] = ()

    def show(self, points: np.ndarray, segments: Sequence[Segment]) -> None:
        """Mark (N, 3) points and lengths; replaces what was marked."""
        self._segments = tuple(segments)
        ends = [end for segment in segments for end in (segment.a, segment.b)]
        dots = np.concatenate([np.reshape(points, (-1, 3)), np.reshape(ends, (-1, 3))]).astype(np.float32)
        self._dots.visible = bool(len(dots))
        self._line.visible = bool(segments)
        if len(dots):
            self._dots.set_data(dots, face_color=MARK_COLOR, edge_color="black", edge_width=1, size=9)
        if segments:
            self._line.set_data(pos=np.array(ends, np.float32))
        self.update_view()

    def update_view(self) -> None:
        """The view moved: labels stay beside the middle of their lines."""
        middles = np.array([(segment.a + segment.b) / 2 for segment in self._segments]).reshape(-1, 3)
        pixels, depths = self._stage.project(middles)
        shown = np.flatnonzero(depths > 0)
        self._labels.visible = self._outlines.visible = bool(len(shown))
        if len(shown):
            texts = [self._segments[i].text for i in shown]
            places = pixels[shown] + _LABEL_OFFSET_PX
            self._labels.text, self._labels.pos = texts, places
            around = (places[:, None] + _OUTLINE_PX).reshape(-1, 2)
            self._outlines.text, self._outlines.pos = np.repeat(texts, len(_OUTLINE_PX)).tolist(), around


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

    def show(self, world_from_camera: np.ndarray, keys: np.ndarray, look_length: float) -> None:
        """Show (N, 4, 4) samples of a flight and its (K, 4, 4) key views; none of either hides it.

        From each key view a line of ``look_length`` shows where it looks.
        """
        n_even = len(world_from_camera) - len(world_from_camera) % 2
        self._line.visible = n_even > 0
        self._keys.visible = self._looks.visible = bool(len(keys))
        if n_even:
            # Pairs of neighbours, so every second piece is left out.
            self._line.set_data(pos=world_from_camera[:n_even, :3, 3].astype(np.float32))
        if len(keys):
            eyes = keys[:, :3, 3]
            self._keys.set_data(
                eyes.astype(np.float32), face_color=FLIGHT_COLOR, edge_color="black", edge_width=1, size=8
            )
            looks = np.stack([eyes, eyes + look_length * keys[:, :3, 2]], axis=1)
            self._looks.set_data(pos=looks.reshape(-1, 3).astype(np.float32))
