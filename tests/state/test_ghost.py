"""The ghost camera and its numbers."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.alignment import Alignment
from zipmap_app.state.ghost import (
    GhostCamera,
    GhostNumbers,
    GhostView,
    looking_at,
    numbers_from_pose,
    pose_from_numbers,
)

STAGE = Alignment().with_up(np.array([0.4, -1.0, 0.2])).stage_from_world


@pytest.mark.parametrize("stage_from_world", [np.eye(3), STAGE])
@pytest.mark.parametrize(
    "numbers",
    [
        GhostNumbers(0, 0, 0, 0, 0, 0),
        GhostNumbers(1, -2, 3, 40, 20, 0),
        GhostNumbers(0.1, 0.2, 0.3, -170, -80, 35),
    ],
)
def test_numbers_and_pose_are_inverse(numbers: GhostNumbers, stage_from_world: np.ndarray) -> None:
    pose = pose_from_numbers(numbers, stage_from_world)
    assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
    back = numbers_from_pose(pose, stage_from_world)
    for name in numbers.__slots__:
        assert getattr(back, name) == pytest.approx(getattr(numbers, name), abs=1e-9)


def test_pitch_looks_up_and_yaw_to_the_right() -> None:
    up = pose_from_numbers(GhostNumbers(0, 0, 0, 0, 30, 0), np.eye(3))
    assert up[1, 2] < 0  # y points down
    right = pose_from_numbers(GhostNumbers(0, 0, 0, 30, 0, 0), np.eye(3))
    assert right[0, 2] > 0


def test_looking_at_a_point_is_level() -> None:
    pose = looking_at(np.zeros(3), np.array([1.0, 0.5, 2.0]), up=np.array([0.0, -1, 0]))
    assert np.allclose(pose[:3, 2], np.array([1, 0.5, 2]) / np.sqrt(5.25))
    assert pose[1, 0] == pytest.approx(0)
    assert pose[1, 1] > 0
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
    down = looking_at(np.zeros(3), np.array([0.0, 1, 0]), up=np.array([0.0, -1, 0]))
    assert np.linalg.det(down[:3, :3]) == pytest.approx(1)
    with pytest.raises(ValueError, match="where it stands"):
        looking_at(np.zeros(3), np.zeros(3), up=np.array([0.0, -1, 0]))


def test_moving_keeps_the_lens_and_removing_forgets_it() -> None:
    ghost, heard = GhostCamera(), []
    ghost.changed.connect(heard.append)
    ghost.move(np.eye(4))
    assert heard == []
    ghost.place(GhostView(np.eye(4), np.eye(3), (24, 32)))
    moved = np.eye(4)
    moved[0, 3] = 2
    ghost.move(moved)
    assert ghost.view is not None
    assert ghost.view.world_from_camera[0, 3] == 2
    assert ghost.view.size_hw == (24, 32)
    ghost.remove()
    assert heard[-1] is None
