"""Getting around: mouse and keys, preset views, looking through cameras and following them.

One timer drives everything that moves by itself, and runs only while something does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any

import numpy as np
from vispy import app

from zipmap_app.scene.framing import SceneFraming
from zipmap_app.scene.motion import FlyKeys, Glide
from zipmap_app.scene.orbit import DEFAULT_FOV_Y_RAD, OrbitPose
from zipmap_app.scene.pointer import Button, Mouse, PassiveTool
from zipmap_app.scene.stage import Stage
from zipmap_app.state.event import Event

_TICK_S = 0.016
_ZOOM_PER_NOTCH = 1.15
_FLY_ZOOM_STEP = 0.08  # of the distance to the pivot, per notch of the wheel
_FOLLOW_FRACTION = 0.12  # of the way to the framing pose, per frame
_FOLLOW_CAMERA_PER_S = 5.0  # how fast the view catches up with the camera it follows


class ViewDirection(Enum):
    """Preset views, named by where the viewer looks from."""

    FRONT = "front"
    RIGHT = "right"
    TOP = "top"
    FIRST_CAMERA = "first camera"


_ANGLES_RAD = {
    ViewDirection.FRONT: (0.0, 0.0),
    ViewDirection.RIGHT: (-math.pi / 2, 0.0),
    ViewDirection.TOP: (0.0, math.radians(89.0)),
}


class Navigation(PassiveTool):
    """Owns where the view is. GUI thread only; ``close`` stops the timer.

    ``pick`` gives the point of the scene under a place in the view, model's world.
    """

    def __init__(
        self, stage: Stage, framing: SceneFraming, pick: Callable[[float, float], np.ndarray | None]
    ) -> None:
        self.fly_changed: Event[[bool]] = Event()
        self.follow_camera_changed: Event[[bool]] = Event()
        self._stage = stage
        self._framing = framing
        self._pick = pick
        self._follows_scene = True
        self._follows_camera = False
        self._is_flying = False
        self._keys = FlyKeys()
        self._glide: Glide | None = None
        self._last_tick_s = 0.0
        self._timer = app.Timer(interval=_TICK_S, connect=self._on_tick, app=stage.canvas.app)
        stage.canvas.events.key_press.connect(self._on_key_press)
        stage.canvas.events.key_release.connect(self._on_key_release)

    def close(self) -> None:
        self._timer.stop()

    @property
    def is_flying(self) -> bool:
        return self._is_flying

    @property
    def follows_camera(self) -> bool:
        return self._follows_camera

    @property
    def is_moving(self) -> bool:
        """Whether the view moves by itself now."""
        return bool(self._timer.running)

    # Views

    def frame_scene(self) -> None:
        """Show the whole scene from where the view looks now."""
        goal = self._framing.around_scene(self._stage.camera.pose.rotation[:, 2])
        if goal is None:
            self.reset()
            return
        pose = self._stage.camera.pose
        self._take_over()
        self.glide_to(replace(goal, azimuth_rad=pose.azimuth_rad, elevation_rad=pose.elevation_rad))

    def reset(self) -> None:
        """Back to the automatic view, which follows the scene while it grows."""
        self.set_follow_camera(False)
        self._follows_scene = True
        goal = self._framing.automatic()
        if goal is None:
            self._jump_to(self._framing.empty())
        else:
            self.glide_to(goal)

    def set_view(self, direction: ViewDirection) -> None:
        """A preset view of the whole scene."""
        if direction is ViewDirection.FIRST_CAMERA:
            camera = self._framing.first_camera()
            if camera is not None:
                self.look_through(*camera)
            return
        azimuth, elevation = _ANGLES_RAD[direction]
        goal = self._framing.around_scene(np.array([0.0, 0.0, 1.0])) or self._framing.empty()
        self._take_over()
        self.glide_to(replace(goal, azimuth_rad=azimuth, elevation_rad=elevation))

    def look_through(
        self, world_from_camera: np.ndarray, intrinsics: np.ndarray, size_hw: tuple[int, int]
    ) -> None:
        """Stand where a camera stands, (4, 4) model's world, with its picture filling the view."""
        goal = self._framing.through(world_from_camera, intrinsics, size_hw)
        self._take_over()
        self.glide_to(goal)

    def glide_to(self, goal: OrbitPose) -> None:
        """Move to a pose in a moment; the next input of the user ends that."""
        self._glide = Glide(self._stage.camera.pose, goal, time.perf_counter())
        self._run()

    # Modes

    def set_fly(self, is_on: bool) -> None:
        """Steer with W A S D Q E and look around with a left drag, instead of orbiting."""
        if is_on == self._is_flying:
            return
        self._is_flying = is_on
        self._keys.release_all()
        if is_on:
            self._take_over()
            self._glide = None
            pose = self._stage.camera.pose
            self._jump_to(replace(pose.upright(), fov_y_rad=DEFAULT_FOV_Y_RAD))
        self.fly_changed.emit(is_on)

    def fly_key(self, name: str, is_down: bool) -> bool:
        """A key went down or up; True if fly mode took it."""
        if not self._is_flying or not self._keys.set(name, is_down=is_down):
            return False
        if self._keys.is_moving:
            self._run()
        return True

    def release_keys(self) -> None:
        """Let go of all keys: a window in the background is not told that they went up."""
        self._keys.release_all()

    def set_follow_camera(self, is_on: bool) -> None:
        """Ride behind the current camera until the user moves the view."""
        if is_on == self._follows_camera:
            return
        self._follows_camera = is_on
        if is_on:
            self._follows_scene = False
            self._glide = None
            self.set_fly(False)
            self._run()
        self.follow_camera_changed.emit(is_on)

    # What the scene did

    def on_scene_grew(self, n_frames: int) -> None:
        """A frame came, or the cursor moved."""
        if self._follows_camera:
            self._run()
            return
        goal = self._framing.automatic()
        if not self._follows_scene or goal is None:
            return
        # The first frames jump into place; later ones drift, so that the view never lurches.
        if n_frames <= 2:
            self._jump_to(goal)
        elif self._glide is None:
            self._jump_to(self._stage.camera.pose.towards(goal, _FOLLOW_FRACTION))

    # The mouse

    def press(self, button: Button, mouse: Mouse) -> bool:
        return True

    def drag(self, button: Button, mouse: Mouse) -> None:
        camera = self._stage.camera
        self._take_over()
        self._glide = None
        if button is not Button.LEFT:
            camera.pose = camera.pose.panned(mouse.dx, mouse.dy, camera.view_focal_px)
        elif self._is_flying:
            camera.pose = camera.pose.looked(mouse.dx, mouse.dy)
        else:
            camera.pose = camera.pose.orbited(mouse.dx, mouse.dy)

    def wheel(self, mouse: Mouse, n_notches: float) -> bool:
        camera = self._stage.camera
        self._take_over()
        self._glide = None
        if self._is_flying:
            step = camera.pose.distance * _FLY_ZOOM_STEP * n_notches
            camera.pose = camera.pose.flown(np.array([0.0, 0.0, step]))
            return True
        width, height = camera.size_px
        from_centre = (mouse.x - width / 2, mouse.y - height / 2)
        camera.pose = camera.pose.zoomed(_ZOOM_PER_NOTCH**-n_notches, from_centre, camera.view_focal_px)
        return True

    def double_click(self, mouse: Mouse) -> bool:
        point = self._pick(mouse.x, mouse.y)
        if point is None:
            return False
        self._take_over()
        self.glide_to(self._stage.camera.pose.turned_about(self._stage.stage_from_world @ point))
        return True

    # Moving by itself

    def _take_over(self) -> None:
        """The user says where to look from now on."""
        self._follows_scene = False
        self.set_follow_camera(False)

    def _jump_to(self, pose: OrbitPose) -> None:
        self._glide = None
        self._stage.camera.pose = pose

    def _run(self) -> None:
        if not self._timer.running:
            self._last_tick_s = time.perf_counter()
            self._timer.start()

    def _on_tick(self, event: Any) -> None:
        now_s = time.perf_counter()
        elapsed_s, self._last_tick_s = now_s - self._last_tick_s, now_s
        camera = self._stage.camera
        if self._glide is not None:
            glide = self._glide
            camera.pose = glide.pose_at(now_s)
            if glide.is_over(now_s):
                self._glide = None
        elif self._keys.is_moving:
            camera.pose = self._keys.moved(camera.pose, elapsed_s)
        elif not (self._follows_camera and self._catch_up(elapsed_s)):
            self._timer.stop()

    def _catch_up(self, elapsed_s: float) -> bool:
        """A step towards the place behind the current camera; False once it is reached."""
        goal = self._framing.behind_camera()
        if goal is None:
            return False
        camera = self._stage.camera
        fraction = 1.0 - math.exp(-_FOLLOW_CAMERA_PER_S * elapsed_s)
        before = camera.pose
        gap = float(np.linalg.norm(goal.stage_from_camera - before.stage_from_camera))
        if gap < 1e-3 * goal.distance:
            return False
        camera.pose = before.towards(goal, fraction)
        return True

    def _on_key_press(self, event: Any) -> None:
        if event.key is not None:
            event.handled = self.fly_key(event.key.name, True)

    def _on_key_release(self, event: Any) -> None:
        # A held key repeats as pairs of release and press.
        if event.key is not None and not event.native.isAutoRepeat():
            event.handled = self.fly_key(event.key.name, False)
