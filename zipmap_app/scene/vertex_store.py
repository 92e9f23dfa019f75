"""Vertices on the GPU: buffers of a fixed capacity (chunks), allocated once and filled by sub-uploads.

A chunk is never resized, so the cost of an append does not depend on how large the cloud is; uploads stop when
their time is up, so no draw waits for a large cloud to arrive.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from vispy import gloo

from zipmap_app.state.points import POINT_DTYPE

CHUNK_CAPACITY = 1_000_000
_SLICE = 131_072  # points sent between two looks at the clock


@dataclass(slots=True)
class Chunk:
    """One vertex buffer and how far it is filled."""

    buffer: gloo.VertexBuffer
    n_points: int = 0


class VertexStore:
    """Points of POINT_DTYPE in order. GUI thread only.

    What is appended waits on the host until the next upload: a hidden window then costs references, not copies
    in a command queue. Arrays must not be written to after they were handed over.
    """

    def __init__(self, capacity: int = CHUNK_CAPACITY) -> None:
        self._capacity = capacity
        self._chunks: list[Chunk] = []
        self._waiting: deque[np.ndarray] = deque()
        self._n_waiting = 0
        self._spares: list[Chunk] = []  # allocated and empty
        self._discarded: list[Chunk] = []  # to be freed with the next current context
        # While a replacement arrives, the old points go on being drawn, oldest first making room for the new.
        self._retiring: deque[Chunk] = deque()
        self._n_retired_at_start = 0
        self._n_replacing = 0
        self._version = 0

    @property
    def version(self) -> tuple[int, int]:
        """Changes with every change of what ``drawn`` yields."""
        return self._version, self._n_uploaded

    @property
    def is_exchanging(self) -> bool:
        """Whether old points are still drawn because their successors have not arrived."""
        return bool(self._retiring)

    @property
    def n_points(self) -> int:
        """Points held, uploaded or waiting."""
        return self._n_uploaded + self._n_waiting

    @property
    def n_waiting(self) -> int:
        return self._n_waiting

    @property
    def n_chunks(self) -> int:
        return len(self._chunks)

    @property
    def has_spare(self) -> bool:
        return bool(self._spares)

    @property
    def memory_bytes(self) -> int:
        """Allocated on the GPU."""
        n_chunks = len(self._chunks) + len(self._spares) + len(self._retiring) + len(self._discarded)
        return n_chunks * self._capacity * POINT_DTYPE.itemsize

    @property
    def _n_uploaded(self) -> int:
        return sum(chunk.n_points for chunk in self._chunks)

    def append(self, points: np.ndarray) -> None:
        """Add (K,) POINT_DTYPE points at the end."""
        if points.dtype != POINT_DTYPE:
            raise ValueError(f"points: want POINT_DTYPE, got {points.dtype}")
        if len(points):
            self._waiting.append(points)
            self._n_waiting += len(points)

    def truncate(self, n_points: int) -> None:
        """Keep the first ``n_points``; nothing is sent again."""
        self._version += 1
        self._recycle(self._retiring)
        self._retiring.clear()
        surplus = self.n_points - n_points
        while surplus > 0 and self._waiting:
            last = self._waiting.pop()
            kept = last[: max(len(last) - surplus, 0)]
            surplus -= len(last) - len(kept)
            self._n_waiting -= len(last) - len(kept)
            if len(kept):
                self._waiting.append(kept)
        while surplus > 0 and self._chunks:
            n_dropped = min(self._chunks[-1].n_points, surplus)
            self._chunks[-1].n_points -= n_dropped
            surplus -= n_dropped
            if not self._chunks[-1].n_points:
                self._recycle([self._chunks.pop()])

    def replace(self, blocks: Iterable[np.ndarray]) -> None:
        """Exchange all points; what was drawn stays until its place is taken."""
        self._version += 1
        self._waiting.clear()
        self._n_waiting = 0
        self._retiring.extend(self._chunks)
        self._n_retired_at_start = len(self._retiring)
        self._chunks = []
        for block in blocks:
            self.append(block)
        self._n_replacing = self._n_waiting
        self._retire()

    def clear(self) -> None:
        """Forget all points; their buffers but one are freed at the next upload."""
        self.replace(())

    def upload(self, budget_s: float = float("inf")) -> None:
        """Send what waits to the GPU until the time is up, at least one slice; needs a current canvas."""
        context = _current_context()
        for chunk in self._discarded:
            context.glir.associate(chunk.buffer.glir)
            chunk.buffer.delete()
        self._discarded.clear()
        deadline_s = time.perf_counter() + budget_s
        while self._waiting:
            block = self._waiting.popleft()
            chunk = self._chunk_with_room()
            part = block[: min(_SLICE, self._capacity - chunk.n_points)]
            chunk.buffer.set_subdata(part, offset=chunk.n_points)
            chunk.n_points += len(part)
            self._n_waiting -= len(part)
            if len(part) < len(block):
                self._waiting.appendleft(block[len(part) :])
            context.flush_commands()
            self._retire()
            if time.perf_counter() > deadline_s:
                break
        context.flush_commands()

    def prepare_spare(self) -> None:
        """Allocate the next chunk ahead of need; call when idle, with the canvas current."""
        if not self._spares and self._chunks:
            self._spares.append(self._make_chunk())
            _current_context().flush_commands()

    def release(self) -> None:
        """Free everything on the GPU now; with a current canvas."""
        self.clear()
        self._discarded += self._spares
        self._spares.clear()
        self.upload()

    def drawn(self) -> Iterator[Chunk]:
        """The chunks to draw, each up to its ``n_points``."""
        yield from self._chunks
        yield from self._retiring

    def _retire(self) -> None:
        """Let go of as large a share of the old chunks as of the new points has arrived."""
        if not self._retiring:
            return
        n_arrived = self._n_uploaded
        is_complete = n_arrived >= self._n_replacing
        share_left = 0.0 if is_complete else 1.0 - n_arrived / self._n_replacing
        n_left = -int(-self._n_retired_at_start * share_left // 1)
        while len(self._retiring) > n_left:
            self._recycle([self._retiring.popleft()])

    def _recycle(self, chunks: Iterable[Chunk]) -> None:
        """Keep as many buffers as what waits will fill, and one more; free the others."""
        for chunk in chunks:
            chunk.n_points = 0
            if len(self._spares) <= self._n_waiting // self._capacity:
                self._spares.append(chunk)
            else:
                self._discarded.append(chunk)

    def _chunk_with_room(self) -> Chunk:
        if not self._chunks or self._chunks[-1].n_points == self._capacity:
            self._chunks.append(self._spares.pop() if self._spares else self._make_chunk())
        return self._chunks[-1]

    def _make_chunk(self) -> Chunk:
        buffer = gloo.VertexBuffer(np.zeros(1, POINT_DTYPE))
        buffer.resize_bytes(self._capacity * POINT_DTYPE.itemsize)  # allocates without sending zeros
        _current_context().glir.associate(buffer.glir)
        return Chunk(buffer)


def _current_context() -> gloo.context.GLContext:
    canvas = gloo.context.get_current_canvas()
    if canvas is None:
        raise RuntimeError("vertices need a current canvas to be uploaded or drawn")
    return canvas.context
