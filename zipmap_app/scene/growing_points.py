"""A point cloud that grows by uploading only what is new, and tells what lies under a pixel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from vispy import gloo
from vispy.scene.visuals import create_visual_node
from vispy.visuals import Visual

from zipmap_app.resource_paths import resource_text
from zipmap_app.scene.detail import Part, Sampling, enlargement
from zipmap_app.scene.partial_picture import PartialPicture
from zipmap_app.scene.point_style import PointStyle
from zipmap_app.scene.vertex_store import CHUNK_CAPACITY, VertexStore
from zipmap_app.state.points import POINT_DTYPE

# Name, GLSL type and byte offset of each vertex attribute.
_ATTRIBUTES = (
    ("a_position", "vec3", 0),
    ("a_rgb", "float", 12),
    ("a_confidence", "float", 16),
    ("a_frame", "float", 20),
)

# Vertices of a run where whole runs are skipped: at the largest stride about one picture's worth of points.
_RUN = 512
_FULLER = 3  # times the points of the sample make the picture at rest the fuller one


@dataclass(frozen=True, slots=True)
class DrawPlan:
    """How the next draws go about it."""

    near_far: tuple[float, float] = (0.01, 100.0)  # clip planes of the camera
    # One part of the sampling, with larger points, is the picture; at rest all parts are, one after the other.
    is_moving: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    n_parts: int = 1  # drawn at a time at rest
    upload_budget_s: float | None = float("inf")  # None: what waits is sent at another time
    is_shaded: bool = False
    is_shaded_early: bool = True  # before all parts are there


class GrowingPointsVisual(Visual):  # type: ignore[misc]
    """Points of POINT_DTYPE. GUI thread only.

    At rest they are drawn into a picture of their own. Every draw adds a part of them to it, until it is
    complete; whatever else has to be drawn again, they have not. Points that come or go ask for no draw by
    themselves: they may come faster than they can be drawn.
    """

    def __init__(self, chunk_capacity: int = CHUNK_CAPACITY) -> None:
        self._defines: tuple[str, ...] = ()
        super().__init__(_vertex_shader(()), resource_text("shaders", "points.frag"))
        self.store = VertexStore(chunk_capacity)
        self.plan = DrawPlan()
        self.n_drawn = 0  # points of the last draw
        self._style = PointStyle()
        self._n_styles = 0
        self._sample = PartialPicture()
        self._full = PartialPicture()
        self._shown: PartialPicture | None = None
        self.set_gl_state("opaque", depth_test=True, cull_face=False)

    @property
    def n_points(self) -> int:
        """Points held, uploaded or not."""
        return self.store.n_points

    @property
    def style(self) -> PointStyle:
        return self._style

    @property
    def is_complete(self) -> bool:
        """Whether the last draw at rest left nothing out."""
        return not (self.visible and self.store.n_points) or self._full.n_parts_left == 0

    def append(self, points: np.ndarray) -> None:
        """Add (K,) POINT_DTYPE points, uploaded at the next draws; nobody may write to them any more."""
        self.store.append(points)

    def truncate(self, n_points: int) -> None:
        """Keep the first ``n_points``."""
        self.store.truncate(n_points)

    def replace(self, blocks: Iterable[np.ndarray]) -> None:
        """Exchange all points; the old ones are drawn until the new ones have arrived."""
        self.store.replace(blocks)

    def clear(self) -> None:
        self.store.clear()

    def set_style(self, style: PointStyle) -> None:
        self._style = style
        self._n_styles += 1
        self.update()

    def prepare_spare(self) -> None:
        """Make room for the next points ahead of need; when idle, with the canvas current."""
        self.store.prepare_spare()

    def release(self) -> None:
        """Free everything on the GPU now; with a current canvas.

        Contexts are shared in the application, so nothing of this would go with the canvas.
        """
        self.store.release()
        for layer in (self._sample, self._full):
            layer.picture.release()
        gloo.context.get_current_canvas().context.flush_commands()

    def draw(self) -> None:
        self._shown = None
        self.n_drawn = 0
        if not self.visible:
            return
        plan = self.plan
        if plan.upload_budget_s is not None:
            self.store.upload(plan.upload_budget_s)
        if not any(self.store.drawn()):
            self._compile()
            return
        is_sample = plan.is_moving or self.store.is_exchanging
        clip_from_visual = self._set_uniforms()
        content = (clip_from_visual.tobytes(), self._n_styles, self.store.version)
        if is_sample:
            self._draw_sample(content, clip_from_visual)
        else:
            self._draw_full(content, clip_from_visual)

    def _draw_sample(self, content: object, clip_from_visual: np.ndarray) -> None:
        plan, layer = self.plan, self._sample
        size_px = self._size_px * enlargement(self.store.n_points, plan.sampling.n_parts, self._size_px)
        layer.picture.fit()
        layer.restart(content, clip_from_visual, plan.sampling, size_px)
        self._shown = layer
        if plan.is_shaded and (plan.is_shaded_early or plan.sampling.n_parts == 1):
            self.n_drawn = self._add_parts(layer, 1)
            self._show(layer, is_shaded=True)
        else:
            # Straight on the canvas. The picture follows when somebody asks what lies under a pixel.
            self._configure_gl_state()
            self.n_drawn = layer.n_points = self._draw_part(layer.sampling.part(0), size_px)

    def _draw_full(self, content: object, clip_from_visual: np.ndarray) -> None:
        plan, layer = self.plan, self._full
        if layer.picture.fit() or layer.content != content:
            layer.restart(content, clip_from_visual, plan.sampling, self._size_px)
        self.n_drawn = self._add_parts(layer, plan.n_parts)
        # A sample with large points looks fuller than the first parts of all with small ones.
        sample = self._sample
        is_early = layer.n_parts_left > 0 and layer.n_points < _FULLER * sample.n_points
        if is_early and sample.content == content:
            if not sample.n_parts_done:
                self._add_parts(sample, 1)
            self._shown = sample
        else:
            self._shown = layer
        is_complete = self._shown.n_parts_left == 0
        self._show(self._shown, is_shaded=plan.is_shaded and (plan.is_shaded_early or is_complete))

    def _show(self, layer: PartialPicture, *, is_shaded: bool) -> None:
        layer.picture.show(self.plan.near_far, self.transforms.pixel_scale, is_shaded=is_shaded)

    def point_under(self, x_px: float, y_px: float, radius_px: int = 4) -> tuple[np.ndarray, float] | None:
        """What the last draw shows at a pixel of the framebuffer, counted from its top left.

        The drawn point nearest to the pixel within the radius: (3,) in the visual's space and its depth in
        [0, 1]. None over empty space. Needs a current canvas.
        """
        if self._shown is None:
            return None
        if not self._shown.n_parts_done:
            self._add_parts(self._shown, 1)
            gloo.context.get_current_canvas().context.flush_commands()
        hit = self._shown.picture.depth_near(x_px, y_px, radius_px)
        if hit is None:
            return None
        width, height = self._shown.picture.size_px
        ndc = (2 * (hit.x_px + 0.5) / width - 1, 1 - 2 * (hit.y_px + 0.5) / height, 2 * hit.depth - 1, 1.0)
        point = np.linalg.solve(self._shown.clip_from_visual, ndc)
        return point[:3] / point[3], hit.depth

    def _add_parts(self, layer: PartialPicture, n_parts: int) -> int:
        """Draw the next parts into a layer's picture, as far as there are any; returns the number of points."""
        first = layer.n_parts_done
        last = min(first + n_parts, layer.sampling.n_parts)
        if first >= last:
            return 0
        n_drawn = 0
        with layer.picture.opened(is_cleared=first == 0):
            self._configure_gl_state()
            for index in range(first, last):
                n_drawn += self._draw_part(layer.sampling.part(index), layer.size_px)
        layer.n_points = n_drawn if first == 0 else layer.n_points + n_drawn
        layer.n_parts_done = last
        return n_drawn

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
        for name, value in self._style.uniforms(_eye_of(matrix.T)):
            program[name] = value
        return matrix.T

    def _compile(self) -> None:
        """Before the first points come: it takes a while. Does nothing when it is done."""
        self._set_uniforms()
        program = self.view_program
        program["u_size_px"] = self._size_px
        program.build_if_needed()
        gloo.context.get_current_canvas().context.glir.associate(program.glir)

    @property
    def _size_px(self) -> float:
        """Of a point, in device pixels."""
        size_px: float = self._style.size_px * self.transforms.pixel_scale
        return size_px

    def _draw_part(self, part: Part, size_px: float) -> int:
        """Issue GLIR commands directly: Program.draw can draw neither a prefix nor every k-th vertex.

        Returns the number of points drawn.
        """
        program = self.view_program
        program["u_size_px"] = size_px
        program.build_if_needed()
        program.update_variables()
        context = gloo.context.get_current_canvas().context
        queue = context.glir
        queue.associate(program.glir)
        n_drawn = n_runs = 0
        for chunk in self.store.drawn():
            n_vertices = max((chunk.n_points - part.phase - 1) // part.stride + 1, 0)
            run = _RUN if part.skip > 1 else max(n_vertices, 1)
            # Runs are counted through all chunks: a chunk may hold fewer than are skipped.
            firsts = range((part.run - n_runs) % part.skip * run, n_vertices, part.skip * run)
            n_runs += -(-n_vertices // run)
            if not firsts:
                continue
            for name, glsl_type, offset in _ATTRIBUTES:
                place = (
                    chunk.buffer.id,
                    POINT_DTYPE.itemsize * part.stride,
                    POINT_DTYPE.itemsize * part.phase + offset,
                )
                queue.command("ATTRIBUTE", program.id, name, glsl_type, place, None)
            for first in firsts:
                span = (first, min(run, n_vertices - first))
                queue.command("DRAW", program.id, "points", span, 1)
                n_drawn += span[1]
        context.flush_commands()
        return n_drawn

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
