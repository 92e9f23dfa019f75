"""The kept frames once more, all together: every view informed by all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zipmap_app.pipeline.command_queue import Work
from zipmap_app.pipeline.engine import EngineError, View
from zipmap_app.pipeline.hindsight import look_back
from zipmap_app.pipeline.kept import KeptFrame, KeptFrames, Tracked, similarity_onto
from zipmap_app.pipeline.keyframes import median_depth
from zipmap_app.pipeline.results import view_points
from zipmap_app.pipeline.similarity import Similarity, interpolated_cameras
from zipmap_app.pipeline.workbench import Workbench
from zipmap_app.state.commands import RefinedFrame, SceneRefined

# Of the time: model, tracking, looking back; the rest is packing.
_MODEL_SHARE, _TRACKED_SHARE, _BACK_SHARE = 0.8, 0.9, 0.95


def finalise(bench: Workbench) -> Work:
    """Run the kept keyframes through one bidirectional pass and lay the outcome onto the streamed scene.

    A stream with the tracking assist keeps its cameras; its depth and that of the pass, which the assist corrects
    as well, are averaged, and every frame learns from those after it. State, history and stream stay as they are:
    the next frame goes on from the streamed scene.
    """
    run, kept, streamed = bench.run, bench.memory.kept.frames, list(bench.memory.cameras)
    if not bench.engine.can_rewind:
        raise EngineError("This model has worked on all frames together already; there is nothing to refine.")
    if len(kept) < 2:
        raise EngineError(
            "There is too little to refine: reconstruct until there are at least two keyframes."
        )
    yield 0.0

    def breathe(fraction: float) -> None:
        bench.control.breathe(_MODEL_SHARE * fraction)

    def breathe_after(fraction: float) -> None:
        bench.control.breathe(_MODEL_SHARE + (_TRACKED_SHARE - _MODEL_SHARE) * fraction)

    views, _ = bench.engine.views_at_once([frame.rgb for frame in kept], breathe)
    tracked = [frame.tracked for frame in kept if frame.tracked is not None]
    if len(tracked) == len(kept):
        views = bench.engine.assisted(views, [one.picture for one in tracked], breathe_after)
        laid = _with_streamed(bench.memory.kept, tracked, views)
        for index, view in look_back(len(laid), lambda index: (laid[index], kept[index].rgb)):
            laid[index] = view
            yield _TRACKED_SHARE + (_BACK_SHARE - _TRACKED_SHARE) * (1 - index / len(laid))
    else:
        onto_streamed = similarity_onto(kept, views)
        laid = [_moved(view, onto_streamed) for view in views]
    frames = []
    for index, (frame, view) in enumerate(zip(kept, laid, strict=True)):
        frames.append(_refined(bench, frame, view))
        yield _BACK_SHARE + (1 - _BACK_SHARE) * index / len(kept)
    cameras = interpolated_cameras(
        streamed, [frame.position for frame in frames], [frame.world_from_camera for frame in frames]
    )
    refined = SceneRefined(tuple(frames), cameras)
    bench.outbox.post(refined, admit=lambda: bench.control.is_current(run))
    return f"Refined the scene with {len(frames)} of its {len(streamed)} frames seen together"


def _with_streamed(kept: KeptFrames, tracked: Sequence[Tracked], views: Sequence[View]) -> list[View]:
    """At the streamed cameras, which the tracks of every frame have steadied, the mean of both depths.

    The mean of their logarithms, after one scale a frame: the two err in different ways.
    """
    laid: list[View] = []
    before: KeptFrame | None = None
    for frame, streamed, view in zip(kept.frames, tracked, views, strict=True):
        scale = frame.median_depth / median_depth(view.depth)
        depth = np.sqrt(streamed.depth * (scale * view.depth)).astype(np.float32)
        is_tracked = before is not None and kept.is_linked(before, frame)
        laid.append(
            View(frame.world_from_camera, streamed.intrinsics, depth, view.confidence, is_tracked=is_tracked)
        )
        before = frame
    return laid


def _moved(view: View, similarity: Similarity) -> View:
    depth = (similarity.scale * view.depth).astype(np.float32)
    return replace(view, world_from_camera=similarity.camera(view.world_from_camera), depth=depth)


def _refined(bench: Workbench, frame: KeptFrame, view: View) -> RefinedFrame:
    points = view_points(view, frame.rgb, bench.packing, frame.position)
    return RefinedFrame(
        frame.position, view.world_from_camera, view.intrinsics, points, view.depth, view.confidence
    )
