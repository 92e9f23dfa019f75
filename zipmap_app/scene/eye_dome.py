"""Eye-dome lighting: points are drawn into a picture of their own and shaded by depth differences.

The same picture answers what lies under a pixel, without the lines and frusta drawn over the points.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from vispy import gloo

from zipmap_app.resource_paths import resource_text

_CORNERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class DepthHit:
    """A pixel with a point in it, counted from the top left of the picture."""

    x_px: int
    y_px: int
    depth: float  # as in the depth buffer, 0 to 1


class EyeDome:
    """Two passes over whatever is drawn inside ``captured``. GUI thread, with a current canvas."""

    def __init__(self, strength: float = 3.5, radius_px: float = 1.4) -> None:
        self._program = gloo.Program(
            resource_text("shaders", "eye_dome.vert"), resource_text("shaders", "eye_dome.frag")
        )
        self._program["a_corner"] = _CORNERS
        self._strength = strength
        self._radius_px = radius_px
        self._size_px = (0, 0)
        self._frame_buffer: gloo.FrameBuffer | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the last picture."""
        return self._size_px

    @contextmanager
    def captured(self, near: float, far: float, pixel_scale: float, *, is_shaded: bool) -> Iterator[None]:
        """Draw the body off screen, then onto the current target with its depth, and with shading if wanted."""
        canvas = gloo.context.get_current_canvas()
        canvas.context.flush_commands()
        _, _, width, height = (int(value) for value in gloo.gl.glGetParameter(gloo.gl.GL_VIEWPORT))
        with self._fitting_frame_buffer(width, height):
            # Opaque black: VisPy's Qt canvas later clears alpha with whatever clear colour was set last.
            gloo.clear(color=(0, 0, 0, 1), depth=True)
            yield
        gloo.set_state(depth_test=True, blend=False, cull_face=False)
        self._program["u_near_far"] = (near, far)
        self._program["u_radius_px"] = self._radius_px * pixel_scale
        self._program["u_strength"] = self._strength if is_shaded else 0.0
        self._program.draw("triangle_strip")

    def depth_near(self, x_px: float, y_px: float, radius_px: int) -> DepthHit | None:
        """The drawn pixel nearest to a place in the last picture, within a square of this radius."""
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
        """Free the off-screen picture at the next flush; the next capture makes another."""
        if self._frame_buffer is None:
            return
        for texture in (self._frame_buffer.color_buffer, self._frame_buffer.depth_buffer):
            texture.delete()
        self._frame_buffer.delete()
        self._frame_buffer = None
        self._size_px = (0, 0)

    def _fitting_frame_buffer(self, width: int, height: int) -> gloo.FrameBuffer:
        if self._frame_buffer is not None and (width, height) == self._size_px:
            return self._frame_buffer
        self.release()
        color = gloo.Texture2D(shape=(height, width, 4), format="rgba")
        depth = gloo.Texture2D(shape=(height, width), format="depth_component")  # 24 bits
        self._frame_buffer = gloo.FrameBuffer(color=color, depth=depth)
        self._program["u_color"] = color
        self._program["u_depth"] = depth
        self._program["u_texel"] = (1 / width, 1 / height)
        self._size_px = (width, height)
        return self._frame_buffer
