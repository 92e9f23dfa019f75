"""A point cloud that grows by uploading only what is new.

Vertices live in vertex buffers of a fixed capacity (chunks) that are allocated once and filled by
sub-uploads; a chunk is never resized, so the cost of an append does not depend on how large the cloud is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from vispy import gloo
from vispy.scene.visuals import create_visual_node
from vispy.visuals import Visual

from zipmap_app.resource_paths import resource_text
from zipmap_app.scene.eye_dome import EyeDome
from zipmap_app.state.points import POINT_DTYPE

CHUNK_CAPACITY = 1_000_000
# Name, GLSL type and byte offset of each vertex attribute.
_ATTRIBUTES = (("a_position", "vec3", 0), ("a_rgb", "float", 12), ("a_confidence", "float", 16))


@dataclass(slots=True)
class _Chunk:
    """One vertex buffer and how far it is filled."""

    buffer: gloo.VertexBuffer
    n_points: int = 0


def _make_chunk(capacity: int) -> _Chunk:
    buffer = gloo.VertexBuffer(np.zeros(1, POINT_DTYPE))
    buffer.resize_bytes(capacity * POINT_DTYPE.itemsize)  # allocates on the GPU without sending zeros
    return _Chunk(buffer)


class GrowingPointsVisual(Visual):  # type: ignore[misc]
    """Points of POINT_DTYPE in chunks. GUI thread only.

    Appended arrays wait on the host until the next draw: a hidden window then costs references, not copies in
    a command queue. They must not be written to after ``append``.
    """

    def __init__(self, chunk_capacity: int = CHUNK_CAPACITY) -> None:
        super().__init__(resource_text("shaders", "points.vert"), resource_text("shaders", "points.frag"))
        self._capacity = chunk_capacity
        self._chunks: list[_Chunk] = []
        self._spare: _Chunk | None = None
        self._discarded: list[_Chunk] = []
        self._pending: deque[np.ndarray] = deque()
        self._n_points = 0
        self._size_px = 2.0
        self._reference_depth = 0.0
        self._min_confidence = -3.0e38
        self._eye_dome = EyeDome()
        self._near_far: tuple[float, float] | None = None
        self.stride = 1
        self.set_gl_state("opaque", depth_test=True, cull_face=False)

    @property
    def n_points(self) -> int:
        """Points appended so far, uploaded or not."""
        return self._n_points

    @property
    def n_chunks(self) -> int:
        return len(self._chunks)

    @property
    def is_settled(self) -> bool:
        """True when a spare chunk is ready, so that the next append allocates nothing."""
        return self._spare is not None or not self._chunks

    def append(self, points: np.ndarray) -> None:
        """Add (K,) POINT_DTYPE points, uploaded at the next draw."""
        if points.dtype != POINT_DTYPE:
            raise ValueError(f"points: want POINT_DTYPE, got {points.dtype}")
        if len(points):
            self._pending.append(points)
            self._n_points += len(points)
            self.update()

    def clear(self) -> None:
        """Forget all points; their buffers are freed at the next draw."""
        self._pending.clear()
        self._discarded += self._chunks
        self._chunks = []
        self._n_points = 0
        self.update()

    def set_appearance(self, *, size_px: float, reference_depth: float, min_confidence: float) -> None:
        """Point size (at ``reference_depth``; 0 for the same size everywhere) and threshold; no re-upload."""
        self._size_px = size_px
        self._reference_depth = reference_depth
        self._min_confidence = max(min_confidence, -3.0e38)
        self.update()

    def set_shading(self, near_far: tuple[float, float] | None) -> None:
        """Shade by eye-dome lighting, given the camera's clip planes; None draws the plain colours."""
        self._near_far = near_far

    def prepare_spare(self) -> None:
        """Allocate the next chunk ahead of need; call when idle, with the canvas current."""
        if self._spare is None and self._chunks:
            self._spare = _make_chunk(self._capacity)
            self._queue().associate(self._spare.buffer.glir)
            gloo.context.get_current_canvas().context.flush_commands()

    def release(self) -> None:
        """Free everything on the GPU now; with a current canvas.

        Contexts are shared in the application, so nothing of this would go with the canvas.
        """
        self.clear()
        if self._spare is not None:
            self._discarded.append(self._spare)
            self._spare = None
        self._eye_dome.release()
        self.upload_pending()

    def upload_pending(self) -> None:
        """Send what waits to the GPU; needs a current canvas."""
        queue = self._queue()
        for chunk in self._discarded:
            queue.associate(chunk.buffer.glir)
            chunk.buffer.delete()
        self._discarded.clear()
        while self._pending:
            points = self._pending.popleft()
            while len(points):
                chunk = self._chunk_with_room(queue)
                part = points[: self._capacity - chunk.n_points]
                chunk.buffer.set_subdata(part, offset=chunk.n_points)
                chunk.n_points += len(part)
                points = points[len(part) :]
        gloo.context.get_current_canvas().context.flush_commands()

    def draw(self) -> None:
        if not self.visible:
            return
        self.upload_pending()
        if not self._chunks:
            return
        self._set_uniforms()
        if self._near_far is None:
            self._configure_gl_state()
            self._draw_chunks()
            return
        with self._eye_dome.captured(*self._near_far, self.transforms.pixel_scale):
            self._configure_gl_state()
            self._draw_chunks()

    def _chunk_with_room(self, queue: gloo.glir.GlirQueue) -> _Chunk:
        if not self._chunks or self._chunks[-1].n_points == self._capacity:
            chunk = self._spare or _make_chunk(self._capacity)
            self._spare = None
            queue.associate(chunk.buffer.glir)
            self._chunks.append(chunk)
        return self._chunks[-1]

    def _set_uniforms(self) -> None:
        program = self.view_program
        # All transforms on the way are linear, so mapping the unit vectors gives the matrix (rows, as VisPy
        # and the GL upload want it).
        matrix = self.get_transform("visual", "render").map(np.eye(4))
        program["u_clip_from_visual"] = matrix.astype(np.float32)
        # Larger points close the gaps that skipped ones leave. Only in part: growing with the square root of the
        # stride would fill as many pixels as drawing them all.
        program["u_size_px"] = self._size_px * self.transforms.pixel_scale * min(self.stride**0.25, 2.0)
        program["u_reference_depth"] = self._reference_depth
        program["u_min_confidence"] = self._min_confidence

    def _draw_chunks(self) -> None:
        """Issue GLIR commands directly: Program.draw can draw neither a prefix nor every k-th vertex."""
        program = self.view_program
        program.build_if_needed()
        program.update_variables()
        queue = self._queue()
        queue.associate(program.glir)
        stride_bytes = POINT_DTYPE.itemsize * self.stride
        for chunk in self._chunks:
            for name, glsl_type, offset in _ATTRIBUTES:
                place = (chunk.buffer.id, stride_bytes, offset)
                queue.command("ATTRIBUTE", program.id, name, glsl_type, place, None)
            n_vertices = (chunk.n_points - 1) // self.stride + 1
            queue.command("DRAW", program.id, "points", (0, n_vertices), 1)
        gloo.context.get_current_canvas().context.flush_commands()

    def _prepare_transforms(self, view: Visual) -> None:
        """The matrix is set with the other uniforms, before each draw."""

    @staticmethod
    def _queue() -> gloo.glir.GlirQueue:
        canvas = gloo.context.get_current_canvas()
        if canvas is None:
            raise RuntimeError("GrowingPoints needs a current canvas to upload or draw")
        return canvas.context.glir


GrowingPoints = create_visual_node(GrowingPointsVisual)
