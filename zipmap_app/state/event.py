"""A minimal typed event: who is interested connects, who changes emits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Event(Generic[P]):
    """Calls every connected listener, in order of connection, in the emitting thread.

    A listener that raises stops the emission: errors are handled by the caller, never swallowed here.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[P, object]] = []

    def connect(self, listener: Callable[P, object]) -> Callable[[], None]:
        """Add a listener and return the function that removes it again (calling that twice is harmless)."""
        self._listeners.append(listener)

        def disconnect() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return disconnect

    def emit(self, *args: P.args, **kwargs: P.kwargs) -> None:
        # A copy, because a listener may disconnect itself.
        for listener in tuple(self._listeners):
            listener(*args, **kwargs)

    @property
    def n_listeners(self) -> int:
        return len(self._listeners)
