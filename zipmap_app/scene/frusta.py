"""The cameras of the run: their path, frusta with pictures, the current one, and which lies under the mouse.

Of many cameras evenly chosen ones get a frustum. Positions are in the model's world.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
from vispy.scene import Node
from vispy.scene.visuals import Line

from zipmap_app.scene.colors import CURRENT_COLOR, HIGHLIGHT_COLOR, Rgba, colors_by_time
from zipmap_app.scene.coordinates import frusta_corners, frusta_segments, frustum_segments
from zipmap_app.scene.pictures import Pictures
from zipmap_app.scene.screen import distances_to_segments
from zipmap_app.state.appearance import ShownFrusta
from zipmap_app.state.history import FrameRecord

MAX_SHOWN = 256
_MAX_PATH = 4096  # vertices of the path's line
_TILE_HW = (72, 96)
_CURRENT_TILE_HW = (384, 512)
_TURN_RAD = 0.35  # a turn on the spot by this much deserves another frustum
_NEAR_EYE = 3.0  # past frusta nearer to the eye than this, by their size, are left out
_PAST_SHARE = 0.5  # size of a past frustum by that of the current one


def shown_positions(world_from_camera: np.ndarray, size: float, max_shown: int = MAX_SHOWN) -> np.ndarray:
    """(K,) positions of (N, 4, 4) cameras that are worth a frustum of this size: far enough apart not to overlap.

    A new camera changes nothing about the choice among the older ones, and a slowly changing size hardly ever
    does, so pictures that are drawn stay drawn.
    """
    if not len(world_from_camera):
        return np.zeros(0, int)
    steps = np.linalg.norm(np.diff(world_from_camera[:, :3, 3], axis=0), axis=1)
    cosines = (world_from_camera[1:, :3, 2] * world_from_camera[:-1, :3, 2]).sum(axis=1)
    turns = np.arccos(np.clip(cosines, -1, 1))
    spacing = 2.0 ** np.round(np.log2(max(size, 1e-9)))
    travel = np.concatenate([[0.0], np.cumsum(steps / spacing + turns / _TURN_RAD)])
    while True:
        places = np.floor(travel)
        chosen = np.flatnonzero(np.diff(places, prepend=-1.0) > 0)
        if len(chosen) <= max_shown:
            return chosen
        travel /= 2


class FrustumVisual:
    """One wire frustum under a scene node; hidden until it is shown a camera."""

    def __init__(self, parent: Node, color: Rgba, width_px: float = 2.0) -> None:
        self._line = Line(
            pos=np.zeros((2, 3), np.float32), color=color, width=width_px, connect="segments", parent=parent
        )
        # Drawn after the points and over the near ones, or the current camera drowns in its own frame.
        self._line.set_gl_state("translucent", depth_test=False)
        self._line.order = 10
        self._line.visible = False

    def show(
        self, world_from_camera: np.ndarray, intrinsics: np.ndarray, size_hw: tuple[int, int], depth: float
    ) -> None:
        self._line.set_data(pos=frustum_segments(world_from_camera, intrinsics, size_hw, depth))
        self._line.visible = True

    def hide(self) -> None:
        self._line.visible = False

    @property
    def is_shown(self) -> bool:
        return bool(self._line.visible)


class Frusta:
    """Draws the cameras of a run: one visual for all lines, one for all pictures. GUI thread only."""

    def __init__(self, parent: Node) -> None:
        blank, colors = np.zeros((2, 3), np.float32), np.ones((2, 4), np.float32)
        self._path = Line(pos=blank, color=colors, width=2.5, parent=parent)
        self._lines = Line(pos=blank, color=colors, width=1.0, connect="segments", parent=parent)
        for order, line in enumerate((self._lines, self._path), start=5):
            line.set_gl_state("translucent", depth_test=False)
            line.order = order
            line.visible = False
        self._pictures = Pictures(MAX_SHOWN, _TILE_HW, alpha=0.92, parent=parent)
        self._current_picture = Pictures(1, _CURRENT_TILE_HW, parent=parent)
        for order, pictures in enumerate((self._pictures, self._current_picture), start=2):
            pictures.set_quads(np.zeros((1, 4, 3)), np.zeros(1, int))
            pictures.order = order
            pictures.visible = False
        self._current = FrustumVisual(parent, CURRENT_COLOR, width_px=2.5)
        self._hovered = FrustumVisual(parent, HIGHLIGHT_COLOR, width_px=3.0)
        self._is_path_on = True
        self._shown = ShownFrusta.ALL
        self._has_pictures = True
        self._depth = 1.0
        self._highlighted: int | None = None
        self._eye = np.full(3, np.inf)
        self._past: list[FrameRecord] = []
        self._past_drawn: Set[int] = frozenset()
        self._n_frames = 0
        self._current_record: FrameRecord | None = None
        self._cameras: dict[int, FrameRecord] = {}  # those drawn, by position
        # Tile and picture by the picture's id; holding the picture keeps its id from being given to another.
        self._tiles: dict[int, tuple[int, np.ndarray]] = {}
        self.corners = np.zeros((0, 5, 3))  # of those drawn, world space, in order of ``positions``
        self.positions = np.zeros(0, int)

    @property
    def depth(self) -> float:
        """Length of the current frustum, scene units."""
        return self._depth

    def set_look(self, shown: ShownFrusta, *, has_pictures: bool) -> None:
        """Which frusta to draw, and whether with pictures; takes effect with the next ``show``."""
        self._shown = shown
        self._has_pictures = has_pictures

    def set_path_visible(self, is_visible: bool) -> None:
        self._is_path_on = is_visible
        self._path.visible = is_visible and len(self._path.pos) > 2

    def show(
        self,
        records: Sequence[FrameRecord],
        world_from_camera: np.ndarray,
        current: FrameRecord | None,
        current_picture: np.ndarray | None,
        depth: float,
    ) -> None:
        """Draw the run's cameras, (N, 4, 4) poses of N records, with frusta ``depth`` long.

        The current camera is drawn large, with its thumbnail or a better (h, w, 3) uint8 picture on it.
        """
        self._depth = depth
        centres = world_from_camera[:, :3, 3]
        step = -(-len(centres) // _MAX_PATH) or 1
        self._show_path(centres[(len(centres) - 1) % step :: step])
        self._past = []
        if self._shown is ShownFrusta.ALL:
            self._past = [records[place] for place in shown_positions(world_from_camera, depth * _PAST_SHARE)]
        self._n_frames = len(records)
        self._current_record = None if self._shown is ShownFrusta.NONE else current
        if current is not None and self._has_pictures:
            self._current_picture.set_picture(
                0, current.thumbnail if current_picture is None else current_picture
            )
        self._draw()

    def update_view(self, eye: np.ndarray) -> None:
        """The view looks from (3,) now: frusta right before it would hide the scene, and are left out."""
        if np.array_equal(eye, self._eye):
            return
        self._eye = np.array(eye, float)
        if {record.position for record in self._visible_past()} != self._past_drawn or (
            self._is_current_visible() != self._current.is_shown
        ):
            self._draw()

    def highlight(self, position: int | None) -> None:
        """Make one of the drawn frusta stand out, as long as it is drawn."""
        self._highlighted = position
        record = self._cameras.get(position) if position is not None else None
        if record is None:
            self._hovered.hide()
        else:
            size = self._depth * (_PAST_SHARE if self._shown is ShownFrusta.ALL else 1.0)
            self._hovered.show(record.world_from_camera, record.intrinsics, record.size_hw, size)

    def _show_path(self, centres: np.ndarray) -> None:
        if len(centres) < 2:
            self._path.visible = False
            return
        colors = colors_by_time(np.linspace(0, 1, len(centres)))
        self._path.set_data(pos=centres.astype(np.float32), color=colors)
        self._path.visible = self._is_path_on

    def _draw(self) -> None:
        self._draw_past(self._visible_past())
        self._draw_current()
        self.highlight(self._highlighted)

    def _visible_past(self) -> list[FrameRecord]:
        reach = _NEAR_EYE * self._depth * _PAST_SHARE
        return [record for record in self._past if _distance(record, self._eye) > reach]

    def _is_current_visible(self) -> bool:
        record = self._current_record
        return record is not None and _distance(record, self._eye) > self._depth

    def _draw_past(self, records: Sequence[FrameRecord]) -> None:
        self._cameras = {record.position: record for record in records}
        self._past_drawn = self._cameras.keys()
        self.positions = np.array(list(self._cameras), int)
        self.corners = _corners(records, self._depth * _PAST_SHARE)
        self._lines.visible = bool(records)
        self._pictures.visible = bool(records) and self._has_pictures
        if not records:
            return
        shares = self.positions / max(self._n_frames - 1, 1)
        colors = np.repeat(colors_by_time(shares, 0.75), 18, axis=0)
        self._lines.set_data(pos=frusta_segments(self.corners), color=colors)
        if self._has_pictures:
            tiles = [self._tile_of(record) for record in records]
            self._pictures.set_quads(self.corners[:, 1:], np.array(tiles))

    def _tile_of(self, record: FrameRecord) -> int:
        """The tile with a frame's thumbnail, filled if need be."""
        held = self._tiles.get(id(record.thumbnail))
        if held is not None:
            return held[0]
        if len(self._tiles) == MAX_SHOWN:
            wanted = {id(past.thumbnail) for past in self._past}
            self._tiles = {key: held for key, held in self._tiles.items() if key in wanted}
        taken = {tile for tile, _ in self._tiles.values()}
        tile = next(tile for tile in range(MAX_SHOWN) if tile not in taken)
        self._tiles[id(record.thumbnail)] = (tile, record.thumbnail)
        self._pictures.set_picture(tile, record.thumbnail)
        return tile

    def _draw_current(self) -> None:
        record = self._current_record
        if record is None or not self._is_current_visible():
            self._current.hide()
            self._current_picture.visible = False
            return
        self._current.show(record.world_from_camera, record.intrinsics, record.size_hw, self._depth)
        corners = _corners([record], self._depth)
        self._current_picture.visible = self._has_pictures
        self._current_picture.set_quads(corners[:, 1:], np.zeros(1, int))
        if self._shown is ShownFrusta.CURRENT:
            self._cameras = {record.position: record}
            self.positions, self.corners = np.array([record.position]), corners


def frustum_under(pixels: np.ndarray, depths: np.ndarray, x_px: float, y_px: float) -> int | None:
    """Index of the nearest frustum whose picture or edges lie under a place in the view.

    pixels (N, 5, 2), depths (N, 5): projected ``corners``. Frusta that reach behind the eye are left out.
    """
    mouse = np.array([x_px, y_px])
    in_front = (depths > 0).all(axis=1)
    eye, picture = pixels[:, :1], pixels[:, 1:]
    following = np.roll(picture, -1, axis=1)
    sides, to_mouse = following - picture, mouse - picture
    turns = sides[..., 0] * to_mouse[..., 1] - sides[..., 1] * to_mouse[..., 0]
    is_inside = (turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)
    starts = np.concatenate([picture, np.broadcast_to(eye, picture.shape)], axis=1)
    ends = np.concatenate([following, picture], axis=1)
    is_near = (distances_to_segments(mouse, starts, ends) <= 4.0).any(axis=1)
    hits = np.flatnonzero(in_front & (is_inside | is_near))
    if not len(hits):
        return None
    return int(hits[np.argmin(depths[hits, 1:].mean(axis=1))])


def _distance(record: FrameRecord, eye: np.ndarray) -> float:
    return float(np.linalg.norm(record.world_from_camera[:3, 3] - eye))


def _corners(records: Sequence[FrameRecord], depth: float) -> np.ndarray:
    if not records:
        return np.zeros((0, 5, 3))
    return frusta_corners(
        np.stack([record.world_from_camera for record in records]),
        np.stack([record.intrinsics for record in records]),
        np.array([record.size_hw for record in records]),
        depth,
    )
