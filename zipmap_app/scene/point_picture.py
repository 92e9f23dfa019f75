"""A picture with depth into which points are drawn, in one go or part by part, before it is put on the canvas.

Eye-dome lighting shades it on the way. It also answers what lies under a pixel, without the lines and frusta
drawn over the points.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from vispy import gloo

from zipmap_app.resource_paths import resource_text

_CORNERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32)
_STRENGTH = 3.5  # of the shading
_RADIUS_PX = 1.4  # of the neighbours it compares


@dataclass(frozen=True, slots=True)
class DepthHit:
    """A pixel with a point in it, counted from the top left of the picture."""

    x_px: int
    y_px: int
    depth: float  # as in the depth buffer, 0 to 1


class PointPicture:
    """Colour and depth off screen. GUI thread, with a current canvas."""

    def __init__(self) -> None:
        vertex_shader = resource_text("shaders", "full_picture.vert")
        self._copy = gloo.Program(vertex_shader, resource_text("shaders", "copy.frag"))
        self._shade = gloo.Program(vertex_shader, resource_text("shaders", "eye_dome.frag"))
        for program in (self._copy, self._shade):
            program["a_corner"] = _CORNERS
        self._size_px = (0, 0)
        self._frame_buffer: gloo.FrameBuffer | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self._size_px

    def fit(self) -> bool:
        """Take the size of the current viewport; True if the picture is a new one, without content."""
        canvas = gloo.context.get_current_canvas()
        canvas.context.flush_commands()
        _, _, width, height = (int(value) for value in gloo.gl.glGetParameter(gloo.gl.GL_VIEWPORT))
        if self._frame_buffer is not None and (width, height) == self._size_px:
            return False
        self.release()
        color = gloo.Texture2D(shape=(height, width, 4), format="rgba")
        depth = gloo.Texture2D(shape=(height, width), format="depth_component")  # 24 bits
        self._frame_buffer = gloo.FrameBuffer(color=color, depth=depth)
        for program in (self._copy, self._shade):
            program["u_color"] = color
            program["u_depth"] = depth
        self._shade["u_texel"] = (1 / width, 1 / height)
        self._size_px = (width, height)
        return True

    @contextmanager
    def opened(self, *, is_cleared: bool) -> Iterator[None]:
        """Draw the body into the picture, over what is there or over nothing; after ``fit``."""
        assert self._frame_buffer is not None
        with self._frame_buffer:
            gloo.set_viewport(0, 0, *self._size_px)
            if is_cleared:
                # Opaque black: VisPy's Qt canvas later clears alpha with whatever clear colour was set last.
                gloo.clear(color=(0, 0, 0, 1), depth=True)
            yield

    def show(self, near_far: tuple[float, float], pixel_scale: float, *, is_shaded: bool) -> None:
        """Put it on the current target with its depth, shaded if wanted; the camera's clip planes are given."""
        gloo.set_state(depth_test=True, blend=False, cull_face=False)
        if not is_shaded:
            self._copy.draw("triangle_strip")
            return
        self._shade["u_near_far"] = near_far
        self._shade["u_radius_px"] = _RADIUS_PX * pixel_scale
        self._shade["u_strength"] = _STRENGTH
        self._shade.draw("triangle_strip")

    def depth_near(self, x_px: float, y_px: float, radius_px: int) -> DepthHit | None:
        """The drawn pixel nearest to a place in the picture, within a square of this radius."""
        if self._frame_buffer is None:
            return None
        width, height = self._size_px
        left, right = max(int(x_px) - radius_px, 0), min(int(x_px) + radius_px + 1, width)
        top, bottom = max(int(y_px) - radius_px, 0), min(int(y_px) + radius_px + 1, height)
        if left >= right or top >= bottom:
            return None
        with self._frame_buffer:
            region = (left, height - bottom, right - left, bottom - top)  # GL counts rows from the bottom
            depth = gloo.read_pixels(region, mode="depth", out_type="float")[..., 0]
        rows, columns = np.nonzero(depth < 1.0)
        if not len(rows):
            return None
        nearest = int(np.argmin((columns + left - int(x_px)) ** 2 + (rows + top - int(y_px)) ** 2))
        row, column = int(rows[nearest]), int(columns[nearest])
        return DepthHit(column + left, row + top, float(depth[row, column]))

    def release(self) -> None:
        """Free the picture at the next flush; the next ``fit`` makes another."""
        if self._frame_buffer is None:
            return
        for texture in (self._frame_buffer.color_buffer, self._frame_buffer.depth_buffer):
            texture.delete()
        self._frame_buffer.delete()
        self._frame_buffer = None
        self._size_px = (0, 0)
