"""What changes the scene beyond appending to it, each with its undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

import numpy as np

from zipmap_app.state.alignment import Alignment, up_from_path, up_from_points
from zipmap_app.state.commands import RunRewound, SceneRefined
from zipmap_app.state.event import Event
from zipmap_app.state.ghost import GhostView
from zipmap_app.state.history import FrameHistory, HistoryTail
from zipmap_app.state.messages import FrameResult
from zipmap_app.state.points import POINT_DTYPE
from zipmap_app.state.session import SessionModel
from zipmap_app.state.tools import Measurement
from zipmap_app.state.undo import UndoStep

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class _CutTail:
    """What a rewind took away."""

    n_kept: int
    history: HistoryTail
    blocks: tuple[np.ndarray, ...]  # POINT_DTYPE each

    @property
    def n_frames(self) -> int:
        return self.n_kept + len(self.history.records)

    @property
    def memory_bytes(self) -> int:
        return self.history.detail_bytes + sum(block.nbytes for block in self.blocks)


class SceneEditor:
    """Edits a SessionModel so that every edit can be undone. GUI thread only.

    Rewinding needs the pipeline, which alone knows the scene state: undoing it is therefore asked for by
    ``rewind_undo_wanted`` and happens when the pipeline says so.
    """

    def __init__(self, session: SessionModel) -> None:
        self.rewind_wanted: Event[[int]] = Event()  # keep so many frames
        self.rewind_undo_wanted: Event[[]] = Event()
        self.refined_changed: Event[[bool | None]] = Event()  # shown refined or as streamed; None: neither
        self._session = session
        self._tail: _CutTail | None = None
        self._awaited: Literal["undo", "redo"] | None = None  # of a rewind, under way in the pipeline
        self._disconnects = (
            session.run_rewound.connect(self._on_rewound),
            session.scene_refined.connect(self._on_refined),
            session.began.connect(self._on_began),
        )

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    # Up and scale

    def align_up(self, up_in_world: np.ndarray) -> None:
        """Turn the scene so that this direction ((3,), model's world) is up."""
        self._set_alignment("turning the scene", self._session.alignment.value.with_up(up_in_world))

    def align_up_from_path(self) -> None:
        """Up is where the camera's pictures have their top. Needs at least one frame."""
        self.align_up(up_from_path(self._session.path.world_from_camera))

    def align_up_from_points(self, points: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        """Up is the normal of a floor through three points. Raises ValueError for points on one line."""
        eye = self._session.path.world_from_camera[:, :3, 3].mean(axis=0)
        self.align_up(up_from_points(*points, eye=eye))

    def set_length(self, length_in_units: float, length_m: float) -> None:
        """Set the scale from a known length. Raises ValueError unless both are positive."""
        alignment = self._session.alignment.value.with_length(length_in_units, length_m)
        self._set_alignment("setting the scale", alignment)

    def clear_scale(self) -> None:
        """Back to units without a name; up stays."""
        alignment = replace(self._session.alignment.value, metres_per_unit=None)
        self._set_alignment("clearing the scale", alignment)

    def reset_alignment(self) -> None:
        """Back to the first camera's up, and to units without a name."""
        self._set_alignment("resetting up and scale", Alignment())

    # Measurements, the flight, and what the model was asked for

    def add_measurement(self, measurement: Measurement) -> None:
        old = self._session.tools.measurements
        self._swap("measuring", self._session.tools.set_measurements, old, (*old, measurement))

    def remove_measurements(self, kept: tuple[Measurement, ...]) -> None:
        """Keep only these."""
        old = self._session.tools.measurements
        self._swap("removing a measurement", self._session.tools.set_measurements, old, kept)

    def set_flight_keys(self, keys: tuple[GhostView, ...]) -> None:
        flight = self._session.flight
        self._swap("changing the flight", flight.set_keys, flight.keys, keys)

    def add_queried_points(self, points: np.ndarray) -> None:
        """Add (K,) POINT_DTYPE points that the model was asked for; they stay apart from those it saw."""
        if points.dtype != POINT_DTYPE:
            raise ValueError(f"points: want POINT_DTYPE, got {points.dtype}")
        queried = self._session.queried
        before = tuple(queried.blocks())
        queried.append(points)
        self._session.undo.push(
            UndoStep(
                "adding predicted points",
                undo=partial(self._replace_queried, before),
                redo=partial(self._replace_queried, (*before, points)),
                memory_bytes=points.nbytes,
            )
        )

    def clear_queried_points(self) -> None:
        before = tuple(self._session.queried.blocks())
        if before:
            self._swap("removing predicted points", self._replace_queried, before, ())

    # What the pipeline did

    def _on_began(self) -> None:
        self._tail = None
        self._await(None)
        self.refined_changed.emit(None)

    def rewind_failed(self) -> None:
        """The pipeline could not go back or forth: nothing has changed."""
        self._await(None)

    def _on_rewound(self, rewound: RunRewound) -> None:
        awaited = self._awaited
        self._await(None)
        if awaited == "undo" and self._tail is not None and rewound.n_frames == self._tail.n_frames:
            tail, self._tail = self._tail, None
            self._cut(tail.n_kept)  # what was reconstructed since goes
            self._put_back(tail)
        elif rewound.n_frames < len(self._session.history):
            self._tail = self._cut(rewound.n_frames)
            if awaited != "redo":
                self._push_rewind(rewound.n_frames, self._tail.memory_bytes)
        self._after_recount()

    def _push_rewind(self, n_frames: int, memory_bytes: int) -> None:
        def undo() -> None:
            self._await("undo")
            self.rewind_undo_wanted.emit()

        def redo() -> None:
            self._await("redo")
            self.rewind_wanted.emit(n_frames)

        self._session.undo.push(UndoStep("going back", undo, redo, memory_bytes))

    def _await(self, what: Literal["undo", "redo"] | None) -> None:
        self._awaited = what
        self._session.undo.set_blocked(what is not None)

    def _cut(self, n_frames: int) -> _CutTail:
        session = self._session
        tail = _CutTail(n_frames, session.history.truncate(n_frames), session.cloud.truncate(n_frames))
        session.path.truncate(n_frames)
        return tail

    def _put_back(self, tail: _CutTail) -> None:
        session = self._session
        session.history.restore(tail.history)
        session.cloud.restore(tail.blocks)
        for record in tail.history.records:
            session.path.append(record.frame_index, record.timestamp_s, record.world_from_camera)

    def _after_recount(self) -> None:
        session = self._session
        session.timeline.seek(None)
        session.timeline.set_timestamps([record.timestamp_s for record in session.history.records])
        session.refresh_counts()
        session.show_newest(_newest_frame(session.history))

    def _on_refined(self, refined: SceneRefined) -> None:
        """Swap in the bidirectional pass's cameras and points."""
        session = self._session
        n_frames = len(refined.world_from_camera)
        if n_frames > len(session.history):
            return  # the run was rewound or replaced meanwhile
        before = (session.path.world_from_camera.copy(), tuple(session.cloud.blocks()))
        # Frames that arrived after the pass began stay as they were streamed.
        cameras = np.concatenate([refined.world_from_camera, before[0][n_frames:]])
        later = [block for block in before[1] if len(block) and block["frame"][0] >= n_frames]
        after = (cameras, (*(frame.points for frame in refined.frames), *later))
        memory_bytes = sum(block.nbytes for block in before[1])
        self._show_scene(after, is_refined=True)
        session.undo.push(
            UndoStep(
                "finalising",
                undo=partial(self._show_scene, before, is_refined=False),
                redo=partial(self._show_scene, after, is_refined=True),
                memory_bytes=memory_bytes,
            )
        )

    def _show_scene(
        self, cameras_and_blocks: tuple[np.ndarray, tuple[np.ndarray, ...]], *, is_refined: bool
    ) -> None:
        cameras, blocks = cameras_and_blocks
        session = self._session
        n_frames = len(session.path)
        since = session.path.world_from_camera[len(cameras) : n_frames]
        later = [
            block for block in session.cloud.blocks() if len(block) and block["frame"][0] >= len(cameras)
        ]
        session.path.set_cameras(np.concatenate([cameras, since])[:n_frames])
        session.history.set_cameras(session.path.world_from_camera)
        session.cloud.replace((*blocks, *later))
        session.refresh_counts()
        session.show_newest(_newest_frame(session.history))
        self.refined_changed.emit(is_refined)

    # Small things

    def _set_alignment(self, label: str, alignment: Alignment) -> None:
        model = self._session.alignment
        self._swap(label, model.set, model.value, alignment)

    def _replace_queried(self, blocks: tuple[np.ndarray, ...]) -> None:
        self._session.queried.replace(blocks)

    def _swap(self, label: str, apply: Callable[[_T], None], old: _T, new: _T) -> None:
        apply(new)
        self._session.undo.push(UndoStep(label, undo=partial(apply, old), redo=partial(apply, new)))


def _newest_frame(history: FrameHistory) -> FrameResult | None:
    """The newest frame again as a result, as far as it was kept: its points are in the cloud already."""
    if not len(history):
        return None
    record = history[len(history) - 1]
    detail = history.detail(record.position)
    if detail is None:
        rows, columns = (
            np.arange(side) * small // side
            for side, small in zip(record.size_hw, record.thumbnail.shape[:2], strict=True)
        )
        rgb = record.thumbnail[np.ix_(rows, columns)]
        depth = confidence = np.zeros(record.size_hw, np.float32)
    else:
        rgb, depth, confidence = detail.rgb, detail.depth, detail.confidence
    return FrameResult(
        frame_index=record.frame_index,
        timestamp_s=record.timestamp_s,
        capture_time_s=0.0,
        name=record.name,
        points=np.empty(0, POINT_DTYPE),
        world_from_camera=record.world_from_camera,
        intrinsics=record.intrinsics,
        rgb=rgb,
        depth=depth.astype(np.float32),
        confidence=confidence.astype(np.float32),
        timings=record.timings,
        n_dropped=record.n_dropped,
        position=record.position,
        is_keyframe=record.is_keyframe,
    )
