"""The orbit camera of the viewport: left drag orbits, right or middle pans, the wheel zooms to the mouse.

VisPy's own turntable zooms on right drag and cannot hold an exact pose, hence this small one.
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

_LEFT, _RIGHT, _MIDDLE = 1, 2, 3
_ZOOM_PER_NOTCH = 1.15
# Ratio of far to near plane: what a 24-bit depth buffer resolves to better than a thousandth of the depth.
_NEAR_PER_DISTANCE, _FAR_PER_DISTANCE = 0.01, 300.0


class OrbitCamera(BaseCamera):  # type: ignore[misc]
    """Shows the scene from an OrbitPose. GUI thread only.

    ``moved`` fires on every change of the view, ``touched`` only when the user caused it.
    """

    def __init__(self, fov_y_deg: float = 50.0) -> None:
        self.moved: Event[[]] = Event()
        self.touched: Event[[]] = Event()
        self._pose = OrbitPose(pivot=np.array([0.0, 0.0, 1.5]), distance=3.5)
        self._last_mouse_px: np.ndarray | None = None
        super().__init__()
        self._fov = fov_y_deg
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
        return math.radians(self._fov)

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

    def clip_from_world(self) -> np.ndarray:
        """(4, 4) matrix from OpenCV world axes to clip space, column convention."""
        eye_from_world = np.linalg.inv(self._pose.world_from_camera)
        gl_eye_from_eye = np.diag([1.0, -1.0, -1.0, 1.0])
        matrix: np.ndarray = self._projection.matrix.T @ gl_eye_from_eye @ eye_from_world
        return matrix

    def view_changed(self) -> None:
        # The base class would ask every visual for its bounds first, which a growing cloud cannot answer.
        if self._viewbox is not None and not self._resetting:
            self._update_transform()

    def viewbox_resize_event(self, event: Any) -> None:
        self.view_changed()
        self.moved.emit()

    def viewbox_key_event(self, event: Any) -> None:
        """Keys belong to the window's actions."""

    def viewbox_mouse_event(self, event: Any) -> None:
        if event.handled or not self.interactive:
            return
        if event.type == "mouse_press":
            self._last_mouse_px = np.array(event.pos[:2], float)
            event.handled = True  # otherwise VisPy sends no moves
        elif event.type == "mouse_release":
            self._last_mouse_px = None
        elif event.type == "mouse_move" and self._last_mouse_px is not None:
            self._on_drag(event)
        elif event.type == "mouse_wheel":
            self._on_wheel(event)

    def _on_drag(self, event: Any) -> None:
        position = np.array(event.pos[:2], float)
        dx_px, dy_px = position - self._last_mouse_px
        self._last_mouse_px = position
        if _LEFT in event.buttons:
            self.pose = self._pose.orbited(dx_px, dy_px)
        elif _RIGHT in event.buttons or _MIDDLE in event.buttons:
            self.pose = self._pose.panned(dx_px, dy_px, self.view_focal_px)
        else:
            return
        self.touched.emit()

    def _on_wheel(self, event: Any) -> None:
        width, height = self.size_px
        from_centre = (float(event.pos[0]) - width / 2, float(event.pos[1]) - height / 2)
        factor = _ZOOM_PER_NOTCH ** -float(event.delta[1])
        self.pose = self._pose.zoomed(factor, from_centre, self.view_focal_px)
        event.handled = True
        self.touched.emit()

    def _update_transform(self, event: Any = None) -> None:
        width, height = self.size_px
        self.transform.matrix = flipped_axes(self._pose.world_from_camera).T  # VisPy multiplies rows
        self._projection.set_perspective(self._fov, width / height, *self.near_far)
        self._viewbox_tr.set_mapping([[-1, 1], [1, -1]], [[0, 0], self._viewbox.size])
        nodes = self._viewbox.scene.node_path_to_child(self)[1:]
        gl_eye_from_gl_world = self._transform_cache.get([node.transform for node in nodes]).inverse
        full = self._transform_cache.get([self._viewbox_tr, self._projection, gl_eye_from_gl_world])
        self._transform_cache.roll()
        self._set_scene_transform(full)
