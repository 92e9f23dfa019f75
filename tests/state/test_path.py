"""The camera path grows past its first allocation and cannot be written through."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.path import CameraPath


def test_poses_survive_growth_and_clear():
    path, announced = CameraPath(), []
    path.appended.connect(lambda: announced.append(len(path)))
    for i in range(200):
        pose = np.eye(4)
        pose[0, 3] = i
        path.append(3 * i, i / 10, pose)
    assert len(path) == 200
    assert announced[-1] == 200
    np.testing.assert_array_equal(path.world_from_camera[:, 0, 3], np.arange(200))
    assert path.frame_indices[-1] == 597
    assert path.timestamps_s[-1] == pytest.approx(19.9)
    path.clear()
    assert len(path) == 0
    assert path.world_from_camera.shape == (0, 4, 4)


def test_the_view_is_read_only_and_shapes_are_checked():
    path = CameraPath()
    path.append(0, 0.0, np.eye(4))
    with pytest.raises(ValueError, match="read-only"):
        path.world_from_camera[0, 0, 0] = 5
    with pytest.raises(ValueError, match=r"\(4, 4\)"):
        path.append(1, 0.0, np.eye(3))
