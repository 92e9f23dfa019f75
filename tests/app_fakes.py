"""Messages as the pipeline would send them, without a pipeline."""

from __future__ import annotations

import numpy as np

from zipmap_app.state.messages import FrameResult, FrameTimings
from zipmap_app.state.points import POINT_DTYPE
from zipmap_app.state.queries import QueryRequest, QueryResult

HEIGHT, WIDTH = 24, 32


def packed_rgb(red: int, green: int, blue: int) -> float:
    return float(red + 256 * green + 65536 * blue)


def make_points(positions: np.ndarray, rgb=(255, 0, 0), confidence: float = 1.0) -> np.ndarray:
    """POINT_DTYPE points of one colour at (K, 3) positions."""
    points = np.zeros(len(positions), POINT_DTYPE)
    points["position"] = positions
    points["rgb"] = packed_rgb(*rgb)
    points["confidence"] = confidence
    return points


def make_frame(index: int = 0, n_points: int = 200, n_dropped: int = 0) -> FrameResult:
    """A wall two units in front of a camera that moves right by a tenth a frame."""
    rng = np.random.default_rng(index)
    world_from_camera = np.eye(4)
    world_from_camera[0, 3] = 0.1 * index
    positions = rng.uniform((-1, -1, 1.9), (1, 1, 2.1), (n_points, 3)) + world_from_camera[:3, 3]
    points = make_points(positions)
    points["frame"] = index
    return FrameResult(
        frame_index=index,
        timestamp_s=index / 30,
        capture_time_s=0.0,
        name=f"frame_{index:06d}",
        points=points,
        world_from_camera=world_from_camera,
        intrinsics=np.array([[30.0, 0, WIDTH / 2], [0, 30.0, HEIGHT / 2], [0, 0, 1]]),
        rgb=np.full((HEIGHT, WIDTH, 3), 200, np.uint8),
        depth=np.linspace(1, 3, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH),
        confidence=np.ones((HEIGHT, WIDTH), np.float32),
        timings=FrameTimings(wait_ms=1.0, infer_ms=90.0, pack_ms=10.0),
        n_dropped=n_dropped,
        position=index,
    )


def answer(request: QueryRequest, n_frames: int = 3) -> QueryResult:
    """An answer of the requested size."""
    height, width = request.size_hw
    return QueryResult(
        query_id=request.query_id,
        n_frames_in_state=n_frames,
        rgb=np.full((height, width, 3), 90, np.uint8),
        depth=np.full((height, width), 2.0, np.float32),
        confidence=np.ones((height, width), np.float32),
        latency_ms=12.0,
        world_from_camera=request.world_from_camera,
        intrinsics=request.intrinsics,
    )
