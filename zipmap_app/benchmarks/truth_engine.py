"""An engine that knows the built-in scene by heart: the application's load without a model's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zipmap_app.pipeline.engine import (
    Breathe,
    DownloadProgress,
    EngineError,
    EngineSnapshot,
    FrameInput,
    Scene,
    TrackedPicture,
    View,
)
from zipmap_app.pipeline.options import TrackingOptions
from zipmap_app.pipeline.packing import PackingOptions, pack_points
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.messages import FrameResult, FrameTimings, ModelLoaded, SourceFrame
from zipmap_app.state.queries import QueryRequest, QueryResult


@dataclass(frozen=True, slots=True)
class _Moment:
    """How many frames there have been: all the state that the truth has."""

    n_frames: int
    memory_bytes: int = (
        5_200_000  # as much as the bundled model's state, so that snapshots cost what they cost
    )


class TruthEngine:
    """Takes depth and cameras from the SyntheticSource itself. Inference thread only."""

    can_rewind = True
    can_query = False

    def __init__(self, source: SyntheticSource) -> None:
        self._source = source
        self._packing = PackingOptions()
        self._n_frames = 0

    def load(self, progress: DownloadProgress) -> ModelLoaded:
        return ModelLoaded("truth", "cpu", self.can_query, 0.0)

    def reset(self) -> None:
        self._n_frames = 0

    def set_packing(self, options: PackingOptions) -> None:
        self._packing = options

    def set_tracking(self, options: TrackingOptions) -> None:
        """The truth needs no tracking."""

    def prepare(self, frame: SourceFrame, n_dropped: int) -> FrameInput:
        return FrameInput(
            frame_index=frame.frame_index,
            timestamp_s=frame.timestamp_s,
            capture_time_s=frame.capture_time_s,
            name=frame.name,
            rgb=frame.rgb,
            wait_ms=0.0,
            n_dropped=n_dropped,
        )

    @property
    def looks_ahead(self) -> bool:
        return False

    def announce(self, frame: SourceFrame) -> None:
        """The truth needs no time."""

    def step(self, frame: FrameInput) -> Sequence[FrameResult]:
        start_s = time.monotonic()
        depth = self._source.render(frame.frame_index)[1].astype(np.float32)
        confidence = np.full_like(depth, 2.0)
        world_from_camera = self._source.world_from_camera(frame.frame_index)
        inferred_s = time.monotonic()
        position, self._n_frames = self._n_frames, self._n_frames + 1
        intrinsics = self._source.intrinsics.copy()
        points = pack_points(
            depth, confidence, frame.rgb, world_from_camera, intrinsics, self._packing, position
        )
        packed_s = time.monotonic()
        result = FrameResult(
            frame_index=frame.frame_index,
            timestamp_s=frame.timestamp_s,
            capture_time_s=frame.capture_time_s,
            name=frame.name,
            points=points,
            world_from_camera=world_from_camera,
            intrinsics=intrinsics,
            rgb=frame.rgb,
            depth=depth,
            confidence=confidence,
            timings=FrameTimings(frame.wait_ms, (inferred_s - start_s) * 1e3, (packed_s - inferred_s) * 1e3),
            n_dropped=frame.n_dropped,
            position=position,
            is_keyframe=position % 8 == 0,
        )
        return [result]

    def finish(self) -> Sequence[FrameResult]:
        return []

    def snapshot(self) -> _Moment:
        return _Moment(self._n_frames)

    def restore(self, snapshot: EngineSnapshot) -> None:
        assert isinstance(snapshot, _Moment)
        self._n_frames = snapshot.n_frames

    @property
    def scene(self) -> Scene | None:
        return None

    def query(self, request: QueryRequest, scene: Scene | None) -> QueryResult:
        raise EngineError("The built-in truth answers no queries.")

    def save_scene(self, scene: Scene, path: Path) -> None:
        raise EngineError("The built-in truth has no state to save.")

    def open_scene(self, path: Path) -> Scene:
        raise EngineError("The built-in truth has no state to open.")

    def views_at_once(self, pictures: Sequence[np.ndarray], breathe: Breathe) -> tuple[Sequence[View], Scene]:
        raise EngineError("The built-in truth has nothing to improve.")

    def close(self) -> None:
        """Nothing runs beside it."""

    def assisted(
        self, views: Sequence[View], pictures: Sequence[TrackedPicture], breathe: Breathe
    ) -> Sequence[View]:
        return views
