"""Sends commands to the pipeline and follows them to their end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from zipmap_app.pipeline.runner import Runner
from zipmap_app.state.commands import (
    Command,
    CommandEnded,
    CommandOutcome,
    CommandProgress,
    DropState,
    Finalise,
    ForkState,
    OpenState,
    RenderFlight,
    Rewind,
    SaveState,
    UndoRewind,
)
from zipmap_app.state.queries import QueryRequest
from zipmap_app.state.session import Notice, SessionModel


class CommandDesk(QObject):
    """Numbers commands, hands them to the runner, and tells how they go on. GUI thread only."""

    progressed = Signal(object, float)  # Command, fraction
    ended = Signal(object, object)  # Command, CommandOutcome

    def __init__(self, runner: Runner, session: SessionModel, parent: QObject) -> None:
        super().__init__(parent)
        self._runner = runner
        self._session = session
        self._ids = itertools.count(1)
        self._open: dict[int, Command] = {}
        self._disconnects = (
            session.command_progressed.connect(self._on_progress),
            session.command_ended.connect(self._on_ended),
        )

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    def rewind(self, n_frames: int) -> None:
        self._send(lambda number: Rewind(number, n_frames))

    def undo_rewind(self) -> None:
        self._send(UndoRewind)

    def finalise(self) -> None:
        self._send(Finalise)

    def render_flight(self, requests: tuple[QueryRequest, ...]) -> RenderFlight:
        flight = RenderFlight(next(self._ids), requests)
        self._send(lambda number: flight, flight.command_id)
        return flight

    def save_state(self, state_id: int, path: Path) -> None:
        self._send(lambda number: SaveState(number, state_id, path))

    def open_state(self, path: Path) -> None:
        self._send(lambda number: OpenState(number, path))

    def fork_state(self, state_id: int, name: str) -> None:
        self._send(lambda number: ForkState(number, state_id, name))

    def drop_state(self, state_id: int) -> None:
        self._send(lambda number: DropState(number, state_id))

    def cancel(self, kind: type[Command]) -> None:
        """Ask every command of a kind to end early; each still tells its end."""
        for number, command in self._open.items():
            if isinstance(command, kind):
                self._runner.cancel(number)

    def _send(self, make: Callable[[int], Command], number: int | None = None) -> None:
        number = next(self._ids) if number is None else number
        command = make(number)
        self._open[number] = command
        self._runner.do(command)

    def _on_progress(self, progress: CommandProgress) -> None:
        command = self._open.get(progress.command_id)
        if command is not None:
            self.progressed.emit(command, progress.fraction)

    def _on_ended(self, ended: CommandEnded) -> None:
        command = self._open.pop(ended.command_id, None)
        if command is None:
            return
        if ended.sentence and ended.outcome is CommandOutcome.DONE:
            self._session.add_notice(Notice(ended.sentence))
        self.ended.emit(command, ended.outcome)
