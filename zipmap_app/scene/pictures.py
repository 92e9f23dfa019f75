"""Pictures standing in space: any number of quads in one draw, from one texture of a fixed number of tiles."""

from __future__ import annotations

import math

import numpy as np
from vispy import gloo
from vispy.scene.visuals import create_visual_node
from vispy.visuals import Visual

from zipmap_app.resource_paths import resource_text

_TWO_TRIANGLES = (0, 1, 2, 0, 2, 3)


class PicturesVisual(Visual):  # type: ignore[misc]
    """Quads with a tile each of an atlas. GUI thread only.

    Pictures wait on the host until the next draw, one a tile: a hidden window then keeps the newest only.
    """

    def __init__(self, n_tiles: int, tile_hw: tuple[int, int], alpha: float = 1.0) -> None:
        super().__init__(resource_text("shaders", "pictures.vert"), resource_text("shaders", "pictures.frag"))
        self._tile_hw = tile_hw
        self._n_columns = math.isqrt(n_tiles - 1) + 1
        self._n_rows = -(-n_tiles // self._n_columns)
        self._waiting: dict[int, np.ndarray] = {}
        self._n_quads = 0
        self._positions = gloo.VertexBuffer()
        self._places = gloo.VertexBuffer()
        shape = (self._n_rows * tile_hw[0], self._n_columns * tile_hw[1], 3)
        self._atlas = gloo.Texture2D(shape=shape, format="rgb", interpolation="linear")
        self.shared_program["a_position"] = self._positions
        self.shared_program["a_place"] = self._places
        self.shared_program["u_atlas"] = self._atlas
        self.shared_program["u_alpha"] = alpha
        self._draw_mode = "triangles"
        self.set_gl_state("translucent", depth_test=True, cull_face=False)

    @property
    def n_quads(self) -> int:
        return self._n_quads

    def set_picture(self, tile: int, rgb: np.ndarray) -> None:
        """Put an (h, w, 3) uint8 picture of any size on a tile; nobody may write to it any more."""
        self._waiting[tile] = rgb
        self.update()

    def set_quads(self, corners: np.ndarray, tiles: np.ndarray) -> None:
        """Show (N, 4, 3) quads, clockwise from the top left, with the pictures of (N,) tiles."""
        self._n_quads = len(corners)
        if self._n_quads:
            order = np.array(_TWO_TRIANGLES)
            self._positions.set_data(corners[:, order].reshape(-1, 3).astype(np.float32))
            self._places.set_data(self._corner_places(tiles)[:, order].reshape(-1, 2))
        self.update()

    def _corner_places(self, tiles: np.ndarray) -> np.ndarray:
        """(N, 4, 2) float32 atlas coordinates, half a pixel inside: linear filtering must not see neighbours."""
        rows, columns = np.divmod(np.asarray(tiles), self._n_columns)
        inset_y, inset_x = 0.5 / self._tile_hw[0], 0.5 / self._tile_hw[1]
        left, right = (columns + inset_x) / self._n_columns, (columns + 1 - inset_x) / self._n_columns
        top, bottom = (rows + inset_y) / self._n_rows, (rows + 1 - inset_y) / self._n_rows
        x = np.stack([left, right, right, left], axis=1)
        y = np.stack([top, top, bottom, bottom], axis=1)
        return np.stack([x, y], axis=2).astype(np.float32)

    def _prepare_transforms(self, view: Visual) -> None:
        view.view_program.vert["transform"] = view.get_transform()

    def _prepare_draw(self, view: Visual) -> bool | None:
        height, width = self._tile_hw
        for tile, rgb in self._waiting.items():
            row, column = divmod(tile, self._n_columns)
            self._atlas.set_data(_fitted(rgb, self._tile_hw), offset=(row * height, column * width))
        self._waiting.clear()
        return None if self._n_quads else False


def _fitted(rgb: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """A picture of another size by its nearest pixels."""
    if rgb.shape[:2] == size_hw:
        return np.ascontiguousarray(rgb)
    rows, columns = (
        (np.arange(wanted) * given) // wanted for wanted, given in zip(size_hw, rgb.shape[:2], strict=True)
    )
    fitted: np.ndarray = rgb.take(columns, axis=1).take(rows, axis=0)  # many times as fast as both at once
    return fitted


Pictures = create_visual_node(PicturesVisual)
