"""A point cloud that grows by uploading only what is new, and tells what lies under a pixel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from vispy import gloo
from vispy.scene.visuals import create_visual_node
from vispy.visuals import Visual

from zipmap_app.resource_paths import resource_text
from zipmap_app.scene.eye_dome import EyeDome
from zipmap_app.scene.point_style import PointStyle
from zipmap_app.scene.vertex_store import CHUNK_CAPACITY, VertexStore
from zipmap_app.state.points import POINT_DTYPE

UPLOAD_BUDGET_S = 0.008  # per draw: a large cloud arrives over several
# Name, GLSL type and byte offset of each vertex attribute.
_ATTRIBUTES = (
    ("a_position", "vec3", 0),
    ("a_rgb", "float", 12),
    ("a_confidence", "float", 16),
    ("a_frame", "float", 20),
)

# Vertices of a run where whole runs are skipped: at the largest stride about one picture's worth of points.
_RUN = 1024


class GrowingPointsVisual(Visual):  # type: ignore[misc]
    """Points of POINT_DTYPE. GUI thread only."""

    def __init__(self, chunk_capacity: int = CHUNK_CAPACITY) -> None:
        self._defines: tuple[str, ...] = ()
        super().__init__(_vertex_shader(()), resource_text("shaders", "points.frag"))
        self.store = VertexStore(chunk_capacity)
        self._style = PointStyle()
        self._eye_dome = EyeDome()
        self._near_far: tuple[float, float] | None = None
        self._is_shaded = False
        self._captured_clip_from_visual: np.ndarray | None = None
        self.stride = 1  # every so many points are drawn
        self.skip = 1  # of those, one run of neighbours in so many
        self.set_gl_state("opaque", depth_test=True, cull_face=False)

    @property
    def n_points(self) -> int:
        """Points held, uploaded or not."""
        return self.store.n_points

    @property
    def style(self) -> PointStyle:
        return self._style

    @property
    def is_captured(self) -> bool:
        """Whether the last draw can be asked what lies under a pixel."""
        return self._captured_clip_from_visual is not None

    def append(self, points: np.ndarray) -> None:
        """Add (K,) POINT_DTYPE points, uploaded at the next draws; nobody may write to them any more."""
        self.store.append(points)
        self.update()

    def truncate(self, n_points: int) -> None:
        """Keep the first ``n_points``."""
        self.store.truncate(n_points)
        self.update()

    def replace(self, blocks: Iterable[np.ndarray]) -> None:
        """Exchange all points; the old ones are drawn until the new ones have arrived."""
        self.store.replace(blocks)
        self.update()

    def clear(self) -> None:
        self.store.clear()
        self.update()

    def set_style(self, style: PointStyle) -> None:
        self._style = style
        self.update()

    def set_capture(self, near_far: tuple[float, float] | None, *, is_shaded: bool = True) -> None:
        """Draw by way of an off-screen picture, given the camera's clip planes; None draws directly.

        A captured draw is shaded by eye-dome lighting, if wanted, and can be asked what lies under a pixel.
        """
        self._near_far = near_far
        self._is_shaded = is_shaded

    def prepare_spare(self) -> None:
        """Make room for the next points ahead of need; when idle, with the canvas current."""
        self.store.prepare_spare()

    def release(self) -> None:
        """Free everything on the GPU now; with a current canvas.

        Contexts are shared in the application, so nothing of this would go with the canvas.
        """
        self.store.release()
        self._eye_dome.release()
        gloo.context.get_current_canvas().context.flush_commands()

    def draw(self) -> None:
        self._captured_clip_from_visual = None
        if not self.visible:
            return
        self.store.upload(UPLOAD_BUDGET_S)
        if not self.store.n_chunks and not any(self.store.drawn()):
            return
        clip_from_visual = self._set_uniforms()
        if self._near_far is None:
            self._configure_gl_state()
            self._draw_chunks()
            return
        with self._eye_dome.captured(*self._near_far, self.transforms.pixel_scale, is_shaded=self._is_shaded):
            self._configure_gl_state()
            self._draw_chunks()
        self._captured_clip_from_visual = clip_from_visual

    def point_under(self, x_px: float, y_px: float, radius_px: int = 4) -> tuple[np.ndarray, float] | None:
        """What the last captured draw shows at a pixel of the framebuffer, counted from its top left.

        The drawn point nearest to the pixel within the radius: (3,) in the visual's space and its depth in
        [0, 1]. None over empty space and when the last draw was not captured. Needs a current canvas.
        """
        if self._captured_clip_from_visual is None:
            return None
        hit = self._eye_dome.depth_near(x_px, y_px, radius_px)
        if hit is None:
            return None
        width, height = self._eye_dome.size_px
        ndc = (2 * (hit.x_px + 0.5) / width - 1, 1 - 2 * (hit.y_px + 0.5) / height, 2 * hit.depth - 1, 1.0)
        point = np.linalg.solve(self._captured_clip_from_visual, ndc)
        return point[:3] / point[3], hit.depth

    def _set_uniforms(self) -> np.ndarray:
        """Returns the (4, 4) clip_from_visual of this draw, column convention."""
        program = self.view_program
        if self._style.defines != self._defines:
            self._defines = self._style.defines
            program.vert = _vertex_shader(self._defines)
        # All transforms on the way are linear, so mapping the unit vectors gives the matrix (rows, as VisPy
        # and the GL upload want it).
        matrix = np.asarray(self.get_transform("visual", "render").map(np.eye(4)), float)
        program["u_clip_from_visual"] = matrix.astype(np.float32)
        # Larger points close the gaps that skipped ones leave. Only in part: growing with the square root of the
        # stride would fill as many pixels as drawing them all.
        growth = min(self.stride**0.25, 2.0)
        program["u_size_px"] = self._style.size_px * self.transforms.pixel_scale * growth
        for name, value in self._style.uniforms(_eye_of(matrix.T)):
            program[name] = value
        return matrix.T

    def _draw_chunks(self) -> None:
        """Issue GLIR commands directly: Program.draw can draw neither a prefix nor every k-th vertex."""
        program = self.view_program
        program.build_if_needed()
        program.update_variables()
        context = gloo.context.get_current_canvas().context
        queue = context.glir
        queue.associate(program.glir)
        stride_bytes = POINT_DTYPE.itemsize * self.stride
        for chunk in self.store.drawn():
            for name, glsl_type, offset in _ATTRIBUTES:
                place = (chunk.buffer.id, stride_bytes, offset)
                queue.command("ATTRIBUTE", program.id, name, glsl_type, place, None)
            n_vertices = (chunk.n_points - 1) // self.stride + 1
            run = _RUN if self.skip > 1 else n_vertices
            for first in range(0, n_vertices, run * self.skip):
                span = (first, min(run, n_vertices - first))
                queue.command("DRAW", program.id, "points", span, 1)
        context.flush_commands()

    def _prepare_transforms(self, view: Visual) -> None:
        """The matrix is set with the other uniforms, before each draw."""


def _vertex_shader(defines: tuple[str, ...]) -> str:
    header = "".join(f"#define {name}\n" for name in defines)
    return header + resource_text("shaders", "points.vert")


def _eye_of(clip_from_visual: np.ndarray) -> np.ndarray:
    """(3,) the point that every ray of a perspective projection passes through; far away for others."""
    x_row, y_row, w_row = clip_from_visual[0], clip_from_visual[1], clip_from_visual[3]
    rays = np.stack([x_row, y_row, w_row])
    if abs(np.linalg.det(rays[:, :3])) < 1e-12:
        return np.zeros(3)
    return np.linalg.solve(rays[:, :3], -rays[:, 3])


GrowingPoints = create_visual_node(GrowingPointsVisual)
