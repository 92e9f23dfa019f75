"""Dragging a handle moves along its axis only, or turns about it only, by what the mouse says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zipmap_app.scene.gizmo import HANDLES, Gizmo, Handle, HandleKind
from zipmap_app.scene.stage import Ray

TURN = 0.4
POSE = np.eye(4)
POSE[:3, :3] = [[math.cos(TURN), 0, math.sin(TURN)], [0, 1, 0], [-math.sin(TURN), 0, math.cos(TURN)]]
POSE[:3, 3] = (0.5, -0.2, 4.0)
GIZMO = Gizmo(POSE, 0.6)
VIEW_EYE = np.array([-2.0, -2.5, 1.0])  # no ring is edge-on from here


def ray_to(point: np.ndarray) -> Ray:
    direction = point - VIEW_EYE
    return Ray(VIEW_EYE, direction / np.linalg.norm(direction))


@pytest.mark.parametrize("axis", range(3))
def test_an_arrow_follows_the_mouse_along_its_axis_and_nowhere_else(axis):
    handle = Handle(HandleKind.MOVE, axis)
    on_axis = GIZMO.eye + 0.4 * GIZMO.axis(handle)
    grip = GIZMO.grip(handle, ray_to(on_axis))
    pose = grip.pose_for(ray_to(on_axis + 0.7 * GIZMO.axis(handle)))
    np.testing.assert_allclose(pose[:3, 3] - POSE[:3, 3], 0.7 * GIZMO.axis(handle), atol=1e-12)
    np.testing.assert_array_equal(pose[:3, :3], POSE[:3, :3])
    # A mouse beside the axis still moves along it only.
    beside = on_axis + 0.3 * GIZMO.axis(handle) + 0.2 * POSE[:3, (axis + 1) % 3]
    moved = grip.pose_for(ray_to(beside))[:3, 3] - POSE[:3, 3]
    np.testing.assert_allclose(np.cross(moved, GIZMO.axis(handle)), 0, atol=1e-12)


@pytest.mark.parametrize("axis", range(3))
def test_a_ring_turns_about_its_axis_by_the_angle_of_the_mouse(axis):
    handle = Handle(HandleKind.TURN, axis)
    ring = GIZMO.polyline(handle)
    grip = GIZMO.grip(handle, ray_to(ring[3]))
    pose = grip.pose_for(ray_to(ring[9]))
    np.testing.assert_array_equal(pose[:3, 3], POSE[:3, 3])
    np.testing.assert_allclose(pose[:3, axis], POSE[:3, axis], atol=1e-12)
    cosine = POSE[:3, (axis + 1) % 3] @ pose[:3, (axis + 1) % 3]
    assert math.acos(cosine) == pytest.approx(6 * 2 * math.pi / 48)
    np.testing.assert_allclose(pose[:3, :3].T @ pose[:3, :3], np.eye(3), atol=1e-12)


def test_a_grip_that_says_nothing_is_refused():
    along = Gizmo(np.eye(4), 1.0)
    straight = Ray(np.array([0.0, 0, -5]), np.array([0.0, 0, 1]))
    assert along.grip(Handle(HandleKind.MOVE, 2), straight) is None
    assert along.grip(Handle(HandleKind.TURN, 0), straight) is None
    away = Ray(np.array([0.0, 0, -5]), np.array([0.0, 0, -1.0]))
    assert along.grip(Handle(HandleKind.TURN, 2), away) is None


def project(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A view from the origin along +z with a focal length of 500 px."""
    return points[:, :2] / points[:, 2:] * 500, points[:, 2]


def test_the_handle_under_the_mouse_is_the_one_drawn_there():
    for handle in HANDLES:
        line = GIZMO.polyline(handle)
        x, y = project(line[2:3])[0][0]
        assert GIZMO.handle_under(project, x, y) == handle
    assert GIZMO.handle_under(project, 400, 400) is None
    assert GIZMO.handle_under(lambda points: (points[:, :2], points[:, 2] - 10), 0, 0) is None  # behind
