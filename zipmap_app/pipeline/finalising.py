"""The kept frames once more, all together: every view informed by all others."""

from __future__ import annotations

import numpy as np

from zipmap_app.pipeline.command_queue import Work
from zipmap_app.pipeline.engine import EngineError, View
from zipmap_app.pipeline.kept import KeptFrame, similarity_onto
from zipmap_app.pipeline.packing import pack_points
from zipmap_app.pipeline.similarity import Similarity, interpolated_cameras
from zipmap_app.pipeline.workbench import Workbench
from zipmap_app.state.commands import RefinedFrame, SceneRefined

_MODEL_SHARE = 0.95  # of the time; the rest is packing


def finalise(bench: Workbench) -> Work:
    """Run the kept keyframes through one bidirectional pass and lay the outcome onto the streamed scene.

    State, history and stream stay as they are: the next frame goes on from the streamed scene.
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

    views, _ = bench.engine.views_at_once([frame.rgb for frame in kept], breathe)
    onto_streamed = similarity_onto(kept, views)
    frames = []
    for index, (frame, view) in enumerate(zip(kept, views, strict=True)):
        frames.append(_refined(bench, frame, view, onto_streamed))
        yield _MODEL_SHARE + (1 - _MODEL_SHARE) * index / len(kept)
    cameras = interpolated_cameras(
        streamed, [frame.position for frame in frames], [frame.world_from_camera for frame in frames]
    )
    refined = SceneRefined(tuple(frames), cameras)
    bench.outbox.post(refined, admit=lambda: bench.control.is_current(run))
    return f"Refined the scene with {len(frames)} of its {len(streamed)} frames seen together"


def _refined(bench: Workbench, frame: KeptFrame, view: View, onto_streamed: Similarity) -> RefinedFrame:
    world_from_camera = onto_streamed.camera(view.world_from_camera)
    depth = (onto_streamed.scale * view.depth).astype(np.float32)
    points = pack_points(
        depth,
        view.confidence,
        frame.rgb,
        world_from_camera,
        view.intrinsics,
        bench.packing,
        frame.position,
    )
    return RefinedFrame(frame.position, world_from_camera, view.intrinsics, points, depth, view.confidence)
