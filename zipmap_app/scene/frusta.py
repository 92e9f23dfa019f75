"""The cameras of the run: their path, frusta with pictures, the current one, and which lies under the mouse.

Of many cameras evenly chosen ones get a frustum. Positions are in the model's world.
"""

from __future__ import annotations

from collections.abc import Sequence

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
_PAST_SHARE = 0.5  # size of a past frustum by that of the current one


def shown_positions(n_frames: int, max_shown: int = MAX_SHOWN) -> np.ndarray:
    """(K,) evenly chosen positions; the step is a power of two, so that growing keeps most of the choice."""
    step = 1
    while n_frames > max_shown * step:
        step *= 2
    return np.arange(0, n_frames, step)


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
        blank = np.zeros((2, 3), np.float32)
        self._path = Line(pos=blank, width=2.5, parent=parent)
        self._lines = Line(pos=blank, width=1.0, connect="segments", parent=parent)
        for order, line in enumerate((self._lines, self._path), start=5):
            line.set_gl_state("translucent", depth_test=False)
            line.order = order
            line.visible = False
        self._pictures = Pictures(MAX_SHOWN, _TILE_HW, alpha=0.92, parent=parent)
        self._current_picture = Pictures(1, _CURRENT_TILE_HW, parent=parent)
        self._pictures.order, self._current_picture.order = 2, 3
        self._current = FrustumVisual(parent, CURRENT_COLOR, width_px=2.5)
        self._hovered = FrustumVisual(parent, HIGHLIGHT_COLOR, width_px=3.0)
        self._is_path_on = True
        self._shown = ShownFrusta.ALL
        self._has_pictures = True
        self._depth = 1.0
        self._cameras: dict[int, FrameRecord] = {}  # those drawn, by position
        self._tiles: dict[int, np.ndarray] = {}  # the thumbnail on each tile
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
        centres: np.ndarray,
        current: FrameRecord | None,
        current_picture: np.ndarray | None,
        depth: float,
    ) -> None:
        """Draw the run's cameras and the path through their (N, 3) centres, frusta ``depth`` long.

        The current camera is drawn large, with its thumbnail or a better (h, w, 3) uint8 picture on it.
        """
        self._depth = depth
        step = -(-len(centres) // _MAX_PATH) or 1
        self._show_path(centres[(len(centres) - 1) % step :: step])
        is_all = self._shown is ShownFrusta.ALL
        past = [records[place] for place in shown_positions(len(records))] if is_all else []
        self._show_past(past, len(records))
        if current is None or self._shown is ShownFrusta.NONE:
            self._current.hide()
            self._current_picture.visible = False
        else:
            self._show_current(current, current_picture)

    def highlight(self, position: int | None) -> None:
        """Make one of the drawn frusta stand out."""
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

    def _show_past(self, records: Sequence[FrameRecord], n_frames: int) -> None:
        self._cameras = {record.position: record for record in records}
        self.positions = np.array(list(self._cameras), int)
        self.corners = _corners(records, self._depth * _PAST_SHARE)
        self._lines.visible = bool(records)
        self._pictures.visible = bool(records) and self._has_pictures
        if not records:
            return
        shares = self.positions / max(n_frames - 1, 1)
        colors = np.repeat(colors_by_time(shares, 0.75), 18, axis=0)
        self._lines.set_data(pos=frusta_segments(self.corners), color=colors)
        if self._has_pictures:
            for tile, record in enumerate(records):
                if self._tiles.get(tile) is not record.thumbnail:
                    self._tiles[tile] = record.thumbnail
                    self._pictures.set_picture(tile, record.thumbnail)
            self._pictures.set_quads(self.corners[:, 1:], np.arange(len(records)))

    def _show_current(self, record: FrameRecord, picture: np.ndarray | None) -> None:
        self._current.show(record.world_from_camera, record.intrinsics, record.size_hw, self._depth)
        self._current_picture.visible = self._has_pictures
        corners = _corners([record], self._depth)
        if self._shown is ShownFrusta.CURRENT:
            self._cameras, self.positions, self.corners = (
                {record.position: record},
                np.array([record.position]),
                corners,
            )
        if self._has_pictures:
            self._current_picture.set_picture(0, record.thumbnail if picture is None else picture)
            self._current_picture.set_quads(corners[:, 1:], np.zeros(1, int))


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


def _corners(records: Sequence[FrameRecord], depth: float) -> np.ndarray:
    if not records:
        return np.zeros((0, 5, 3))
    return frusta_corners(
        np.stack([record.world_from_camera for record in records]),
        np.stack([record.intrinsics for record in records]),
        np.array([record.size_hw for record in records]),
        depth,
    )
