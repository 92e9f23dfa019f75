"""The 3D viewport: canvas, camera and visuals of one session."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from vispy import app, gloo, scene
from vispy.visuals.transforms import MatrixTransform

from zipmap_app.scene.adapters import CamerasAdapter, CloudAdapter
from zipmap_app.scene.camera_path import CURRENT_COLOR, QUERY_COLOR, CameraPathVisual, FrustumVisual
from zipmap_app.scene.cameras import OrbitCamera
from zipmap_app.scene.coordinates import gl_world_from_world
from zipmap_app.scene.detail import DetailController
from zipmap_app.scene.grid import AxisGizmo, GroundGrid
from zipmap_app.scene.growing_points import GrowingPoints
from zipmap_app.scene.orbit import OrbitPose, framing_pose
from zipmap_app.scene.picking import pick_point
from zipmap_app.scene.point_style import PointStyle
from zipmap_app.scene.viewfinder import Viewfinder, viewfinder_rectangle
from zipmap_app.state.appearance import Appearance
from zipmap_app.state.session import SessionModel

logger = logging.getLogger(__name__)

BACKGROUND = "#15181c"
_STILL_AFTER_S = 0.2
# Between two frames of a slow model nothing moves either, but drawing every point each time would take from the
# model the cores it computes on (with software GL).
_STILL_AFTER_GROWTH_S = 1.5
_FOLLOW_FRACTION = 0.12  # of the way to the framing pose, per frame
_FRUSTUM_PER_RADIUS = 0.10


class SceneView:
    """Owns the canvas and everything in it. GUI thread only; call ``close`` before the canvas goes.

    ``parent`` is the Qt widget in which the canvas stays: giving a shown canvas another parent would lose its
    GL context. ``native`` is the canvas as a Qt widget.
    """

    def __init__(self, session: SessionModel, parent: object) -> None:
        self._session = session
        self._appearance = Appearance()
        self._min_confidence = float("-inf")
        self._detail = DetailController()
        self._is_renderer_known = False
        self._follows_scene = True
        self._is_viewfinder_on = False
        self._is_closed = False
        self._still_from_s = 0.0
        self._drawn_from_s = 0.0
        self.canvas = scene.SceneCanvas(
            app="pyside6", parent=parent, keys=None, bgcolor=BACKGROUND, size=(960, 600)
        )
        self.canvas.events.ignore_callback_errors = False
        self._view = self.canvas.central_widget.add_view()
        self.camera = OrbitCamera()
        self._view.camera = self.camera
        self._still_timer = app.Timer(
            interval=_STILL_AFTER_S, iterations=1, connect=self._on_still, app=self.canvas.app
        )
        self._add_visuals()
        self._connect()
        self.reset_view()

    def _add_visuals(self) -> None:
        # Content is in OpenCV axes; this node stands it upright.
        self._world = scene.Node(parent=self._view.scene)
        self._world.transform = MatrixTransform(gl_world_from_world().T)
        self.points = GrowingPoints(parent=self._world)
        self._grid = GroundGrid(self._world)
        self._grid.update((0.0, 0.0, 1.5), 2.0, 0.8)
        self._path = CameraPathVisual(self._world)
        self._current = FrustumVisual(self._world, CURRENT_COLOR)
        self._queried = FrustumVisual(self._world, QUERY_COLOR)
        self._gizmo = AxisGizmo(self.canvas.scene)
        self._viewfinder = Viewfinder(self.canvas.scene)

    def _connect(self) -> None:
        self._adapters = (
            CloudAdapter(self._session.cloud, self.points, self._on_cloud_changed),
            CamerasAdapter(self._session, self._path, self._current, self._queried, self._frustum_depth),
        )
        self._disconnects: list[Callable[[], None]] = [
            self.camera.moved.connect(self._on_camera_moved),
            self.camera.touched.connect(self._on_camera_touched),
            self._session.frame_changed.connect(lambda frame: self._on_frame_changed()),
        ]
        # First and last in the draw event: the time between them is the frame's.
        self.canvas.events.draw.connect(self._on_draw_starts, position="first")
        self.canvas.events.draw.connect(self._on_draw_ended, position="last")
        self.canvas.events.mouse_double_click.connect(self._on_double_click)

    @property
    def native(self) -> Any:
        return self.canvas.native

    @property
    def renderer(self) -> str:
        """GL_RENDERER of the context, or an empty string before the first draw."""
        return self._renderer if self._is_renderer_known else ""

    def close(self) -> None:
        """Disconnect from the session and stop the timer; harmless twice."""
        if self._is_closed:
            return
        self._is_closed = True
        self._still_timer.stop()
        for adapter in self._adapters:
            adapter.close()
        for disconnect in self._disconnects:
            disconnect()
        self.canvas.set_current()
        self.points.release()
        self.canvas.close()

    # What the window asks for

    def view_pose(self) -> np.ndarray:
        """(4, 4) float64 ``world_from_camera`` of the eye, exactly as drawn."""
        return self.camera.pose.world_from_camera

    def set_appearance(self, appearance: Appearance) -> None:
        self._appearance = appearance
        self._update_threshold()
        self._apply_appearance()

    def set_grid_visible(self, is_visible: bool) -> None:
        self._grid.set_visible(is_visible)
        self.canvas.update()

    def set_path_visible(self, is_visible: bool) -> None:
        self._path.set_enabled(is_visible)
        self.canvas.update()

    def set_viewfinder_visible(self, is_visible: bool) -> None:
        """Mark what a query from here would see."""
        self._is_viewfinder_on = is_visible
        self._update_overlays()
        self.canvas.update()

    def frame_scene(self) -> None:
        """Show the whole scene from where the view looks now."""
        extent = self._session.cloud.extent()
        if extent is None:
            self.reset_view()
            return
        width, height = self.camera.size_px
        goal = framing_pose(
            np.array(extent.centre),
            extent.radius,
            self.camera.pose.rotation[:, 2],
            self.camera.fov_y_rad,
            width / height,
        )
        self._follows_scene = False
        self.camera.pose = OrbitPose(
            goal.pivot, goal.distance, self.camera.pose.azimuth_rad, self.camera.pose.elevation_rad
        )

    def reset_view(self) -> None:
        """Back to the automatic view, which follows the scene while it grows."""
        self._follows_scene = True
        goal = self._automatic_pose()
        self.camera.pose = goal or OrbitPose(
            pivot=np.array([0.0, 0.2, 1.5]), distance=4.2, azimuth_rad=0.45, elevation_rad=0.38
        )

    def grab(self) -> Any:
        """The viewport as a QImage, as it is on the screen, in device pixels."""
        self.canvas.native.makeCurrent()
        return self.canvas.native.grabFramebuffer()

    # Reactions

    def _on_cloud_changed(self) -> None:
        self._note_motion(_STILL_AFTER_GROWTH_S)

    def _on_frame_changed(self) -> None:
        extent = self._session.cloud.extent()
        if extent is not None:
            self._grid.update(extent.centre, extent.radius, extent.floor_y)
        goal = self._automatic_pose()
        if self._follows_scene and goal is not None:
            # The first frames jump into place; later ones drift, so that the view never lurches.
            fraction = 1.0 if len(self._session.path) <= 2 else _FOLLOW_FRACTION
            self.camera.pose = self.camera.pose.towards(goal, fraction)
        self._update_threshold()
        self._apply_appearance()

    def _on_camera_moved(self) -> None:
        self._update_overlays()
        self._apply_appearance()  # the size of a point follows the height of the view
        self._note_motion()

    def _on_camera_touched(self) -> None:
        self._follows_scene = False

    def _on_double_click(self, event: Any) -> None:
        cloud = self._session.cloud
        point = pick_point(
            cloud.blocks(),
            cloud.n_points,
            self.camera.clip_from_world(),
            self.camera.size_px,
            (float(event.pos[0]), float(event.pos[1])),
            min_confidence=self._min_confidence,
        )
        if point is not None:
            self._follows_scene = False
            self.camera.pose = self.camera.pose.turned_about(point)

    def _note_motion(self, still_after_s: float = _STILL_AFTER_S) -> None:
        """Draw a sample of the points until nothing has moved for a while."""
        now_s = time.monotonic()
        self._still_from_s = max(self._still_from_s, now_s + still_after_s)
        if not self._is_closed:
            self._still_timer.stop()
            self._still_timer.start(self._still_from_s - now_s)
        self.canvas.update()

    def _on_still(self, event: Any) -> None:
        self._still_from_s = 0.0
        self.canvas.update()

    def _on_draw_starts(self, event: Any) -> None:
        if not self._is_renderer_known:
            self._renderer = str(gloo.gl.glGetParameter(gloo.gl.GL_RENDERER))
            self._is_renderer_known = True
            self._detail.set_renderer(self._renderer)
            logger.debug("OpenGL renderer: %s", self._renderer)
        is_moving = time.monotonic() < self._still_from_s
        self.points.stride = self._detail.stride(self.points.n_points, is_moving=is_moving)
        is_shaded = self._appearance.is_shaded and self._detail.allows_shading(is_moving=is_moving)
        self.points.set_capture(self.camera.near_far if is_shaded else None)
        self._drawn_from_s = time.perf_counter()

    def _on_draw_ended(self, event: Any) -> None:
        gloo.gl.glFinish()
        elapsed_ms = (time.perf_counter() - self._drawn_from_s) * 1e3
        self._detail.add_measurement(elapsed_ms, self.points.n_points // self.points.stride)
        self.points.prepare_spare()
        if self.points.store.n_waiting:
            self.canvas.update()

    # Derived values

    def _automatic_pose(self) -> OrbitPose | None:
        extent = self._session.cloud.extent()
        if extent is None or not len(self._session.path):
            return None
        poses = self._session.path.world_from_camera
        width, height = self.camera.size_px
        forward = poses[-12:, :3, 2].mean(axis=0)
        # The bulk of the points and the newest camera, in one ball.
        centre, newest = np.array(extent.centre), poses[-1, :3, 3]
        gap = float(np.linalg.norm(newest - centre))
        radius = max(extent.radius * 0.9, 0.5 * (extent.radius * 0.9 + gap))
        if gap > 0:
            centre = centre + (newest - centre) * ((radius - extent.radius * 0.9) / gap)
        return framing_pose(centre, radius, forward, self.camera.fov_y_rad, width / height)

    def _frustum_depth(self) -> float:
        extent = self._session.cloud.extent()
        return _FRUSTUM_PER_RADIUS * (extent.radius if extent else 1.0)

    def _update_threshold(self) -> None:
        cloud = self._session.cloud
        self._min_confidence = cloud.confidence_quantile(self._appearance.hidden_fraction)

    def _apply_appearance(self) -> None:
        look = self._appearance
        # Where neighbouring points of a frame lie two pixels apart, a size of 2 px just closes the gaps; sizes
        # that follow the distance keep them closed everywhere.
        reference_depth = 0.5 * self._point_spacing() * self.camera.view_focal_px
        style = PointStyle(
            size_px=look.size_px,
            reference_depth=reference_depth if look.is_attenuated else 0.0,
            min_confidence=self._min_confidence,
        )
        self.points.set_style(style)

    def _point_spacing(self) -> float:
        """Typical distance between neighbouring points of the newest frame, scene units; 0 without one."""
        frame = self._session.current_frame
        if frame is None or not len(frame.points):
            return 0.0
        in_camera = frame.points["position"][::16] - frame.world_from_camera[:3, 3]
        depth = float(np.median(in_camera @ frame.world_from_camera[:3, 2]))
        n_pixels_per_point = frame.depth.size / len(frame.points)
        spacing: float = depth / float(frame.intrinsics[0, 0]) * n_pixels_per_point**0.5
        return spacing

    def _update_overlays(self) -> None:
        width, height = self.camera.size_px
        self._gizmo.update(self.camera.pose, (58.0, height - 58.0))
        frame = self._session.current_frame
        if self._is_viewfinder_on and frame is not None:
            size_hw = (frame.rgb.shape[0], frame.rgb.shape[1])
            focal = self.camera.view_focal_px
            self._viewfinder.show(viewfinder_rectangle(frame.intrinsics, size_hw, (width, height), focal))
        else:
            self._viewfinder.hide()
