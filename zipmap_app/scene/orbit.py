"""The arithmetic of orbiting: where the view camera stands, without any drawing.

Everything is in OpenCV axes. Up on the screen is -y of the world, which is the first camera's up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

ORBIT_RAD_PER_PX = 0.006
_MAX_ELEVATION_RAD = math.radians(89.0)
_MIN_DISTANCE, _MAX_DISTANCE = 1e-4, 1e5


@dataclass(frozen=True, slots=True, eq=False)
class OrbitPose:
    """A camera that looks at a pivot from a distance, without roll."""

    pivot: np.ndarray  # (3,) float64, world space
    distance: float = 3.0  # from the eye to the pivot
    azimuth_rad: float = 0.0  # 0 looks along +z; positive looks to the right
    elevation_rad: float = 0.0  # positive looks down

    def __post_init__(self) -> None:
        if self.pivot.shape != (3,):
            raise ValueError(f"pivot: want (3,), got {self.pivot.shape}")

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) world_from_camera rotation; its columns are right, down and forward."""
        sin_a, cos_a = math.sin(self.azimuth_rad), math.cos(self.azimuth_rad)
        sin_e, cos_e = math.sin(self.elevation_rad), math.cos(self.elevation_rad)
        right = (cos_a, 0.0, -sin_a)
        down = (-sin_e * sin_a, cos_e, -sin_e * cos_a)
        forward = (cos_e * sin_a, sin_e, cos_e * cos_a)
        return np.array([right, down, forward]).T

    @property
    def world_from_camera(self) -> np.ndarray:
        """(4, 4) float64 pose of the eye."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation
        matrix[:3, 3] = self.pivot - self.rotation[:, 2] * self.distance
        return matrix

    def orbited(self, dx_px: float, dy_px: float) -> OrbitPose:
        """The scene follows the mouse: dragging right turns it to the right."""
        elevation = self.elevation_rad + dy_px * ORBIT_RAD_PER_PX
        return replace(
            self,
            azimuth_rad=math.remainder(self.azimuth_rad + dx_px * ORBIT_RAD_PER_PX, math.tau),
            elevation_rad=min(max(elevation, -_MAX_ELEVATION_RAD), _MAX_ELEVATION_RAD),
        )

    def panned(self, dx_px: float, dy_px: float, focal: float) -> OrbitPose:
        """Slide so that what lies at the pivot's depth stays under the mouse. ``focal`` in pixels."""
        right, down, _ = self.rotation.T
        shift = (right * dx_px + down * dy_px) * (self.distance / focal)
        return replace(self, pivot=self.pivot - shift)

    def zoomed(self, factor: float, from_centre_px: tuple[float, float], focal: float) -> OrbitPose:
        """Scale the distance; the point at the pivot's depth under the mouse stays where it is."""
        distance = min(max(self.distance * factor, _MIN_DISTANCE), _MAX_DISTANCE)
        factor = distance / self.distance
        right, down, _ = self.rotation.T
        x_px, y_px = from_centre_px
        under_mouse = self.pivot + (right * x_px + down * y_px) * (self.distance / focal)
        return replace(self, pivot=under_mouse + (self.pivot - under_mouse) * factor, distance=distance)

    def turned_about(self, point: np.ndarray) -> OrbitPose:
        """Orbit about ``point`` from now on: it moves to the middle of the view at the depth it has."""
        eye = self.world_from_camera[:3, 3]
        depth = float(self.rotation[:, 2] @ (point - eye))
        return replace(self, pivot=np.asarray(point, float), distance=max(depth, _MIN_DISTANCE))

    def towards(self, goal: OrbitPose, fraction: float) -> OrbitPose:
        """A step of ``fraction`` (0 to 1) on the way to ``goal``."""
        turn = math.remainder(goal.azimuth_rad - self.azimuth_rad, math.tau)
        return OrbitPose(
            pivot=self.pivot + (goal.pivot - self.pivot) * fraction,
            distance=self.distance * (goal.distance / self.distance) ** fraction,
            azimuth_rad=self.azimuth_rad + turn * fraction,
            elevation_rad=self.elevation_rad + (goal.elevation_rad - self.elevation_rad) * fraction,
        )


def orbit_from_pose(world_from_camera: np.ndarray, distance: float) -> OrbitPose:
    """The orbit pose that stands and looks like ``world_from_camera``; roll is lost."""
    forward = world_from_camera[:3, 2]
    return OrbitPose(
        pivot=world_from_camera[:3, 3] + forward * distance,
        distance=distance,
        azimuth_rad=math.atan2(forward[0], forward[2]),
        elevation_rad=math.asin(min(max(float(forward[1]), -1.0), 1.0)),
    )


def framing_pose(
    centre: np.ndarray, radius: float, forward: np.ndarray, fov_y_rad: float, aspect: float
) -> OrbitPose:
    """Look at a ball from behind and above, along the ground direction of ``forward`` ((3,), world space)."""
    half_angle = 0.5 * fov_y_rad
    narrow = min(half_angle, math.atan(math.tan(half_angle) * aspect))
    return OrbitPose(
        pivot=np.asarray(centre, float),
        distance=radius / math.sin(narrow),
        azimuth_rad=math.atan2(float(forward[0]), float(forward[2])),
        elevation_rad=math.radians(22.0),
    )
