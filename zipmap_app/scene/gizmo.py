"""The arithmetic of grasping a camera: three arrows that move it along its own axes, three rings that turn it.

Model's world throughout. Nothing here draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from zipmap_app.scene.screen import distances_to_segments
from zipmap_app.scene.stage import Ray

GRASP_PX = 8.0
_ARROW = (0.3, 1.0)  # where an arrow begins and ends, by the gizmo's length
_RING = 0.72  # radius of the rings, likewise
_N_RING = 48
_PARALLEL = 0.995  # cosine beyond which a ray is too much along an arrow to say where on it
_EDGE_ON = 0.15  # cosine below which a ring is too much edge-on to point at a place of it


class HandleKind(Enum):
    """What dragging a handle does."""

    MOVE = "move"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Handle:
    """One arrow or ring; axes 0, 1, 2 are the camera's right, down and forward."""

    kind: HandleKind
    axis: int


HANDLES = tuple(Handle(kind, axis) for kind in HandleKind for axis in range(3))


@dataclass(frozen=True, slots=True, eq=False)
class Gizmo:
    """The handles of a camera."""

    world_from_camera: np.ndarray  # (4, 4)
    length: float  # of an arrow, scene units

    @property
    def eye(self) -> np.ndarray:
        return self.world_from_camera[:3, 3]

    def axis(self, handle: Handle) -> np.ndarray:
        """(3,) unit vector."""
        return self.world_from_camera[:3, handle.axis]

    def polyline(self, handle: Handle) -> np.ndarray:
        """(K, 3) what is drawn of a handle, and grasped."""
        if handle.kind is HandleKind.MOVE:
            reach = np.linspace(*_ARROW, 8)[:, None] * self.length
            line: np.ndarray = self.eye + reach * self.axis(handle)
            return line
        angles = np.linspace(0, 2 * math.pi, _N_RING + 1)[:, None]
        u, v = (self.world_from_camera[:3, (handle.axis + i) % 3] for i in (1, 2))
        ring: np.ndarray = self.eye + _RING * self.length * (np.cos(angles) * u + np.sin(angles) * v)
        return ring

    def handle_under(
        self,
        project: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        x_px: float,
        y_px: float,
    ) -> Handle | None:
        """The handle whose line passes nearest to a place in the view, if near enough."""
        found, nearest_px = None, GRASP_PX
        for handle in HANDLES:
            pixels, depths = project(self.polyline(handle))
            if (depths <= 0).any():
                continue
            distance = float(distances_to_segments(np.array([x_px, y_px]), pixels[:-1], pixels[1:]).min())
            if distance < nearest_px:
                found, nearest_px = handle, distance
        return found

    def grip(self, handle: Handle, ray: Ray) -> Grip | None:
        """Take hold of a handle with the ray through the mouse; None if it cannot be held from there."""
        start = self._value(handle, ray)
        return None if start is None else Grip(self, handle, start)

    def _value(self, handle: Handle, ray: Ray) -> float | None:
        """Where along an arrow (scene units) or round a ring (radians) a ray points."""
        axis = self.axis(handle)
        cosine = float(axis @ ray.direction)
        to_eye = self.eye - ray.origin
        if handle.kind is HandleKind.MOVE:
            if abs(cosine) > _PARALLEL:
                return None
            # The point of the axis nearest to the ray.
            along = cosine * (ray.direction @ to_eye) - axis @ to_eye
            return float(along / (1 - cosine**2))
        if abs(cosine) < _EDGE_ON:
            return None
        distance = float(axis @ to_eye) / cosine
        if distance <= 0:
            return None
        spoke = ray.origin + distance * ray.direction - self.eye
        u, v = (self.world_from_camera[:3, (handle.axis + i) % 3] for i in (1, 2))
        return math.atan2(float(spoke @ v), float(spoke @ u))


@dataclass(frozen=True, slots=True, eq=False)
class Grip:
    """A handle being dragged: all poses follow from where it was taken, so errors do not add up."""

    gizmo: Gizmo
    handle: Handle
    start: float

    def pose_for(self, ray: Ray) -> np.ndarray | None:
        """(4, 4) world_from_camera with the handle under another ray; None where that says nothing."""
        value = self.gizmo._value(self.handle, ray)
        if value is None:
            return None
        pose = self.gizmo.world_from_camera.copy()
        axis = self.gizmo.axis(self.handle)
        if self.handle.kind is HandleKind.MOVE:
            pose[:3, 3] += axis * (value - self.start)
        else:
            pose[:3, :3] = _rotation(axis, value - self.start) @ pose[:3, :3]
        return pose


def _rotation(axis: np.ndarray, angle_rad: float) -> np.ndarray:
    x, y, z = axis
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn: np.ndarray = np.eye(3) + math.sin(angle_rad) * skew + (1 - math.cos(angle_rad)) * skew @ skew
    return turn
