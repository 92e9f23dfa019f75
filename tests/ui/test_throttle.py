"""Bursts of calls."""

from __future__ import annotations

from PySide6.QtCore import QObject

from zipmap_app.ui.throttle import Throttle


def test_a_burst_is_one_call_now_and_one_at_its_end(qtbot, qapp) -> None:
    owner, calls = QObject(), list[int]()
    value = [0]
    throttle = Throttle(lambda: calls.append(value[0]), 40, owner)
    for i in range(20):
        value[0] = i
        throttle()
    assert calls == [0]
    qtbot.waitUntil(lambda: len(calls) == 2)
    assert calls == [0, 19]


def test_a_stopped_one_is_silent(qtbot, qapp) -> None:
    owner, calls = QObject(), list[int]()
    throttle = Throttle(lambda: calls.append(1), 20, owner)
    throttle()
    throttle()
    throttle.stop()
    qtbot.wait(60)
    assert calls == [1]
