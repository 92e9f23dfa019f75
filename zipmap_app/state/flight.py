"""A camera flight: key views joined by a smooth path."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from zipmap_app.state.event import Event
from zipmap_app.state.ghost import GhostView


class FlightContent(Enum):
    """What the pictures of a written flight show."""

    RGB = "picture"
    DEPTH = "depth"
    BOTH = "side by side"


@dataclass(frozen=True, slots=True)
class FlightSettings:
    """How a flight is played and written."""

    seconds_per_leg: float = 2.0  # from one key view to the next
    frames_per_s: int = 24
    is_loop: bool = False  # back to the first key view at the end

    def __post_init__(self) -> None:
        if not 0.1 <= self.seconds_per_leg <= 60:
            raise ValueError(f"seconds_per_leg: want 0.1 to 60, got {self.seconds_per_leg}")
        if not 1 <= self.frames_per_s <= 60:
            raise ValueError(f"frames_per_s: want 1 to 60, got {self.frames_per_s}")


class CameraFlight:
    """The key views of a flight, in order. GUI thread only."""

    def __init__(self) -> None:
        self.changed: Event[[]] = Event()
        self.keys: tuple[GhostView, ...] = ()
        self.settings = FlightSettings()

    def set_keys(self, keys: tuple[GhostView, ...]) -> None:
        self.keys = keys
        self.changed.emit()

    def set_settings(self, settings: FlightSettings) -> None:
        self.settings = settings
        self.changed.emit()

    @property
    def is_ready(self) -> bool:
        """A flight leads from somewhere to somewhere."""
        return len(self.keys) >= 2

    @property
    def n_frames(self) -> int:
        if not self.is_ready:
            return 0
        n_legs = len(self.keys) if self.settings.is_loop else len(self.keys) - 1
        return round(n_legs * self.settings.seconds_per_leg * self.settings.frames_per_s) + 1

    def views(self) -> tuple[GhostView, ...]:
        """Every view of the flight; intrinsics and size are those of the first key."""
        if not self.is_ready:
            return ()
        poses = flight_poses(
            np.stack([key.world_from_camera for key in self.keys]), self.n_frames, self.settings.is_loop
        )
        return tuple(self.keys[0].with_pose(pose) for pose in poses)


def flight_poses(keys: np.ndarray, n_poses: int, is_loop: bool = False) -> np.ndarray:
    """(n_poses, 4, 4) along a smooth path through (K, 4, 4) ``world_from_camera`` keys, K at least 2.

    Catmull-Rom splines through the centres and, on one hemisphere and normalised, through the quaternions: the
    path passes every key and has no corner there.
    """
    if len(keys) < 2 or n_poses < 2:
        raise ValueError(f"want at least 2 keys and 2 poses, got {len(keys)} and {n_poses}")
    quaternions = np.stack([_quaternion(key[:3, :3]) for key in keys])
    for i in range(1, len(quaternions)):
        if quaternions[i] @ quaternions[i - 1] < 0:
            quaternions[i] *= -1
    n_legs = len(keys) if is_loop else len(keys) - 1
    times = np.linspace(0, n_legs, n_poses)
    centres = _catmull_rom(keys[:, :3, 3], times, is_loop)
    if is_loop and quaternions[0] @ quaternions[-1] < 0:
        # The way back to the first key would otherwise turn the long way round.
        closing = np.concatenate([quaternions, -quaternions[:1]])
        turned = _catmull_rom(closing, times, is_loop=False)
    else:
        turned = _catmull_rom(quaternions, times, is_loop)
    poses = np.tile(np.eye(4), (n_poses, 1, 1))
    poses[:, :3, 3] = centres
    poses[:, :3, :3] = [_rotation(q / np.linalg.norm(q)) for q in turned]
    return poses


def _catmull_rom(values: np.ndarray, times: np.ndarray, is_loop: bool) -> np.ndarray:
    n = len(values)
    leg = np.minimum(np.floor(times).astype(int), (n if is_loop else n - 1) - 1)
    t = (times - leg)[:, None]

    def at(index: np.ndarray) -> np.ndarray:
        if is_loop:
            return values[index % n]
        inside = values[np.clip(index, 0, n - 1)]
        # Beyond the ends the path goes straight on.
        inside = np.where((index < 0)[:, None], 2 * values[0] - values[min(1, n - 1)], inside)
        return np.where((index >= n)[:, None], 2 * values[-1] - values[max(n - 2, 0)], inside)

    before, start, end, after = (at(leg + offset) for offset in (-1, 0, 1, 2))
    result: np.ndarray = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * (start - end) + after - before) * t**3
    )
    return result


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """(4,) x y z w. The largest component is computed first, so that nothing small divides."""
    m = rotation
    trace = np.array([m[0, 0], m[1, 1], m[2, 2], m.trace()])
    largest = int(np.argmax(trace))
    if largest == 3:
        q = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1 + m.trace()])
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        q = np.empty(4)
        q[i] = 1 + m[i, i] - m[j, j] - m[k, k]
        q[j] = m[j, i] + m[i, j]
        q[k] = m[k, i] + m[i, k]
        q[3] = m[k, j] - m[j, k]
    unit: np.ndarray = q / np.linalg.norm(q)
    return unit


def _rotation(q: np.ndarray) -> np.ndarray:
    x, y, z, w = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
