"""A built-in moving scene, for trying the program without a camera and for tests."""

from __future__ import annotations

import time

import numpy as np

from zipmap_app.state.messages import SourceFrame

_ROOM_HALF = np.array([4.0, 1.5, 4.0])  # the room spans +- this, in its own unit
_BOXES = (  # (low corner, high corner), y down
    (np.array([-2.2, 0.3, 1.0]), np.array([-1.0, 1.5, 2.2])),
    (np.array([1.0, -0.4, 1.6]), np.array([1.8, 1.5, 2.4])),
    (np.array([-0.4, 0.9, 2.4]), np.array([0.7, 1.5, 3.2])),
)
_PALETTE = np.array(
    [
        [198, 182, 160], [120, 96, 78], [176, 190, 204], [205, 205, 196], [188, 170, 150], [150, 170, 150],
        [196, 92, 70], [78, 128, 170], [206, 166, 82],
    ],
    np.float32,
)  # fmt: skip
_FPS = 30.0
_LOOP_FRAMES = 240  # the camera comes back to its start after so many frames


class SyntheticSource:
    """A camera that sways through a textured room with three boxes: same pixels on every run."""

    name = "Synthetic room"
    is_live = False

    def __init__(
        self, n_frames: int = 120, size_hw: tuple[int, int] = (240, 320), first_frame: int = 0
    ) -> None:
        self.n_frames_hint: int | None = n_frames
        self._n_frames = n_frames
        self._next = first_frame
        self._size_hw = size_hw
        height, width = size_hw
        self.intrinsics = np.array([[0.8 * width, 0, width / 2], [0, 0.8 * width, height / 2], [0, 0, 1.0]])
        u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        x = (u - width / 2) / self.intrinsics[0, 0]
        y = (v - height / 2) / self.intrinsics[1, 1]
        self._rays = np.stack([x, y, np.ones_like(x)], axis=-1)  # (H, W, 3), camera space, depth 1

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def read(self) -> SourceFrame | None:
        if self._next >= self._n_frames:
            return None
        index = self._next
        self._next += 1
        rgb = self.render(index)[0]
        return SourceFrame(index, index / _FPS, time.monotonic(), rgb, f"frame_{index:06d}")

    def skip(self) -> bool:
        self._next += 1
        return self._next <= self._n_frames

    def close(self) -> None:
        self._next = self._n_frames

    def reopened(self, after_frame_index: int) -> SyntheticSource:
        """The same scene from the frame after this one on."""
        return SyntheticSource(self._n_frames, self._size_hw, after_frame_index + 1)

    def world_from_camera(self, index: int) -> np.ndarray:
        """The true camera of a frame, (4, 4), room space."""
        phase = 2 * np.pi * index / _LOOP_FRAMES
        yaw, pitch = 0.35 * np.sin(phase), 0.06 * np.sin(2 * phase)
        cos_y, sin_y, cos_p, sin_p = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
        turn = np.array([[cos_y, 0, sin_y], [0, 1, 0], [-sin_y, 0, cos_y]])
        nod = np.array([[1, 0, 0], [0, cos_p, -sin_p], [0, sin_p, cos_p]])
        world_from_camera = np.eye(4)
        world_from_camera[:3, :3] = turn @ nod
        world_from_camera[:3, 3] = (
            -1.1 * np.sin(phase),
            0.15 * np.sin(2 * phase),
            -2.2 + 0.7 * np.cos(phase),
        )
        return world_from_camera

    def render(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Picture (H, W, 3) uint8 and true depth (H, W) of a frame."""
        world_from_camera = self.world_from_camera(index)
        rays = self._rays @ world_from_camera[:3, :3].T
        origin = world_from_camera[:3, 3]
        rays = np.where(np.abs(rays) < 1e-9, 1e-9, rays)
        depth, surface = _hit_room(origin, rays)
        for number, (low, high) in enumerate(_BOXES):
            near = np.minimum((low - origin) / rays, (high - origin) / rays).max(axis=-1)
            far = np.maximum((low - origin) / rays, (high - origin) / rays).min(axis=-1)
            is_hit = (near > 0) & (near < far) & (near < depth)
            depth = np.where(is_hit, near, depth)
            surface = np.where(is_hit, 6 + number, surface)
        points = origin + rays * depth[..., None]
        return _shade(points, surface), depth


def _hit_room(origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depth along each ray to the room's inside, and which of its six faces (axis, then side)."""
    walls = (np.sign(rays) * _ROOM_HALF - origin) / rays
    axis = walls.argmin(axis=-1)
    is_high = np.take_along_axis(rays, axis[..., None], axis=-1)[..., 0] > 0
    return walls.min(axis=-1), 2 * axis + is_high


def _shade(points: np.ndarray, surface: np.ndarray) -> np.ndarray:
    """Tiles of varying brightness in three sizes: detail at every distance."""
    light = np.full(surface.shape, 0.78, np.float32)
    for cell, weight in ((0.8, 0.16), (0.23, 0.12), (0.07, 0.08)):
        # The offset keeps tile edges off the walls, where rounding would make them flicker.
        tile = np.floor((points + 0.0137) / cell).astype(np.int64)
        code = tile[..., 0] * 73856093 ^ tile[..., 1] * 19349663 ^ tile[..., 2] * 83492791
        light += weight * ((code % 1013) / 1012.0 * 2 - 1).astype(np.float32)
    shaded: np.ndarray = _PALETTE[surface] * light[..., None]
    return shaded.clip(0, 255).astype(np.uint8)
