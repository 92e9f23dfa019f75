"""The ghost camera: the one through which the scene state is asked what it would see."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from zipmap_app.state.event import Event
from zipmap_app.state.points import seal


@dataclass(frozen=True, slots=True, eq=False)
class GhostView:
    """A camera in the model's world."""

    world_from_camera: np.ndarray  # (4, 4) float64
    intrinsics: np.ndarray  # (3, 3) float64, pixels of an image of ``size_hw``
    size_hw: tuple[int, int]

    def __post_init__(self) -> None:
        if self.world_from_camera.shape != (4, 4):
            raise ValueError(f"world_from_camera: want (4, 4), got {self.world_from_camera.shape}")
        seal(self.world_from_camera, self.intrinsics)

    def with_pose(self, world_from_camera: np.ndarray) -> GhostView:
        return replace(self, world_from_camera=np.array(world_from_camera, float))


@dataclass(frozen=True, slots=True)
class GhostNumbers:
    """The pose of a ghost in numbers a person can type, in stage space (-y is up)."""

    x: float
    y: float
    z: float
    yaw_deg: float  # 0 looks along +z, positive to the right
    pitch_deg: float  # positive looks up
    roll_deg: float  # positive tilts the head to the right


class GhostCamera:
    """The ghost, if there is one. GUI thread only."""

    def __init__(self) -> None:
        self.changed: Event[[GhostView | None]] = Event()
        self.view: GhostView | None = None

    def place(self, view: GhostView) -> None:
        self.view = view
        self.changed.emit(view)

    def move(self, world_from_camera: np.ndarray) -> None:
        """Another pose for the same camera; nothing without a ghost."""
        if self.view is not None:
            self.place(self.view.with_pose(world_from_camera))

    def remove(self) -> None:
        self.view = None
        self.changed.emit(None)


def numbers_from_pose(world_from_camera: np.ndarray, stage_from_world: np.ndarray) -> GhostNumbers:
    """``world_from_camera`` (4, 4) and ``stage_from_world`` (3, 3) as numbers; see GhostNumbers."""
    rotation = stage_from_world @ world_from_camera[:3, :3]
    x, y, z = stage_from_world @ world_from_camera[:3, 3]
    right, _, forward = rotation.T
    pitch = math.asin(min(max(-float(forward[1]), -1.0), 1.0))
    yaw = math.atan2(float(forward[0]), float(forward[2]))
    level_right = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
    level_down = np.cross(forward, level_right)
    roll = math.atan2(float(right @ level_down), float(right @ level_right))
    return GhostNumbers(
        float(x), float(y), float(z), math.degrees(yaw), math.degrees(pitch), math.degrees(roll)
    )


def pose_from_numbers(numbers: GhostNumbers, stage_from_world: np.ndarray) -> np.ndarray:
    """(4, 4) world_from_camera; the inverse of ``numbers_from_pose``."""
    yaw, pitch, roll = (math.radians(a) for a in (numbers.yaw_deg, numbers.pitch_deg, numbers.roll_deg))
    forward = np.array([math.cos(pitch) * math.sin(yaw), -math.sin(pitch), math.cos(pitch) * math.cos(yaw)])
    level_right = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
    level_down = np.cross(forward, level_right)
    right = math.cos(roll) * level_right + math.sin(roll) * level_down
    pose = np.eye(4)
    pose[:3, :3] = stage_from_world.T @ np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = stage_from_world.T @ np.array([numbers.x, numbers.y, numbers.z])
    return pose


def looking_at(eye: np.ndarray, target: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(4, 4) world_from_camera of a level camera at ``eye`` that looks at ``target``; ``up`` (3,) in the world.

    Raises ValueError when the two points coincide.
    """
    forward = target - eye
    distance = float(np.linalg.norm(forward))
    if distance == 0:
        raise ValueError("a camera cannot look at the place where it stands")
    forward = forward / distance
    right = np.cross(forward, up)
    if np.linalg.norm(right) < 1e-9:  # straight up or down: any level direction will do
        right = np.cross(forward, np.eye(3)[int(np.argmin(np.abs(forward)))])
    right = right / np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = eye
    return pose
