"""Tools that work by clicking points."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.memory import MemoryBudget, MemoryUse, default_budget
from zipmap_app.state.tools import Measurement, PointTool, ToolModel


def points(n: int) -> list[np.ndarray]:
    return [np.array([float(i), 0, 0]) for i in range(n)]


@pytest.mark.parametrize("tool", list(PointTool))
def test_a_tool_completes_with_the_points_it_needs(tool: PointTool) -> None:
    model, completed = ToolModel(), []
    model.completed.connect(lambda tool, clicked: completed.append((tool, len(clicked))))
    model.start(tool)
    for i, point in enumerate(points(tool.n_points)):
        assert completed == []
        assert tool.hint(i)
        model.add_point(point)
    assert completed == [(tool, tool.n_points)]
    assert model.points == ()
    assert model.tool is (PointTool.MEASURE if tool is PointTool.MEASURE else None)


def test_clicks_without_a_tool_mean_nothing() -> None:
    model = ToolModel()
    model.add_point(np.zeros(3))
    assert model.points == ()


def test_cancelling_takes_back_the_points_first() -> None:
    model = ToolModel()
    model.start(PointTool.UP)
    model.add_point(np.zeros(3))
    model.cancel()
    assert (model.tool, model.points) == (PointTool.UP, ())
    model.cancel()
    assert model.tool is None


def test_a_measurement_knows_its_length() -> None:
    assert Measurement(np.zeros(3), np.array([3.0, 4.0, 0.0])).length == pytest.approx(5)


def test_the_budget_is_shared_out_whole() -> None:
    budget = MemoryBudget(2**30)
    parts = (budget.points_bytes, budget.pictures_bytes, budget.undo_bytes, budget.rewind_bytes)
    assert sum(parts) == budget.total_bytes
    assert min(parts) > 0
    assert MemoryUse(1, 2, 3, 4).total_bytes == 10
    with pytest.raises(ValueError, match="64 MiB"):
        MemoryBudget(1000)


@pytest.mark.parametrize(("machine_gib", "budget_gib"), [(2, 1), (16, 4), (24, 6), (512, 8)])
def test_the_default_budget_follows_the_machine(machine_gib: int, budget_gib: int) -> None:
    assert default_budget(machine_gib * 2**30).total_bytes == budget_gib * 2**30
