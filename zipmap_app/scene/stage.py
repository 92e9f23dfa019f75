"""Canvas, camera and the spaces: model's world -> stage (turned upright) -> eye -> pixels of the view.

Everything above the stage speaks OpenCV axes; the flip to OpenGL is the stage node's transform.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from vispy import scene
from vispy.visuals.transforms import MatrixTransform

from zipmap_app.scene.cameras import OrbitCamera
from zipmap_app.scene.coordinates import gl_world_from_world
from zipmap_app.scene.detail import is_software
from zipmap_app.scene.orbit import OrbitPose, orbit_from_pose, turned_pose
from zipmap_app.scene.release import release_all
from zipmap_app.scene.surface import PictureSurface, StageCanvas, default_renderer

BACKGROUND = "#15181c"


@dataclass(frozen=True, slots=True, eq=False)
class Ray:
    """A viewing ray in the model's world."""

    origin: np.ndarray  # (3,)
    direction: np.ndarray  # (3,), unit length


class Stage:
    """What visuals hang on and what tools measure with. GUI thread only.

    ``world`` is the node for content in the model's world, ``ground`` for content in stage space, ``overlay`` for
    content in pixels of the view. ``parent`` is the Qt widget in which the canvas stays: giving a shown canvas
    another parent would lose its GL context.
    """

    def __init__(self, parent: QWidget) -> None:
        self.is_software = is_software(default_renderer())
        self.canvas = StageCanvas(
            app="pyside6",
            parent=None if self.is_software else parent,
            keys=None,
            bgcolor=BACKGROUND,
            size=(960, 600),
            autoswap=False,  # Qt shows the picture; another swap would only wait
        )
        self._picture = PictureSurface(self.canvas, parent) if self.is_software else None
        self.canvas.events.ignore_callback_errors = False
        self._view = self.canvas.central_widget.add_view()
        self.camera = OrbitCamera()
        self._view.camera = self.camera
        self.ground = scene.Node(parent=self._view.scene)
        self.ground.transform = MatrixTransform(gl_world_from_world().T)
        self.world = scene.Node(parent=self.ground)
        self.world.transform = MatrixTransform()
        self._stage_from_world = np.eye(3)

    @property
    def overlay(self) -> scene.Node:
        return self.canvas.scene

    @property
    def native(self) -> QWidget:
        """The Qt widget that shows the canvas."""
        widget: QWidget = self._picture or self.canvas.native
        return widget

    def draw_now(self) -> QImage:
        """Draw at once, also in a hidden window; returns the picture in device pixels."""
        if self._picture is not None:
            return self._picture.draw_now()
        self.canvas.native.makeCurrent()
        picture: QImage = self.canvas.native.grabFramebuffer()
        return picture

    def close(self) -> None:
        """Free the GPU; nothing is drawn any more."""
        if self._picture is not None:
            self._picture.stop()
        release_all(self.canvas)
        self.canvas.close()
        if self._picture is not None:
            self._picture.delete_canvas_widget()

    @property
    def stage_from_world(self) -> np.ndarray:
        """(3, 3) rotation."""
        return self._stage_from_world

    def set_stage_from_world(self, rotation: np.ndarray) -> None:
        """Turn the content by (3, 3) and look at it from the same side as before, upright."""
        turn = rotation @ self._stage_from_world.T
        self._stage_from_world = np.array(rotation, float)
        self.world.transform.matrix = self._stage_from_world_4x4().T
        self.camera.pose = turned_pose(self.camera.pose, turn)

    def view_pose(self) -> np.ndarray:
        """(4, 4) float64 ``world_from_camera`` of the eye in the model's world, exactly as drawn."""
        pose: np.ndarray = self._stage_from_world_4x4().T @ self.camera.pose.stage_from_camera
        return pose

    def orbit_from_world(
        self, world_from_camera: np.ndarray, distance: float, fov_y_rad: float | None = None
    ) -> OrbitPose:
        """The view from a camera of the model's world."""
        stage_from_camera = self._stage_from_world_4x4() @ world_from_camera
        return orbit_from_pose(stage_from_camera, distance, fov_y_rad or self.camera.fov_y_rad)

    def eye(self) -> np.ndarray:
        """(3,) where the view looks from, model's world."""
        eye: np.ndarray = self.view_pose()[:3, 3]
        return eye

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 2) pixels of the view (y down) and (N,) depths of (N, 3) points of the model's world.

        Where the depth is not positive the pixels mean nothing.
        """
        rotation, eye = self.view_pose()[:3, :3], self.eye()
        in_camera = (np.asarray(points, float) - eye) @ rotation
        depth = in_camera[:, 2]
        width, height = self.camera.size_px
        safe = np.where(depth > 0, depth, 1.0)[:, None]
        pixels = in_camera[:, :2] / safe * self.camera.view_focal_px + np.array([width, height]) / 2
        return pixels, depth

    def ray(self, x_px: float, y_px: float) -> Ray:
        """The ray through a place in the view (logical pixels from its top left)."""
        width, height = self.camera.size_px
        focal = self.camera.view_focal_px
        in_camera = np.array([(x_px - width / 2) / focal, (y_px - height / 2) / focal, 1.0])
        direction = self.view_pose()[:3, :3] @ in_camera
        return Ray(self.eye(), direction / np.linalg.norm(direction))

    def _stage_from_world_4x4(self) -> np.ndarray:
        matrix = np.eye(4)
        matrix[:3, :3] = self._stage_from_world
        return matrix
