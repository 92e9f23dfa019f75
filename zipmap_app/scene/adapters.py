"""Model -> adapter -> visual: each adapter listens to one model, converts, pushes, and saves nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zipmap_app.scene.framing import SceneFraming
from zipmap_app.scene.frusta import Frusta, FrustumVisual
from zipmap_app.scene.growing_points import GrowingPoints
from zipmap_app.state.cloud import CloudModel
from zipmap_app.state.queries import QueryResult
from zipmap_app.state.session import SessionModel

_FRUSTUM_PER_RADIUS = 0.10
_QUERIED_SHARE = 1.25  # size of a queried frustum by that of the current one


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
    """Shows the cameras of the run and the last queried one. GUI thread only."""

    def __init__(
        self, session: SessionModel, framing: SceneFraming, frusta: Frusta, queried: FrustumVisual
    ) -> None:
        self._session = session
        self._framing = framing
        self._frusta = frusta
        self._queried = queried
        self._frustum_scale = 1.0
        self._is_query_shown = True
        self._disconnects = (session.query_answered.connect(self._on_query),)
        self.refresh()
        self._on_query(session.latest_query)

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    @property
    def frustum_depth(self) -> float:
        """Length of the current frustum, scene units."""
        return _FRUSTUM_PER_RADIUS * self._framing.radius() * self._frustum_scale

    def set_frustum_scale(self, scale: float) -> None:
        """Takes effect with the next refresh."""
        self._frustum_scale = scale

    def set_query_shown(self, is_shown: bool) -> None:
        """Whether the last queried camera is drawn: a ghost stands for it where there is one."""
        self._is_query_shown = is_shown
        self._on_query(self._session.latest_query)

    def refresh(self) -> None:
        """Frames came, went or got other cameras, or the cursor moved."""
        cameras = self._session.path.world_from_camera
        current = self._framing.current
        picture = None
        if current is not None:
            detail = self._session.history.detail(current.position)
            picture = detail.rgb if detail is not None else None
        self._frusta.show(self._session.history.records, cameras, current, picture, self.frustum_depth)

    def _on_query(self, result: QueryResult | None) -> None:
        if result is None or not self._is_query_shown:
            self._queried.hide()
            return
        size_hw = (result.rgb.shape[0], result.rgb.shape[1])
        depth = self.frustum_depth * _QUERIED_SHARE
        self._queried.show(result.world_from_camera, result.intrinsics, size_hw, depth)
