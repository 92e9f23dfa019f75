"""The flip between OpenCV and OpenGL is exact, and the drawn frustum holds exactly the queried rays."""

from __future__ import annotations

import numpy as np

from zipmap_app.scene.coordinates import (
    flipped_axes,
    focal_px,
    frustum_corners,
    frustum_segments,
    gl_world_from_world,
)

INTRINSICS = np.array([[170.0, 0, 96.0], [0, 165.0, 72.0], [0, 0, 1]])
SIZE_HW = (144, 192)


def random_pose(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    pose = np.eye(4)
    pose[:3, :3] = rotation * np.linalg.det(rotation)
    pose[:3, 3] = rng.normal(size=3)
    return pose


def test_flipping_twice_returns_the_same_bits_and_keeps_rotations():
    for seed in range(20):
        pose = random_pose(seed)
        assert (flipped_axes(flipped_axes(pose)) == pose).all()
        rotation = flipped_axes(pose)[:3, :3]
        np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-12)


def test_the_flip_maps_points_consistently():
    # A point ahead of, right of and below a camera, followed through both conventions.
    pose = random_pose(3)
    in_camera = np.array([0.3, 0.4, 2.0, 1.0])
    in_gl_camera = gl_world_from_world() @ in_camera
    assert (in_gl_camera == [0.3, -0.4, -2.0, 1.0]).all()
    in_gl_world = flipped_axes(pose) @ in_gl_camera
    np.testing.assert_allclose(in_gl_world, gl_world_from_world() @ (pose @ in_camera), atol=1e-15)


def test_corners_reach_half_a_pixel_around_the_outer_pixel_centres():
    corners = frustum_corners(INTRINSICS, SIZE_HW, depth=2.0)
    pixels = corners @ INTRINSICS.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    expected = [[-0.5, -0.5], [191.5, -0.5], [191.5, 143.5], [-0.5, 143.5]]
    np.testing.assert_allclose(pixels, expected, atol=1e-12)
    np.testing.assert_allclose(corners[:, 2], 2.0)


def test_segments_start_at_the_eye_and_the_mark_points_up():
    pose = random_pose(5)
    segments = frustum_segments(pose, INTRINSICS, SIZE_HW, 1.0)
    assert segments.shape == (18, 3)
    np.testing.assert_allclose(segments[0:8:2], np.tile(pose[:3, 3], (4, 1)), atol=1e-6)
    in_camera = (segments[-1] - pose[:3, 3]) @ pose[:3, :3]
    assert in_camera[1] < frustum_corners(INTRINSICS, SIZE_HW, 1.0)[0, 1]


def test_focal_length_of_a_right_angle():
    np.testing.assert_allclose(focal_px(np.pi / 2, 600), 300)
