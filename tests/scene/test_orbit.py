"""Orbit arithmetic: exact poses, and the point under the mouse stays under the mouse."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zipmap_app.scene.orbit import OrbitPose, framing_pose, orbit_from_pose

FOCAL = 500.0
POSE = OrbitPose(pivot=np.array([0.3, -0.2, 2.0]), distance=3.0, azimuth_rad=0.7, elevation_rad=0.4)


def project(pose: OrbitPose, point: np.ndarray) -> np.ndarray:
    """Pixels from the centre of the view (x right, y down)."""
    in_camera = np.linalg.inv(pose.stage_from_camera) @ np.append(point, 1)
    return in_camera[:2] / in_camera[2] * FOCAL


def test_zero_angles_look_along_z_with_y_down():
    pose = OrbitPose(pivot=np.zeros(3), distance=2.0)
    np.testing.assert_array_equal(pose.rotation, np.eye(3))
    np.testing.assert_array_equal(pose.stage_from_camera[:3, 3], [0, 0, -2])


def test_rotations_are_proper_and_level():
    for azimuth in np.linspace(-3, 3, 9):
        for elevation in np.linspace(-1.5, 1.5, 7):
            rotation = OrbitPose(np.zeros(3), 1.0, azimuth, elevation).rotation
            np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-15)
            np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-15)
            assert rotation[1, 0] == 0  # no roll: the right axis is horizontal


def test_the_pose_survives_a_round_trip_through_a_matrix():
    back = orbit_from_pose(POSE.stage_from_camera, POSE.distance)
    np.testing.assert_allclose(back.stage_from_camera, POSE.stage_from_camera, atol=1e-14)


def test_dragging_moves_the_near_side_with_the_mouse():
    near = POSE.pivot - POSE.rotation[:, 2] * 0.5
    right = project(POSE.orbited(20, 0), near) - project(POSE, near)
    down = project(POSE.orbited(0, 20), near) - project(POSE, near)
    assert right[0] > 0
    assert abs(right[1]) < abs(right[0])
    assert down[1] > 0
    assert abs(down[0]) < 1e-9


def test_elevation_stops_before_the_poles():
    assert POSE.orbited(0, 1e6).elevation_rad < math.pi / 2
    assert POSE.orbited(0, -1e6).elevation_rad > -math.pi / 2


def test_panning_carries_the_pivot_plane_exactly():
    moved = POSE.panned(37, -12, FOCAL)
    np.testing.assert_allclose(project(moved, POSE.pivot), [37, -12], atol=1e-9)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.3])
def test_zooming_keeps_the_point_under_the_mouse(factor):
    mouse = (120.0, -80.0)
    right, down, _ = POSE.rotation.T
    point = POSE.pivot + (right * mouse[0] + down * mouse[1]) * POSE.distance / FOCAL
    zoomed = POSE.zoomed(factor, mouse, FOCAL)
    np.testing.assert_allclose(project(zoomed, point), mouse, atol=1e-9)
    np.testing.assert_allclose(zoomed.distance, POSE.distance * factor)


def test_a_new_pivot_comes_to_the_middle_at_its_own_depth():
    point = np.array([0.9, 0.1, 2.5])
    turned = POSE.turned_about(point)
    np.testing.assert_allclose(project(turned, point), [0, 0], atol=1e-9)
    depth = POSE.rotation[:, 2] @ (point - POSE.stage_from_camera[:3, 3])
    np.testing.assert_allclose(turned.distance, depth)
    np.testing.assert_array_equal(turned.rotation, POSE.rotation)


def test_framing_puts_the_whole_ball_into_wide_and_narrow_views():
    for aspect in (0.5, 1.0, 2.0):
        pose = framing_pose(np.ones(3), 2.0, np.array([0.0, 0, 1]), math.radians(50), aspect)
        half_width = math.tan(math.radians(25)) * min(aspect, 1.0)
        assert math.tan(math.asin(2.0 / pose.distance)) <= half_width + 1e-12


def test_towards_reaches_its_goal_the_short_way():
    start = OrbitPose(np.zeros(3), 1.0, azimuth_rad=3.0)
    goal = OrbitPose(np.ones(3), 4.0, azimuth_rad=-3.0, elevation_rad=0.2)
    assert start.towards(goal, 0.5).azimuth_rad > 3.0
    end = start.towards(goal, 1.0)
    np.testing.assert_allclose(end.stage_from_camera, goal.stage_from_camera, atol=1e-12)
