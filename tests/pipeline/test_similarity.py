import numpy as np
import pytest

from zipmap_app.pipeline.similarity import (
    Similarity,
    interpolated_cameras,
    similarity_from_cameras,
    similarity_from_points,
)


def rotation(axis, angle_rad):
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle_rad) * skew + (1 - np.cos(angle_rad)) * skew @ skew


def camera(centre, angle_rad=0.0):
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = rotation([0.2, 1, 0.1], angle_rad)
    world_from_camera[:3, 3] = centre
    return world_from_camera


TRUE = Similarity(2.5, rotation([1, 2, 3], 0.8), np.array([1.0, -2.0, 0.5]))


def test_points_give_back_the_similarity_they_were_moved_by():
    points = np.random.default_rng(0).normal(size=(20, 3))
    found = similarity_from_points(points, TRUE.scale * points @ TRUE.rotation.T + TRUE.translation)
    assert found.scale == pytest.approx(2.5)
    np.testing.assert_allclose(found.rotation, TRUE.rotation, atol=1e-12)
    np.testing.assert_allclose(found.translation, TRUE.translation, atol=1e-12)


def test_mirrored_points_never_give_a_mirror():
    points = np.random.default_rng(0).normal(size=(20, 3))
    found = similarity_from_points(points, points * [1, 1, -1])
    assert np.linalg.det(found.rotation) == pytest.approx(1)


@pytest.mark.parametrize(
    "centres",
    [
        [[0, 0, 0], [1, 0, 0.5], [2, 1, 0], [3, 0, 1]],
        [[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]],  # on a line
        [[0, 0, 0]] * 4,  # no motion
    ],
)
def test_cameras_on_any_path_give_back_rotation_and_scale(centres):
    cameras = [camera(centre, 0.1 * index) for index, centre in enumerate(np.array(centres, float))]
    depths = [3.0, 3.5, 2.0, 4.0]
    found = similarity_from_cameras(
        cameras, depths, [TRUE.camera(one) for one in cameras], [TRUE.scale * depth for depth in depths]
    )
    assert found.scale == pytest.approx(2.5)
    for one in cameras:
        np.testing.assert_allclose(found.camera(one), TRUE.camera(one), atol=1e-9)
        np.testing.assert_allclose(found.inverse().camera(found.camera(one)), one, atol=1e-9)


def test_frames_that_were_not_kept_move_with_those_around_them():
    cameras = [camera([0.1 * index, 0, 0], 0.02 * index) for index in range(9)]
    corrected = [cameras[2], cameras[6] @ camera([0.4, 0, 0], 0.08)]
    result = interpolated_cameras(cameras, [2, 6], corrected)
    np.testing.assert_array_equal(result[[2, 6]], corrected)
    for index in (0, 1):
        np.testing.assert_allclose(result[index], cameras[index], atol=1e-12)
    halfway = np.linalg.inv(cameras[4]) @ result[4]
    np.testing.assert_allclose(halfway[:3, 3], [0.2, 0, 0], atol=1e-12)
    np.testing.assert_allclose(halfway[:3, :3], rotation([0.2, 1, 0.1], 0.04), atol=1e-9)
    np.testing.assert_allclose(result[8], cameras[8] @ camera([0.4, 0, 0], 0.08), atol=1e-12)
    assert np.linalg.norm(np.diff(result[:, :3, 3], axis=0), axis=1).max() < 0.25  # nothing jumps
