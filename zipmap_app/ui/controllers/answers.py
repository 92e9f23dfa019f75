"""Answers of the model: shown, compared, set beside what was seen, added to the scene."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from zipmap_app.state.flight import FlightContent
from zipmap_app.state.history import FrameRecord
from zipmap_app.state.queries import LIVE_STATE, QueryResult
from zipmap_app.ui import dialogs
from zipmap_app.ui.cards.flight_card import FlightWish
from zipmap_app.ui.controllers.asking import GhostAsker
from zipmap_app.ui.controllers.ghost import nearest_record
from zipmap_app.ui.flight_order import FlightOrder
from zipmap_app.ui.parts import WindowParts
from zipmap_app.ui.recent import RecentInputs


class AnswerController(QObject):
    """Between the asker and the cards of the Query tab. GUI thread only."""

    def __init__(self, parts: WindowParts, asker: GhostAsker, recent: RecentInputs, parent: QObject) -> None:
        """``recent`` knows where file dialogs start."""
        super().__init__(parent)
        self._parts = parts
        self._asker = asker
        self._recent = recent
        self._newest: QueryResult | None = None
        tabs, requests = parts.tabs, parts.requests
        asker.answered.connect(self._on_answered)
        asker.compared.connect(self._on_compared)
        asker.waiting_changed.connect(tabs.answer.show_waiting)
        tabs.answer.beside_toggled.connect(lambda is_on: self._show_nearest())
        tabs.answer.add_points_requested.connect(self.add_points)
        tabs.states.asked_changed.connect(self._on_asked_changed)
        tabs.states.save_requested.connect(self.save_state)
        tabs.states.open_requested.connect(self.open_state)
        tabs.states.fork_requested.connect(self.fork_state)
        tabs.states.forget_requested.connect(requests.forget_state)
        tabs.flight.save_requested.connect(self._on_save_flight)
        tabs.flight.cancel_requested.connect(requests.cancel_flight)
        tabs.flight.keys_changed.connect(parts.editor.set_flight_keys)
        self._disconnects = (
            parts.session.began.connect(self._forget),
            parts.session.ghost.changed.connect(lambda view: self._show_nearest()),
        )

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    def add_points(self) -> None:
        """Put the newest answer into the scene; nothing without one."""
        if self._newest is not None:
            self._parts.requests.add_points.emit(self._newest)

    def add_flight_key(self) -> None:
        """The flight passes where the ghost stands; nothing without one."""
        session = self._parts.session
        view = session.ghost.view
        if view is not None:
            self._parts.editor.set_flight_keys((*session.flight.keys, view))

    def save_state(self, state_id: int) -> None:
        path = dialogs.ask_for_state_file(
            self._parts.tabs.window(), self._recent.last_folder / "scene.zipmap"
        )
        if path is not None:
            self._parts.requests.save_state.emit(state_id, path)

    def open_state(self) -> None:
        path = dialogs.ask_for_saved_state(self._parts.tabs.window(), self._recent.last_folder)
        if path is not None:
            self._parts.requests.open_state.emit(path)

    def fork_state(self, state_id: int) -> None:
        """Named by what it has seen: a name that needs no question."""
        n_frames = len(self._parts.session.history)
        name = self._parts.tabs.states.name_of(state_id) if state_id != LIVE_STATE else "Scene"
        self._parts.requests.fork_state.emit(state_id, f"{name} after frame {n_frames}")

    def _on_answered(self, result: QueryResult) -> None:
        self._newest = result
        self._parts.tabs.answer.show_answer(result, self._name(result.state_id))
        if self._asker.compared_id is None:
            self._parts.tabs.answer.show_compared(None)
        self._show_nearest()

    def _on_compared(self, result: QueryResult) -> None:
        self._parts.tabs.answer.show_compared(result, self._name(result.state_id))

    def _on_asked_changed(self, state_id: int, compared_id: int | None) -> None:
        self._asker.set_states(state_id, compared_id)

    def _on_save_flight(self, wish: FlightWish) -> None:
        window = self._parts.tabs.window()
        if wish.is_video:
            path = dialogs.ask_for_flight_video(window, self._recent.last_folder / "flight.mp4")
        else:
            path = dialogs.ask_for_flight_folder(window, self._recent.last_folder)
        if path is not None:
            rate = self._parts.session.flight.settings.frames_per_s
            self._order(path, wish.content, rate)

    def _order(self, path: Path, content: FlightContent, frames_per_s: int) -> None:
        self._parts.requests.record_flight.emit(
            FlightOrder(path, content, frames_per_s, self._asker.state_id)
        )

    def _name(self, state_id: int) -> str:
        return "" if state_id == LIVE_STATE else self._parts.tabs.states.name_of(state_id)

    def _show_nearest(self) -> None:
        answer, session = self._parts.tabs.answer, self._parts.session
        record = self._nearest() if answer.wants_nearest else None
        answer.show_nearest(record, session.history.detail(record.position) if record is not None else None)

    def _nearest(self) -> FrameRecord | None:
        session = self._parts.session
        extent = session.cloud.extent()
        if session.ghost.view is None or extent is None:
            return None
        return nearest_record(tuple(session.history.records), session.ghost.view, extent.radius)

    def _forget(self) -> None:
        self._newest = None
