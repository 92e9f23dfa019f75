"""Turns the current view into questions to the model, one at a time."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QObject, Signal

from zipmap_app.scene.view import SceneView
from zipmap_app.state.messages import FrameResult
from zipmap_app.state.queries import QueryRequest, QueryResult
from zipmap_app.state.session import SessionModel, SessionStatus
from zipmap_app.ui.query_panel import QueryPanel


class QueryAsker(QObject):
    """Builds a QueryRequest from exactly the view's pose and the newest frame's intrinsics. GUI thread only.

    While "Follow view" is on it asks again when the view moves or a frame arrives, but never before the last
    answer is there: what happens meanwhile is asked then, in one question.
    """

    requested = Signal(object)  # QueryRequest

    def __init__(self, session: SessionModel, scene: SceneView, panel: QueryPanel, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._scene = scene
        self._panel = panel
        self._ids = itertools.count()
        self._in_flight: int | None = None
        self._is_stale = False
        panel.asked.connect(self.ask)
        panel.follow_toggled.connect(self._on_follow_toggled)
        self._disconnects = (
            session.status_changed.connect(self._on_status),
            session.frame_changed.connect(self._on_frame),
            session.query_answered.connect(self._on_answered),
            session.notice_added.connect(lambda notice: self._forget_question()),
            scene.camera.moved.connect(self._on_changed),
        )
        self._on_status(session.status)

    @property
    def can_ask(self) -> bool:
        return self._session.status.supports_query and self._session.current_frame is not None

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    def ask(self) -> None:
        """Ask now; does nothing while there is no scene or the model cannot answer."""
        frame = self._session.current_frame
        if frame is None or not self.can_ask:
            return
        request = QueryRequest(
            query_id=next(self._ids),
            world_from_camera=self._scene.view_pose(),
            intrinsics=frame.intrinsics.copy(),
            size_hw=(frame.rgb.shape[0], frame.rgb.shape[1]),
        )
        self._in_flight = request.query_id
        self._is_stale = False
        self._scene.set_viewfinder_visible(True)
        self._panel.show_waiting()
        self.requested.emit(request)

    def _on_changed(self) -> None:
        if not self._panel.follow.isChecked():
            return
        if self._in_flight is None:
            self.ask()
        else:
            self._is_stale = True

    def _on_frame(self, frame: FrameResult | None) -> None:
        if frame is not None:
            self._on_changed()

    def _on_answered(self, result: QueryResult | None) -> None:
        self._panel.show_result(result)
        if result is None or result.query_id == self._in_flight:
            self._in_flight = None
        if result is not None and self._is_stale and self._in_flight is None:
            self.ask()

    def _forget_question(self) -> None:
        # A question that failed has no answer; a notice came in its place.
        self._in_flight = None

    def _on_follow_toggled(self, is_on: bool) -> None:
        self._scene.set_viewfinder_visible(is_on)
        if is_on:
            self.ask()

    def _on_status(self, status: SessionStatus) -> None:
        cannot = bool(status.model_name) and not status.supports_query
        why_not = f"The model “{status.model_name}” cannot answer queries" if cannot else ""
        self._panel.set_available(self.can_ask, why_not)
