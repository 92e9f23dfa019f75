"""Grid cells and path colours."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.scene.colors import colors_by_time
from zipmap_app.scene.grid import grid_cell


@pytest.mark.parametrize(("radius", "cell"), [(1.0, 0.2), (3.0, 1.0), (5.0, 1.0), (0.07, 0.02), (800, 200)])
def test_grid_cells_are_round_numbers(radius, cell):
    assert grid_cell(radius) == pytest.approx(cell)


def test_path_colours_run_from_blue_to_amber():
    colors = colors_by_time(np.linspace(0, 1, 50), alpha=0.5)
    assert colors.shape == (50, 4)
    assert colors[0, 2] > colors[0, 0]
    assert colors[-1, 0] > colors[-1, 2]
    assert (colors[:, 3] == 0.5).all()


def test_the_grid_stays_under_small_changes_and_follows_a_long_walk(view):
    grid = view._grid
    grid.update((0.0, 0.0, 0.0), 1.0, 0.5)
    first = grid._line.pos.copy()
    grid.update((0.3, 0.0, 0.1), 0.98, 0.51)
    np.testing.assert_array_equal(grid._line.pos, first)
    grid.update((5.0, 0.0, 0.0), 1.0, 0.5)
    assert grid._line.pos[:, 0].mean() == pytest.approx(5.0)
