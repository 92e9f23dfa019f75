"""Turns the ghost camera into questions to the model, one at a time."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QObject, Signal

from zipmap_app.state.ghost import GhostView
from zipmap_app.state.queries import LIVE_STATE, QueryRequest, QueryResult
from zipmap_app.state.session import SessionModel


class GhostAsker(QObject):
    """Asks what the ghost would see, whenever that may have changed. GUI thread only.

    The newest pose wins: while a question is out nothing is asked, and what happened meanwhile is asked then, in
    one question. With a state to compare, each pose is asked of both, the chosen one first. While not live it
    asks only on ``ask``.
    """

    requested = Signal(object)  # QueryRequest
    answered = Signal(object)  # QueryResult of the chosen state
    compared = Signal(object)  # QueryResult of the state to compare with
    waiting_changed = Signal(bool)

    def __init__(self, session: SessionModel, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._ids = itertools.count()
        self._in_flight: QueryRequest | None = None
        self._to_compare: GhostView | None = None  # asked of the second state next
        self._is_stale = False
        self._is_live = True
        self._state_id = LIVE_STATE
        self._compared_id: int | None = None
        self._disconnects = (
            session.ghost.changed.connect(self._on_ghost),
            session.frame_changed.connect(lambda frame: self._on_scene()),
            session.query_answered.connect(self._on_answered),
            session.query_failed.connect(self._forget_question),
            session.states_changed.connect(self._on_states),
        )

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    @property
    def can_ask(self) -> bool:
        """Whether the model answers queries and has seen something."""
        return self._session.status.supports_query and self._session.current_frame is not None

    @property
    def state_id(self) -> int:
        return self._state_id

    @property
    def compared_id(self) -> int | None:
        return self._compared_id

    def set_live(self, is_live: bool) -> None:
        """Ask by itself whenever the ghost moves or the scene grows."""
        self._is_live = is_live
        if is_live:
            self.ask()

    def set_states(self, state_id: int, compared_id: int | None) -> None:
        """Which state answers, and which one beside it."""
        self._state_id = state_id
        self._compared_id = compared_id if compared_id != state_id else None
        self.ask()

    def ask(self) -> None:
        """Ask now, or as soon as the question that is out has its answer; nothing without a ghost."""
        if self._in_flight is not None:
            self._is_stale = True
        elif self._session.ghost.view is not None and self.can_ask:
            self._send(self._session.ghost.view, self._state_id)

    def _send(self, view: GhostView, state_id: int) -> None:
        if state_id == self._state_id:
            self._is_stale = False
            self._to_compare = view if self._compared_id is not None else None
        request = QueryRequest(
            query_id=next(self._ids),
            world_from_camera=view.world_from_camera.copy(),
            intrinsics=view.intrinsics.copy(),
            size_hw=view.size_hw,
            state_id=state_id,
        )
        self._in_flight = request
        self.waiting_changed.emit(True)
        self.requested.emit(request)

    def _on_ghost(self, view: GhostView | None) -> None:
        if view is None:
            self._is_stale = False
            self._to_compare = None
        elif self._is_live:
            self.ask()

    def _on_scene(self) -> None:
        if self._is_live and self._state_id == LIVE_STATE:
            self.ask()

    def _on_states(self) -> None:
        known = {LIVE_STATE, *(state.state_id for state in self._session.states)}
        if self._state_id not in known:
            self._state_id = LIVE_STATE
        if self._compared_id not in known or self._compared_id == self._state_id:
            self._compared_id = None

    def _on_answered(self, result: QueryResult | None) -> None:
        if result is None:  # another scene
            self._forget_question()
            return
        if self._in_flight is None or result.query_id != self._in_flight.query_id:
            return
        asked, self._in_flight = self._in_flight, None
        (self.answered if asked.state_id == self._state_id else self.compared).emit(result)
        compare, self._to_compare = self._to_compare, None
        if compare is not None and self._compared_id is not None:
            self._send(compare, self._compared_id)
        elif self._is_stale:
            self.ask()
        else:
            self.waiting_changed.emit(False)

    def _forget_question(self) -> None:
        self._in_flight = None
        self._to_compare = None
        self.waiting_changed.emit(False)
