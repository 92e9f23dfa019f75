"""The Performance tab: right numbers, and no work while nobody looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent

from tests.app_fakes import make_frame
from zipmap_app.state.appearance import AppearanceModel
from zipmap_app.state.memory import MemoryBudget, MemoryUse
from zipmap_app.state.messages import FrameResult, FrameTimings
from zipmap_app.state.session import SessionModel
from zipmap_app.ui.performance.latency_card import N_SHOWN
from zipmap_app.ui.performance.memory_card import MemoryCard
from zipmap_app.ui.performance.tab import PerformanceTab
from zipmap_app.ui.rounding import round_ceiling


def frame(index: int, n_dropped: int = 0) -> FrameResult:
    """A frame of 80 + index ms whose 200 points have confidences from 1 to 2."""
    made = make_frame(index)
    points = made.points.copy()
    points["confidence"] = np.linspace(1, 2, len(points))
    return replace(
        made,
        points=points,
        position=index,
        n_dropped=n_dropped,
        timings=FrameTimings(wait_ms=5.0, infer_ms=80.0 + index, pack_ms=10.0),
    )


@pytest.fixture
def session() -> SessionModel:
    session = SessionModel()
    session.begin("room.mp4")
    return session


@pytest.fixture
def look() -> AppearanceModel:
    return AppearanceModel()


@pytest.fixture
def tab(qtbot, session, look) -> Iterator[PerformanceTab]:
    tab = PerformanceTab(session, look)
    qtbot.addWidget(tab)
    tab.resize(340, 760)
    with qtbot.waitExposed(tab):
        tab.show()
    yield tab
    tab.release()
    assert session.history.appended.n_listeners == session.undo.changed.n_listeners == 0
    assert look.changed.n_listeners == 0


def test_frames_reach_the_plot_without_being_asked_for_each(tab, session, qtbot):
    assert "No frame" in tab.latency._text.text()
    for index in range(3):
        session.apply(frame(index))
    assert "No frame" in tab.latency._text.text()  # throttled
    qtbot.waitUntil(lambda: "median 91 ms" in tab.latency._text.text())
    ages, model_ms = tab.latency.curves["model"].getData()
    assert ages.tolist() == [-2, -1, 0]
    assert model_ms.tolist() == [80, 81, 82]
    assert not tab._timer.isActive()


def test_only_the_newest_frames_are_plotted(tab, session):
    for index in range(N_SHOWN + 50):
        session.apply(frame(index))
    tab.refresh()
    ages, model_ms = tab.latency.curves["model"].getData()
    assert len(ages) == N_SHOWN
    assert model_ms[-1] == 80 + N_SHOWN + 49


def test_a_hidden_tab_runs_no_timer_and_catches_up(tab, session):
    tab.hide()
    session.apply(frame(0))
    assert not tab._timer.isActive()
    assert "No frame" in tab.latency._text.text()
    tab.show()
    assert "median 90 ms" in tab.latency._text.text()


def test_drops_are_counted_where_they_happened(tab, session):
    session.apply(frame(0))
    tab.refresh()
    assert not tab.drops._plot.isVisible()
    session.apply(frame(1, n_dropped=1))
    session.apply(frame(2, n_dropped=3))
    tab.refresh()
    assert tab.drops.curve.getData()[1].tolist() == [0, 1, 2]
    assert "3 dropped, 50% of what came" in tab.drops._text.text()


def test_the_line_and_the_hidden_fraction_are_one(tab, session, look):
    for index in range(20):
        session.apply(frame(index))
    tab.refresh()
    look.edit(hidden_fraction=0.25)
    assert tab.histogram.line.value() == pytest.approx(1.25, abs=0.05)
    tab.histogram.line.setValue(1.5)
    assert look.value.hidden_fraction == pytest.approx(0.5, abs=0.05)
    tab.histogram.line.setValue(99.0)
    assert look.value.hidden_fraction == 0.95


def test_the_line_is_dragged_with_the_mouse(tab, session, look, qtbot, monkeypatch):
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", -1)  # the test moves faster than a hand
    for index in range(20):
        session.apply(frame(index))
    tab.refresh()
    look.edit(hidden_fraction=0.3)
    plot = tab.histogram._plot
    qtbot.waitUntil(plot.isVisible)

    def place(confidence: float) -> QPoint:
        in_scene = plot.getViewBox().mapViewToScene(QPointF(confidence, 0.5))
        return plot.mapFromScene(in_scene)

    start, end = place(tab.histogram.line.value()), place(1.7)
    viewport = plot.viewport()
    qtbot.mouseMove(viewport, start)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.3, 0.6, 1.0):
        step = start + (end - start) * share
        plot.mouseMoveEvent(_move_event(plot, step))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)
    assert look.value.hidden_fraction == pytest.approx(0.7, abs=0.08)


def _move_event(plot, position: QPoint) -> QMouseEvent:
    """A move with the button down: synthetic moves of the test library carry none."""
    left = Qt.MouseButton.LeftButton
    where = QPointF(position)
    global_where = QPointF(plot.viewport().mapToGlobal(position))
    return QMouseEvent(QEvent.Type.MouseMove, where, global_where, left, left, Qt.KeyboardModifier.NoModifier)


def test_memory_is_shown_against_its_own_part_of_the_budget(qtbot):
    card = MemoryCard()
    qtbot.addWidget(card)
    budget = MemoryBudget(2**30)
    card.show_use(MemoryUse(points_bytes=budget.points_bytes // 2, undo_bytes=2**30), budget)
    assert card.lines["points_bytes"].fraction == pytest.approx(0.5)
    assert card.lines["undo_bytes"].fraction == 1.0
    assert "1.3 of 1.1 GB" in card._total.text()


@pytest.mark.parametrize(("value", "ceiling"), [(0.3, 0.5), (1, 1), (1.1, 2), (104, 200), (480, 500)])
def test_axes_end_at_round_numbers(value, ceiling):
    assert round_ceiling(value) == pytest.approx(ceiling)
