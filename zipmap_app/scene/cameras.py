"""The camera of the viewport: it shows exactly the pose it is given, and moves by nothing else.

VisPy's own cameras cannot hold an exact pose, hence this small one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from vispy.scene.cameras import BaseCamera
from vispy.visuals.transforms import MatrixTransform

from zipmap_app.scene.coordinates import flipped_axes, focal_px
from zipmap_app.scene.orbit import OrbitPose
from zipmap_app.state.event import Event

# Ratio of far to near plane: what a 24-bit depth buffer resolves to better than a thousandth of the depth.
_NEAR_PER_DISTANCE, _FAR_PER_DISTANCE = 0.01, 300.0


class OrbitCamera(BaseCamera):  # type: ignore[misc]
    """Shows the scene from an OrbitPose. GUI thread only.

    ``moved`` fires on every change of the view.
    """

    def __init__(self) -> None:
        self.moved: Event[[]] = Event()
        self._pose = OrbitPose(pivot=np.array([0.0, 0.0, 1.5]), distance=3.5)
        super().__init__()
        self.transform = MatrixTransform()

    @property
    def pose(self) -> OrbitPose:
        return self._pose

    @pose.setter
    def pose(self, pose: OrbitPose) -> None:
        self._pose = pose
        self.view_changed()
        self.moved.emit()

    @property
    def fov_y_rad(self) -> float:
        return self._pose.fov_y_rad

    @property
    def size_px(self) -> tuple[float, float]:
        """Width and height of the view in logical pixels; never zero."""
        if self._viewbox is None:
            return 1.0, 1.0
        width, height = self._viewbox.size
        return max(float(width), 1.0), max(float(height), 1.0)

    @property
    def view_focal_px(self) -> float:
        return focal_px(self.fov_y_rad, self.size_px[1])

    @property
    def near_far(self) -> tuple[float, float]:
        """Depths of the clip planes, scene units."""
        return self._pose.distance * _NEAR_PER_DISTANCE, self._pose.distance * _FAR_PER_DISTANCE

    def clip_from_stage(self) -> np.ndarray:
        """(4, 4) matrix from stage space (OpenCV axes) to clip space, column convention."""
        eye_from_stage = np.linalg.inv(self._pose.stage_from_camera)
        gl_eye_from_eye = np.diag([1.0, -1.0, -1.0, 1.0])
        matrix: np.ndarray = self._projection.matrix.T @ gl_eye_from_eye @ eye_from_stage
        return matrix

    def view_changed(self) -> None:
        # The base class would ask every visual for its bounds first, which a growing cloud cannot answer.
        if self._viewbox is not None and not self._resetting:
            self._update_transform()

    def viewbox_resize_event(self, event: Any) -> None:
        self.view_changed()
        self.moved.emit()

    def viewbox_key_event(self, event: Any) -> None:
        """Keys belong to the window's actions and to fly mode."""

    def viewbox_mouse_event(self, event: Any) -> None:
        """The mouse belongs to the tools (see ``pointer``)."""

    def _update_transform(self, event: Any = None) -> None:
        width, height = self.size_px
        self.transform.matrix = flipped_axes(self._pose.stage_from_camera).T  # VisPy multiplies rows
        self._projection.set_perspective(math.degrees(self._pose.fov_y_rad), width / height, *self.near_far)
        self._viewbox_tr.set_mapping([[-1, 1], [1, -1]], [[0, 0], self._viewbox.size])
        nodes = self._viewbox.scene.node_path_to_child(self)[1:]
        gl_eye_from_gl_world = self._transform_cache.get([node.transform for node in nodes]).inverse
        full = self._transform_cache.get([self._viewbox_tr, self._projection, gl_eye_from_gl_world])
        self._transform_cache.roll()
        self._set_scene_transform(full)
