"""From what the model says about a frame to the message about it."""

from __future__ import annotations

import time

import numpy as np

from zipmap_app.pipeline.engine import FrameInput, View
from zipmap_app.pipeline.packing import PackingOptions, pack_points
from zipmap_app.state.messages import FrameResult, FrameTimings
from zipmap_app.state.points import POINT_DTYPE


def view_points(view: View, rgb: np.ndarray, packing: PackingOptions, position: int) -> np.ndarray:
    """(K,) POINT_DTYPE: the points of one view in the colours of its picture (H, W, 3) uint8."""
    return pack_points(
        view.depth, view.confidence, rgb, view.world_from_camera, view.intrinsics, packing, position
    )


def result_from_view(
    frame: FrameInput,
    view: View,
    packing: PackingOptions,
    *,
    position: int,
    is_keyframe: bool,
    infer_ms: float,
    notice: str | None,
) -> FrameResult:
    """The message about the ``position``-th frame of the run, with its points packed.

    A frame that gives no points still has its camera, picture, depth and confidence.
    """
    start_s = time.monotonic()
    points = np.empty(0, POINT_DTYPE)
    if is_keyframe or packing.points_from == "all":
        points = view_points(view, frame.rgb, packing, position)
    return FrameResult(
        frame_index=frame.frame_index,
        timestamp_s=frame.timestamp_s,
        capture_time_s=frame.capture_time_s,
        name=frame.name,
        points=points,
        world_from_camera=view.world_from_camera,
        intrinsics=view.intrinsics,
        rgb=frame.rgb,
        depth=view.depth,
        confidence=view.confidence,
        timings=FrameTimings(frame.wait_ms, infer_ms, (time.monotonic() - start_s) * 1000),
        n_dropped=frame.n_dropped,
        position=position,
        is_keyframe=is_keyframe,
        notice=notice,
        is_tracked=view.is_tracked,
    )
