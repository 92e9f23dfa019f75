"""Model -> adapter -> visual: each adapter listens to one model, converts, pushes, and saves nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zipmap_app.scene.camera_path import CameraPathVisual, FrustumVisual
from zipmap_app.scene.growing_points import GrowingPoints
from zipmap_app.state.cloud import CloudModel
from zipmap_app.state.messages import FrameResult
from zipmap_app.state.queries import QueryResult
from zipmap_app.state.session import SessionModel


class CloudAdapter:
    """Keeps a GrowingPoints visual equal to a CloudModel. GUI thread only."""

    def __init__(self, cloud: CloudModel, visual: GrowingPoints, on_change: Callable[[], None]) -> None:
        self._cloud = cloud
        self._visual = visual
        self._on_change = on_change
        self._disconnects = (
            cloud.appended.connect(self._on_appended),
            cloud.truncated.connect(self._on_truncated),
            cloud.replaced.connect(self._on_replaced),
            cloud.thinned.connect(self._on_replaced),
            cloud.cleared.connect(self._on_cleared),
        )
        self._on_replaced()

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    def _on_appended(self, points: np.ndarray) -> None:
        self._visual.append(points)
        self._on_change()

    def _on_truncated(self, n_frames: int) -> None:
        # Points lie in the order of their frames, in the model and in the visual: what goes is a tail.
        self._visual.truncate(self._cloud.n_points)
        self._on_change()

    def _on_replaced(self) -> None:
        self._visual.replace(self._cloud.blocks())
        self._on_change()

    def _on_cleared(self) -> None:
        self._visual.clear()
        self._on_change()


class CamerasAdapter:
    """Shows the path, the newest camera and the last queried one. GUI thread only."""

    def __init__(
        self,
        session: SessionModel,
        path: CameraPathVisual,
        current: FrustumVisual,
        queried: FrustumVisual,
        frustum_depth: Callable[[], float],
    ) -> None:
        self._session = session
        self._path = path
        self._current = current
        self._queried = queried
        self._frustum_depth = frustum_depth
        self._disconnects = (
            session.frame_changed.connect(self._on_frame),
            session.query_answered.connect(self._on_query),
        )
        self._on_frame(session.current_frame)
        self._on_query(session.latest_query)

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    def _on_frame(self, frame: FrameResult | None) -> None:
        if frame is None:
            self._path.hide()
            self._current.hide()
            return
        depth = self._frustum_depth()
        size_hw = (frame.rgb.shape[0], frame.rgb.shape[1])
        self._current.show(frame.world_from_camera, frame.intrinsics, size_hw, depth)
        self._path.show(self._session.path.world_from_camera, frame.intrinsics, size_hw, depth)

    def _on_query(self, result: QueryResult | None) -> None:
        if result is None:
            self._queried.hide()
            return
        size_hw = (result.rgb.shape[0], result.rgb.shape[1])
        self._queried.show(result.world_from_camera, result.intrinsics, size_hw, self._frustum_depth() * 1.25)
