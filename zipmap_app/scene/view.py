"""The 3D viewport of one session: what the window shows and asks, each answered by the part that knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QWidget

from zipmap_app.scene.adapters import CamerasAdapter, CloudAdapter
from zipmap_app.scene.colors import QUERY_COLOR
from zipmap_app.scene.first_draw import FirstDraw
from zipmap_app.scene.framing import SceneFraming
from zipmap_app.scene.frusta import Frusta, FrustumVisual
from zipmap_app.scene.ghost import GhostHandle
from zipmap_app.scene.grid import AxisGizmo, ClipOutline, GroundGrid
from zipmap_app.scene.growing_points import GrowingPoints
from zipmap_app.scene.look import PointLook
from zipmap_app.scene.marks import FlightPath, Marks, Segment
from zipmap_app.scene.navigation import Navigation, ViewDirection
from zipmap_app.scene.pacing import DrawPacer
from zipmap_app.scene.picking import ScenePicker
from zipmap_app.scene.pointer import Pointer
from zipmap_app.scene.stage import Stage
from zipmap_app.scene.tools import FrustumPointing, PointPicking
from zipmap_app.scene.vertex_store import CHUNK_CAPACITY
from zipmap_app.state.alignment import Alignment
from zipmap_app.state.appearance import Appearance
from zipmap_app.state.session import SessionModel

_GIZMO_MARGIN_PX = 58.0
_SOFTWARE_CHUNK = 62_500  # points; without a GPU a buffer's memory is written when it is made
# Frames of a fast model come by the dozen a second; what follows them (cameras, grid, view) need not.
_REFRESH_GAP_S, _MAX_GAP_S = 0.06, 0.5


class SceneView:
    """Owns the canvas and everything in it. GUI thread only; call ``close`` before the canvas goes.

    ``parent`` is the Qt widget in which the canvas stays: giving a shown canvas another parent would lose its
    GL context. Poses and points that go in and out are in the model's world.
    """

    def __init__(self, session: SessionModel, parent: QWidget) -> None:
        self._session = session
        self._cursor: int | None = None
        self._is_closed = False
        self._refreshed_s = float("-inf")
        self._refresh_timer = QTimer()
        self._refresh_timer.setSingleShot(True)
        self._refresh_timer.timeout.connect(self._refresh)
        self._stage = Stage(parent)
        self._framing = SceneFraming(session, self._stage)
        self._add_visuals()
        self._add_tools()
        self._connect()
        self._cameras = CamerasAdapter(session, self._framing, self._frusta, self._queried_frustum)
        self.reset_view()

    def _add_visuals(self) -> None:
        stage = self._stage
        capacity = _SOFTWARE_CHUNK if stage.is_software else CHUNK_CAPACITY
        self.points = GrowingPoints(capacity, parent=stage.world)
        self.queried_points = GrowingPoints(capacity, parent=stage.world)
        self._clouds = (self.points, self.queried_points)
        self._look = PointLook(self._session, stage, self._framing, *self._clouds)
        self._grid = GroundGrid(stage.ground)
        self._grid.update((0.0, 0.0, 1.5), 2.0, 0.8)
        self._clip_outline = ClipOutline(stage.ground)
        self._frusta = Frusta(stage.world)
        self._queried_frustum = FrustumVisual(stage.world, QUERY_COLOR)
        self._flight = FlightPath(stage.world)
        self._marks = Marks(stage)
        self._gizmo = AxisGizmo(stage.overlay)

    def _add_tools(self) -> None:
        stage = self._stage
        self._first_draw = FirstDraw(stage.canvas)  # VisPy would not keep it
        self._pacer = DrawPacer(stage, self._clouds)
        self._picker = ScenePicker(stage, self._pacer, self._clouds)
        self._navigation = Navigation(stage, self._framing, self.point_under)
        self._picking = PointPicking(self.point_under)
        self._pointing = FrustumPointing(self._frusta, stage)
        self._ghost = GhostHandle(stage.world, stage)
        self._pointer = Pointer(stage.canvas, (self._ghost, self._picking, self._pointing, self._navigation))
        self.frustum_hovered = self._pointing.hovered  # position of a frame, or None
        self.frustum_clicked = self._pointing.clicked
        self.point_picked = self._picking.picked  # (3,)
        self.ghost_dragged = self._ghost.dragged  # (4, 4) world_from_camera
        self.ghost_released = self._ghost.released
        self.fly_changed = self._navigation.fly_changed
        self.follow_camera_changed = self._navigation.follow_camera_changed

    def _connect(self) -> None:
        session, pacer = self._session, self._pacer
        adapters = (
            CloudAdapter(session.cloud, self.points, pacer.note_growth),
            CloudAdapter(session.queried, self.queried_points, pacer.note_growth),
        )
        self._disconnects: list[Callable[[], None]] = [
            *(adapter.close for adapter in adapters),
            self.camera.moved.connect(self._on_camera_moved),
            pacer.rested.connect(self._on_rested),
            session.frame_changed.connect(lambda frame: self._on_frame()),
            session.query_answered.connect(lambda result: pacer.request_draw()),
        ]
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)  # a canvas cannot be made without one
        self._focus_changed = application.focusWindowChanged
        self._focus_changed.connect(self._on_focus_window_changed)

    @property
    def camera(self) -> Any:
        """The OrbitCamera; its pose is in stage space."""
        return self._stage.camera

    @property
    def canvas(self) -> Any:
        return self._stage.canvas

    @property
    def native(self) -> QWidget:
        """The Qt widget that shows the scene."""
        return self._stage.native

    @property
    def renderer(self) -> str:
        """GL_RENDERER of the context, or an empty string before the first draw."""
        return self._pacer.renderer

    def close(self) -> None:
        """Disconnect from the session, stop the timers, free the GPU; harmless twice."""
        if self._is_closed:
            return
        self._is_closed = True
        self._refresh_timer.stop()
        self._navigation.close()
        self._pacer.close()
        self._cameras.close()
        self._focus_changed.disconnect(self._on_focus_window_changed)
        for disconnect in self._disconnects:
            disconnect()
        self._stage.close()

    # Looks

    def set_appearance(self, appearance: Appearance) -> None:
        self._pacer.is_shading_wanted = appearance.is_shaded
        self._look.set_appearance(appearance)
        self._frusta.set_look(appearance.shown_frusta, has_pictures=appearance.has_pictures)
        self._clip_outline.show(appearance.clip_box)
        self._cameras.set_frustum_scale(appearance.frustum_scale)
        self._cameras.refresh()
        self._pacer.request_draw()

    def set_cursor(self, position: int | None) -> None:
        """Stand on a frame of the run; None is the newest."""
        if position != self._cursor:
            self._cursor = position
            self._refresh()

    def set_alignment(self, alignment: Alignment) -> None:
        """Turn the scene upright; poses and points stay in the model's world."""
        self._stage.set_stage_from_world(alignment.stage_from_world)
        self._refresh()

    def set_grid_visible(self, is_visible: bool) -> None:
        self._grid.set_visible(is_visible)
        self._pacer.request_draw()

    def set_path_visible(self, is_visible: bool) -> None:
        self._frusta.set_path_visible(is_visible)
        self._pacer.request_draw()

    # Views

    def view_pose(self) -> np.ndarray:
        """(4, 4) float64 ``world_from_camera`` of the eye, exactly as drawn."""
        return self._stage.view_pose()

    def frame_scene(self) -> None:
        """Show the whole scene from where the view looks now."""
        self._navigation.frame_scene()

    def reset_view(self) -> None:
        """Back to the automatic view, which follows the scene while it grows."""
        self._navigation.reset()

    def set_view(self, direction: ViewDirection) -> None:
        self._navigation.set_view(direction)

    def look_through(
        self, world_from_camera: np.ndarray, intrinsics: np.ndarray, size_hw: tuple[int, int]
    ) -> None:
        """Stand where a camera stands, with its picture filling the view."""
        self._navigation.look_through(world_from_camera, intrinsics, size_hw)

    def set_fly(self, is_on: bool) -> None:
        """Steer with W A S D Q E (Shift: fast), look around with a left drag."""
        self._navigation.set_fly(is_on)

    def fly_key(self, name: str, is_down: bool) -> bool:
        """A key went down or up; True if fly mode took it."""
        return self._navigation.fly_key(name, is_down)

    def set_follow_camera(self, is_on: bool) -> None:
        """Ride behind the current camera until the user moves the view (see ``follow_camera_changed``)."""
        self._navigation.set_follow_camera(is_on)

    # Pointing, marks, ghost, flight

    def point_under(self, x_px: float, y_px: float) -> np.ndarray | None:
        """(3,) the drawn point next to a place in the view (logical pixels), or None over empty space."""
        return self._picker.point_under(x_px, y_px)

    def set_picking(self, is_on: bool) -> None:
        """While on, clicks on the scene emit ``point_picked``."""
        self._picking.is_on = is_on
        self.native.setCursor(Qt.CursorShape.CrossCursor if is_on else Qt.CursorShape.ArrowCursor)

    def show_marks(self, points: np.ndarray, segments: Sequence[Segment] = ()) -> None:
        """Mark (N, 3) points and measured lengths, instead of those before."""
        self._marks.show(points, segments)
        self._pacer.request_draw()

    def show_ghost(
        self, world_from_camera: np.ndarray, intrinsics: np.ndarray, size_hw: tuple[int, int]
    ) -> None:
        """Show the ghost camera with its handles."""
        self._cameras.set_query_shown(False)
        self._ghost.show(world_from_camera, intrinsics, size_hw, self._cameras.frustum_depth)
        self._pacer.request_draw()

    def hide_ghost(self) -> None:
        self._ghost.hide()
        self._cameras.set_query_shown(True)
        self._pacer.request_draw()

    def show_flight(self, world_from_camera: np.ndarray, keys: np.ndarray) -> None:
        """Show (N, 4, 4) samples of a flight and its (K, 4, 4) key views; none of either hides it."""
        self._flight.show(world_from_camera, keys, self._cameras.frustum_depth)
        self._pacer.request_draw()

    def grab(self) -> QImage:
        """The viewport as it is on the screen, in device pixels."""
        return self._pacer.draw_all()

    # Reactions

    def _on_focus_window_changed(self, window: object) -> None:
        self._navigation.release_keys()

    def _on_frame(self) -> None:
        """Follow the frames, at most so often: of a burst the last one counts."""
        wait_s = max(
            self._refreshed_s + _REFRESH_GAP_S - time.monotonic(), min(self._pacer.rest_s, _MAX_GAP_S)
        )
        if wait_s <= 0:
            self._refresh()
        elif not self._refresh_timer.isActive():
            self._refresh_timer.start(round(wait_s * 1000) + 1)

    def _on_rested(self) -> None:
        """One draw shall do for the points and for what follows them."""
        if self._refresh_timer.isActive():
            self._refresh_timer.stop()
            self._refresh()

    def _refresh(self) -> None:
        """Show the cameras, the grid and the view as the run and the cursor are now."""
        history = self._session.history
        n_frames = len(history)
        newest = n_frames - 1
        place = newest if self._cursor is None else min(self._cursor, newest)
        self._framing.current = history[place] if n_frames else None
        extent = self._framing.extent()
        if extent is not None:
            self._grid.update(extent.centre, extent.radius, extent.floor_y)
        self._cameras.refresh()
        self._look.update_scene()
        self._navigation.on_scene_grew(n_frames)
        self._update_overlays()
        self._pacer.request_draw()
        # From the end of this refresh: however slow the machine, the rest of the program gets its turn.
        self._refreshed_s = time.monotonic()

    def _on_camera_moved(self) -> None:
        self._update_overlays()
        self._look.update_view()  # the size of a point follows the height of the view
        self._frusta.update_view(self._stage.eye())
        self._ghost.update_view()
        self._marks.update_view()
        self._pacer.note_motion()

    def _update_overlays(self) -> None:
        height = self.camera.size_px[1]
        self._gizmo.update(self.camera.pose, (_GIZMO_MARGIN_PX, height - _GIZMO_MARGIN_PX))
