"""The camera's path, its past frusta and the current one. Positions are in OpenCV world axes."""

from __future__ import annotations

import numpy as np
from vispy.scene import Node
from vispy.scene.visuals import Line

from zipmap_app.scene.coordinates import frustum_segments

CURRENT_COLOR = (0.30, 0.95, 0.62, 1.0)
QUERY_COLOR = (1.0, 0.42, 0.68, 1.0)  # reserved for what the model was asked, never for what it saw
_TIME_COLORS = np.array([[0.22, 0.48, 0.98], [0.16, 0.80, 0.90], [0.99, 0.86, 0.45]])
_MAX_PAST_FRUSTA = 40


def colors_by_time(n: int, alpha: float = 1.0) -> np.ndarray:
    """(n, 4) float32, from blue (oldest) to amber (newest)."""
    places = np.linspace(0.0, len(_TIME_COLORS) - 1.0, n)
    channels = [np.interp(places, np.arange(len(_TIME_COLORS)), channel) for channel in _TIME_COLORS.T]
    return np.stack([*channels, np.full(n, alpha)], axis=1).astype(np.float32)


class FrustumVisual:
    """One wire frustum under a scene node; hidden until it is shown a camera."""

    def __init__(self, parent: Node, color: tuple[float, float, float, float], width_px: float = 2.0) -> None:
        self._line = Line(
            pos=np.zeros((2, 3), np.float32), color=color, width=width_px, connect="segments", parent=parent
        )
        # Drawn after the points and over the near ones, or the current camera drowns in its own frame.
        self._line.set_gl_state("translucent", depth_test=False)
        self._line.order = 10
        self._line.visible = False

    def show(
        self, world_from_camera: np.ndarray, intrinsics: np.ndarray, size_hw: tuple[int, int], depth: float
    ) -> None:
        self._line.set_data(pos=frustum_segments(world_from_camera, intrinsics, size_hw, depth))
        self._line.visible = True

    def hide(self) -> None:
        self._line.visible = False

    @property
    def is_shown(self) -> bool:
        return bool(self._line.visible)


class CameraPathVisual:
    """A line through the camera centres coloured by time, with at most 40 faint frusta along it."""

    def __init__(self, parent: Node) -> None:
        blank = np.zeros((2, 3), np.float32)
        self._path = Line(pos=blank, color=colors_by_time(2), width=2.5, parent=parent)
        self._frusta = Line(pos=blank, color=colors_by_time(2), width=1.0, connect="segments", parent=parent)
        for order, line in enumerate((self._frusta, self._path), start=5):
            line.set_gl_state("translucent", depth_test=False)
            line.order = order
            line.visible = False
        self._is_enabled = True

    def set_enabled(self, is_enabled: bool) -> None:
        self._is_enabled = is_enabled
        for line in (self._path, self._frusta):
            line.visible = is_enabled and len(line.pos) > 2

    def show(
        self,
        world_from_camera: np.ndarray,
        intrinsics: np.ndarray,
        size_hw: tuple[int, int],
        frustum_depth: float,
    ) -> None:
        """Show (N, 4, 4) poses; the intrinsics of the newest frame stand for all of them."""
        n_poses = len(world_from_camera)
        if n_poses < 2:
            self.hide()
            return
        centres = world_from_camera[:, :3, 3].astype(np.float32)
        self._path.set_data(pos=centres, color=colors_by_time(n_poses))
        kept = np.arange(0, n_poses - 1, -(-n_poses // _MAX_PAST_FRUSTA))
        segments = [
            frustum_segments(world_from_camera[i], intrinsics, size_hw, frustum_depth * 0.5) for i in kept
        ]
        colors = np.repeat(colors_by_time(n_poses, 0.5)[kept], len(segments[0]), axis=0)
        self._frusta.set_data(pos=np.concatenate(segments), color=colors)
        self._path.visible = self._is_enabled
        self._frusta.visible = self._is_enabled

    def hide(self) -> None:
        self._path.visible = self._frusta.visible = False
