"""Undo and redo of what the user did to the scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zipmap_app.state.event import Event

_MAX_STEPS = 100


@dataclass(frozen=True, slots=True)
class UndoStep:
    """Something that was done and can be taken back. ``undo`` and ``redo`` are called in turn, undo first."""

    label: str  # completes "Undo ..."
    undo: Callable[[], None]
    redo: Callable[[], None]
    memory_bytes: int = 0  # what is kept alive only for this step


class UndoStack:
    """Steps in order, bounded in number and memory: the oldest go first. GUI thread only."""

    def __init__(self, max_bytes: int = 512 * 2**20) -> None:
        self.changed: Event[[]] = Event()
        self._max_bytes = max_bytes
        self._is_blocked = False
        self._done: list[UndoStep] = []
        self._undone: list[UndoStep] = []

    @property
    def undo_label(self) -> str | None:
        """What the next undo takes back, or None."""
        return self._done[-1].label if self._done else None

    @property
    def redo_label(self) -> str | None:
        return self._undone[-1].label if self._undone else None

    @property
    def memory_bytes(self) -> int:
        return sum(step.memory_bytes for step in (*self._done, *self._undone))

    @property
    def is_blocked(self) -> bool:
        """A step is being taken back elsewhere and is not over: the next one has to wait."""
        return self._is_blocked

    def set_blocked(self, is_blocked: bool) -> None:
        self._is_blocked = is_blocked
        self.changed.emit()

    def push(self, step: UndoStep) -> None:
        """Note what has just been done; what was undone before it cannot be redone any more."""
        self._undone.clear()
        self._done.append(step)
        while len(self._done) > 1 and (len(self._done) > _MAX_STEPS or self.memory_bytes > self._max_bytes):
            del self._done[0]
        self.changed.emit()

    def undo(self) -> None:
        """Take the newest step back; nothing without one, or while blocked."""
        if not self._done or self._is_blocked:
            return
        step = self._done.pop()
        step.undo()
        self._undone.append(step)
        self.changed.emit()

    def redo(self) -> None:
        """Do again what was undone last; nothing without one, or while blocked."""
        if not self._undone or self._is_blocked:
            return
        step = self._undone.pop()
        step.redo()
        self._done.append(step)
        self.changed.emit()

    def clear(self) -> None:
        self._done.clear()
        self._undone.clear()
        self.changed.emit()
