"""Events call who is connected, in order, and nobody else."""

from __future__ import annotations

import pytest

from zipmap_app.state.event import Event


def test_listeners_are_called_in_order_with_the_arguments():
    event: Event[[int, str]] = Event()
    heard = []
    event.connect(lambda number, text: heard.append(("first", number, text)))
    event.connect(lambda number, text: heard.append(("second", number, text)))
    event.emit(3, "x")
    assert heard == [("first", 3, "x"), ("second", 3, "x")]


def test_disconnecting_twice_is_harmless_and_during_emission_too():
    event: Event[[]] = Event()
    heard = []

    def once() -> None:
        heard.append("once")
        disconnect()

    disconnect = event.connect(once)
    event.connect(lambda: heard.append("always"))
    event.emit()
    event.emit()
    disconnect()
    assert heard == ["once", "always", "always"]
    assert event.n_listeners == 1


def test_errors_of_listeners_are_not_swallowed():
    event: Event[[]] = Event()
    event.connect(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        event.emit()
