"""Which view shows what: the whole scene, a camera's picture, the camera from behind."""

from __future__ import annotations

import math

import numpy as np

from zipmap_app.scene.orbit import OrbitPose, framing_pose
from zipmap_app.scene.stage import Stage
from zipmap_app.state.history import FrameRecord
from zipmap_app.state.sample import SceneExtent
from zipmap_app.state.session import SessionModel

_N_RECENT = 12  # cameras whose mean direction the automatic view looks along
_WHOLE = 1.2  # most points lie within the radius; this shows nearly all of them
_BEHIND, _ABOVE_RAD = 0.55, math.radians(12.0)  # of the scene's radius; how far the follower looks down


class SceneFraming:
    """Computes views from the session; changes nothing. GUI thread only."""

    def __init__(self, session: SessionModel, stage: Stage) -> None:
        self._session = session
        self._stage = stage
        self.current: FrameRecord | None = None  # the frame that the timeline stands on

    def extent(self) -> SceneExtent | None:
        """Of the cloud, in stage space."""
        return self._session.cloud.extent(self._stage.stage_from_world)

    def radius(self) -> float:
        extent = self.extent()
        return extent.radius if extent else 1.0

    def empty(self) -> OrbitPose:
        """What a scene without points is shown from."""
        return OrbitPose(np.array([0.0, 0.2, 1.5]), distance=4.2, azimuth_rad=0.45, elevation_rad=0.38)

    def around_scene(self, forward: np.ndarray) -> OrbitPose | None:
        """The whole scene, seen along ``forward`` ((3,), stage space); None while there is none."""
        extent = self.extent()
        if extent is None:
            return None
        return self._around(np.array(extent.centre), _WHOLE * extent.radius, forward)

    def automatic(self) -> OrbitPose | None:
        """The bulk of the points and the newest camera, seen from behind it; None while there is none."""
        extent = self.extent()
        if extent is None or not len(self._session.path):
            return None
        turn = self._stage.stage_from_world
        poses = self._session.path.world_from_camera[-_N_RECENT:]
        forward = turn @ poses[:, :3, 2].mean(axis=0)
        # One ball around both.
        centre, newest = np.array(extent.centre), turn @ poses[-1, :3, 3]
        gap = float(np.linalg.norm(newest - centre))
        radius = max(extent.radius * 0.9, 0.5 * (extent.radius * 0.9 + gap))
        if gap > 0:
            centre = centre + (newest - centre) * ((radius - extent.radius * 0.9) / gap)
        return self._around(centre, radius, forward)

    def through(
        self, world_from_camera: np.ndarray, intrinsics: np.ndarray, size_hw: tuple[int, int]
    ) -> OrbitPose:
        """The view that a camera's picture fills as far as the shapes allow."""
        width, height = self._stage.camera.size_px
        magnification = min(width / size_hw[1], height / size_hw[0])
        fov_y = 2 * math.atan(0.5 * height / (float(intrinsics[1, 1]) * magnification))
        return self._stage.orbit_from_world(
            world_from_camera, self._looking_distance(world_from_camera), fov_y
        )

    def behind_camera(self) -> OrbitPose | None:
        """From behind and a little above the current camera, level; None without one."""
        if self.current is None:
            return None
        pose = self.current.world_from_camera
        seen = self._stage.orbit_from_world(pose, self._looking_distance(pose)).upright()
        distance = seen.distance + _BEHIND * self.radius()
        return OrbitPose(
            seen.pivot, distance, seen.azimuth_rad, min(seen.elevation_rad + _ABOVE_RAD, math.radians(80))
        )

    def first_camera(self) -> tuple[np.ndarray, np.ndarray, tuple[int, int]] | None:
        """world_from_camera, intrinsics and size of the first frame."""
        if not len(self._session.history):
            return None
        first = self._session.history[0]
        return first.world_from_camera, first.intrinsics, first.size_hw

    def _looking_distance(self, world_from_camera: np.ndarray) -> float:
        """How far ahead of a camera to turn about: where the middle of the scene is, at least some way off."""
        extent = self.extent()
        if extent is None:
            return 1.0
        centre = self._stage.stage_from_world.T @ np.array(extent.centre)
        ahead = float(world_from_camera[:3, 2] @ (centre - world_from_camera[:3, 3]))
        return max(ahead, 0.4 * extent.radius)

    def _around(self, centre: np.ndarray, radius: float, forward: np.ndarray) -> OrbitPose:
        width, height = self._stage.camera.size_px
        fov_y = OrbitPose(centre).fov_y_rad
        return framing_pose(centre, radius, forward, fov_y, width / height)
