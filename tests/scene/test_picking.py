"""Picking finds the surface under the mouse, and nothing over empty space."""

from __future__ import annotations

import numpy as np
import pytest

from tests.app_fakes import make_points
from zipmap_app.scene.picking import pick_point

SIZE = (400.0, 300.0)
FRONT, BEHIND = np.array([0.1, 0.05, 2.0]), np.array([0.1, 0.05, 2.0]) * 2.5


def clip_from_world(focal: float = 300.0, near: float = 0.1, far: float = 100.0) -> np.ndarray:
    """A camera at the origin that looks along +z (OpenCV axes)."""
    a, b = (far + near) / (far - near), -2 * far * near / (far - near)
    return np.array(
        [[2 * focal / SIZE[0], 0, 0, 0], [0, -2 * focal / SIZE[1], 0, 0], [0, 0, a, b], [0, 0, 1, 0]]
    )


def mouse_over(point: np.ndarray, focal: float = 300.0) -> tuple[float, float]:
    return (SIZE[0] / 2 + focal * point[0] / point[2], SIZE[1] / 2 + focal * point[1] / point[2])


def test_the_front_surface_wins_over_what_is_behind_it():
    blocks = [make_points(np.array([BEHIND])), make_points(np.array([FRONT]))]
    picked = pick_point(blocks, 2, clip_from_world(), SIZE, mouse_over(FRONT))
    np.testing.assert_allclose(picked, FRONT, atol=1e-6)


def test_empty_space_and_hidden_points_give_nothing():
    blocks = [make_points(np.array([FRONT]), confidence=0.2)]
    x, y = mouse_over(FRONT)
    assert pick_point(blocks, 1, clip_from_world(), SIZE, (x + 20, y)) is None
    assert pick_point(blocks, 1, clip_from_world(), SIZE, (x, y), min_confidence=0.5) is None
    behind_the_eye = [make_points(np.array([-FRONT]))]
    assert pick_point(behind_the_eye, 1, clip_from_world(), SIZE, (x, y)) is None


def test_the_point_nearest_to_the_mouse_is_taken_from_a_surface():
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 201), np.linspace(-1, 1, 201)), -1).reshape(-1, 2)
    wall = np.column_stack([grid, np.full(len(grid), 3.0)])
    picked = pick_point([make_points(wall)], len(wall), clip_from_world(), SIZE, (240.0, 110.0))
    assert picked is not None
    np.testing.assert_allclose(picked, [0.4, -0.4, 3.0], atol=0.011)


@pytest.mark.parametrize("n_points", [1_000_001, 5_000_000])
def test_huge_clouds_are_sampled(n_points):
    # The claimed count sets the step; the block itself is small.
    blocks = [make_points(np.repeat(FRONT[None], 12, axis=0))]
    assert pick_point(blocks, n_points, clip_from_world(), SIZE, mouse_over(FRONT)) is not None
