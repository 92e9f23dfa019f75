"""The arithmetic of orbiting: where the view camera stands, without any drawing.

Everything is in stage space and OpenCV axes: up on the screen is -y.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

ORBIT_RAD_PER_PX = 0.006
LOOK_RAD_PER_PX = 0.004
DEFAULT_FOV_Y_RAD = math.radians(50.0)
_ROLL_KEPT = 0.8  # per drag event: turning a tilted view brings it upright without a jump
_MAX_ELEVATION_RAD = math.radians(89.0)
_MIN_DISTANCE, _MAX_DISTANCE = 1e-4, 1e5


@dataclass(frozen=True, slots=True, eq=False)
class OrbitPose:
    """A camera that looks at a pivot from a distance. Roll is only there to look through a tilted camera."""

    pivot: np.ndarray  # (3,) float64, stage space
    distance: float = 3.0  # from the eye to the pivot
    azimuth_rad: float = 0.0  # 0 looks along +z; positive looks to the right
    elevation_rad: float = 0.0  # positive looks down
    roll_rad: float = 0.0  # about the viewing direction
    fov_y_rad: float = DEFAULT_FOV_Y_RAD

    def __post_init__(self) -> None:
        if self.pivot.shape != (3,):
            raise ValueError(f"pivot: want (3,), got {self.pivot.shape}")

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) stage_from_camera rotation; its columns are right, down and forward."""
        sin_a, cos_a = math.sin(self.azimuth_rad), math.cos(self.azimuth_rad)
        sin_e, cos_e = math.sin(self.elevation_rad), math.cos(self.elevation_rad)
        level = np.array([cos_a, 0.0, -sin_a])
        steep = np.array([-sin_e * sin_a, cos_e, -sin_e * cos_a])
        sin_r, cos_r = math.sin(self.roll_rad), math.cos(self.roll_rad)
        forward = (cos_e * sin_a, sin_e, cos_e * cos_a)
        return np.array([cos_r * level + sin_r * steep, cos_r * steep - sin_r * level, forward]).T

    @property
    def stage_from_camera(self) -> np.ndarray:
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
            roll_rad=self.roll_rad * _ROLL_KEPT,
        )

    def looked(self, dx_px: float, dy_px: float) -> OrbitPose:
        """Turn the head where the eye stands: dragging right looks to the right."""
        eye = self.stage_from_camera[:3, 3]
        elevation = self.elevation_rad + dy_px * LOOK_RAD_PER_PX
        turned = replace(
            self,
            azimuth_rad=math.remainder(self.azimuth_rad + dx_px * LOOK_RAD_PER_PX, math.tau),
            elevation_rad=min(max(elevation, -_MAX_ELEVATION_RAD), _MAX_ELEVATION_RAD),
            roll_rad=self.roll_rad * _ROLL_KEPT,
        )
        return replace(turned, pivot=eye + turned.rotation[:, 2] * self.distance)

    def flown(self, steps: np.ndarray) -> OrbitPose:
        """Move the eye by (3,) steps to its right, to the ground's down and forward, scene units."""
        right, _, forward = self.rotation.T
        down = np.array([0.0, 1.0, 0.0])
        return replace(self, pivot=self.pivot + steps[0] * right + steps[1] * down + steps[2] * forward)

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
        eye = self.stage_from_camera[:3, 3]
        depth = float(self.rotation[:, 2] @ (point - eye))
        return replace(self, pivot=np.asarray(point, float), distance=max(depth, _MIN_DISTANCE))

    def towards(self, goal: OrbitPose, fraction: float) -> OrbitPose:
        """A step of ``fraction`` (0 to 1) on the way to ``goal``."""
        turn = math.remainder(goal.azimuth_rad - self.azimuth_rad, math.tau)
        tilt = math.remainder(goal.roll_rad - self.roll_rad, math.tau)
        return OrbitPose(
            pivot=self.pivot + (goal.pivot - self.pivot) * fraction,
            distance=self.distance * (goal.distance / self.distance) ** fraction,
            azimuth_rad=self.azimuth_rad + turn * fraction,
            elevation_rad=self.elevation_rad + (goal.elevation_rad - self.elevation_rad) * fraction,
            roll_rad=self.roll_rad + tilt * fraction,
            fov_y_rad=self.fov_y_rad + (goal.fov_y_rad - self.fov_y_rad) * fraction,
        )

    def upright(self) -> OrbitPose:
        """The same view with its horizon level."""
        return replace(self, roll_rad=0.0)


def orbit_from_pose(
    stage_from_camera: np.ndarray, distance: float, fov_y_rad: float = DEFAULT_FOV_Y_RAD
) -> OrbitPose:
    """The orbit pose that stands and looks exactly like ``stage_from_camera`` (4, 4), roll included."""
    right, forward = stage_from_camera[:3, 0], stage_from_camera[:3, 2]
    level = OrbitPose(
        pivot=stage_from_camera[:3, 3] + forward * distance,
        distance=distance,
        azimuth_rad=math.atan2(forward[0], forward[2]),
        elevation_rad=math.asin(min(max(float(forward[1]), -1.0), 1.0)),
        fov_y_rad=fov_y_rad,
    )
    level_right, level_down, _ = level.rotation.T
    return replace(level, roll_rad=math.atan2(float(right @ level_down), float(right @ level_right)))


def turned_pose(pose: OrbitPose, rotation: np.ndarray) -> OrbitPose:
    """The upright view of the same place from the same side after the stage was turned by (3, 3)."""
    turned = np.eye(4)
    turned[:3, :3] = rotation @ pose.rotation
    turned[:3, 3] = rotation @ pose.stage_from_camera[:3, 3]
    return orbit_from_pose(turned, pose.distance, pose.fov_y_rad).upright()


def framing_pose(
    centre: np.ndarray, radius: float, forward: np.ndarray, fov_y_rad: float, aspect: float
) -> OrbitPose:
    """Look at a ball from behind and above, along the ground direction of ``forward`` ((3,), stage space)."""
    half_angle = 0.5 * fov_y_rad
    narrow = min(half_angle, math.atan(math.tan(half_angle) * aspect))
    return OrbitPose(
        pivot=np.asarray(centre, float),
        distance=radius / math.sin(narrow),
        azimuth_rad=math.atan2(float(forward[0]), float(forward[2])),
        elevation_rad=math.radians(22.0),
    )
