"""Up and scale."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.alignment import Alignment, up_from_path, up_from_points

UP = np.array([0.0, -1.0, 0.0])


def turn_about(axis: int, angle_rad: float) -> np.ndarray:
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = c
    matrix[first, second], matrix[second, first] = -s, s
    return matrix


@pytest.mark.parametrize("up", [(0, -1, 0), (0, 1, 0), (0.3, -2, 0.5), (0, 0, 1), (1, 0, 0)])
def test_any_up_is_turned_up_by_a_rotation(up: tuple[float, float, float]) -> None:
    up_in_world = np.array(up, float)
    turn = Alignment().with_up(up_in_world).stage_from_world
    assert np.allclose(turn @ up_in_world, UP * np.linalg.norm(up_in_world))
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)


def test_scale_comes_from_a_known_length() -> None:
    alignment = Alignment().with_length(0.5, 1.2)
    assert alignment.metres_per_unit == pytest.approx(2.4)
    assert alignment.length_unit.text(1.0) == "2.4 m"
    assert alignment.length_unit.text(0.1) == "24 cm"
    assert Alignment().length_unit.text(0.1) == "0.1 units"


@pytest.mark.parametrize("lengths", [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, float("nan"))])
def test_senseless_lengths_are_refused(lengths: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"positive|above 0"):
        Alignment().with_length(*lengths)


def test_up_from_a_tilted_pan_is_the_axis_of_the_pan() -> None:
    tilt = turn_about(0, np.radians(-30))  # looks down all the time
    pan = np.stack([turn_about(1, angle) @ tilt for angle in np.linspace(0, 2, 20)])
    world_tilt = turn_about(2, 0.4)  # the first camera was held askew
    poses = np.tile(np.eye(4), (20, 1, 1))
    poses[:, :3, :3] = world_tilt @ pan
    assert np.allclose(up_from_path(poses), world_tilt @ UP, atol=1e-6)


def test_up_of_a_camera_that_never_turned_is_its_own() -> None:
    poses = np.tile(np.eye(4), (5, 1, 1))
    poses[:, 0, 3] = np.arange(5)
    assert np.allclose(up_from_path(poses), UP)
    with pytest.raises(ValueError, match="at least one"):
        up_from_path(np.empty((0, 4, 4)))


def test_three_floor_points_give_the_side_of_the_eye() -> None:
    floor = [np.array([0.0, 1, 0]), np.array([1.0, 1, 0]), np.array([0.0, 1, 1])]
    for order in ((0, 1, 2), (2, 1, 0)):
        assert np.allclose(up_from_points(*(floor[i] for i in order), eye=np.zeros(3)), UP)


def test_points_on_a_line_are_refused() -> None:
    line = [np.array([float(i), 1, 0]) for i in range(3)]
    with pytest.raises(ValueError, match="one line"):
        up_from_points(*line, eye=np.zeros(3))
    with pytest.raises(ValueError, match="one line"):
        up_from_points(line[0], line[0], line[0], eye=np.zeros(3))
