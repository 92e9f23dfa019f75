"""Which way is up, and how long a metre is.

The model's world has the first camera's axes and a unit of its own. Stage space is that world turned so that
-y points up; a scale, once set, turns lengths into metres wherever they are read. Neither changes the model's
world, in which queries are asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from zipmap_app.state.event import Event
from zipmap_app.state.lengths import LengthUnit
from zipmap_app.state.points import seal

_UP = np.array([0.0, -1.0, 0.0])


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """One choice of up and scale."""

    stage_from_world: np.ndarray = field(default_factory=lambda: np.eye(3))  # (3, 3) rotation
    metres_per_unit: float | None = None  # None: the scale is unknown

    def __post_init__(self) -> None:
        if self.stage_from_world.shape != (3, 3):
            raise ValueError(f"stage_from_world: want (3, 3), got {self.stage_from_world.shape}")
        _ = self.length_unit  # checks the scale
        seal(self.stage_from_world)

    def with_up(self, up_in_world: np.ndarray) -> Alignment:
        """Turn the world the shortest way so that ``up_in_world`` ((3,), any length) points up."""
        return replace(self, stage_from_world=_shortest_turn(up_in_world, _UP))

    def with_length(self, length_in_units: float, length_m: float) -> Alignment:
        """Set the scale from a known length. Raises ValueError unless both are positive."""
        if not (length_in_units > 0 and length_m > 0):
            raise ValueError(f"lengths must be positive, got {length_in_units} units and {length_m} m")
        return replace(self, metres_per_unit=length_m / length_in_units)

    @property
    def length_unit(self) -> LengthUnit:
        """How lengths are read and typed under it."""
        return LengthUnit(self.metres_per_unit)


class AlignmentModel:
    """The alignment in force. GUI thread only."""

    def __init__(self) -> None:
        self.changed: Event[[Alignment]] = Event()
        self.value = Alignment()

    def set(self, alignment: Alignment) -> None:
        self.value = alignment
        self.changed.emit(alignment)


def up_from_path(world_from_camera: np.ndarray) -> np.ndarray:
    """(3,) up direction for (N, 4, 4) cameras that were held upright: the mean of their up axes.

    People roll a camera less than they tilt it: so the mean is freed of what all right axes share, which is
    exactly the tilt. Raises ValueError without a camera.
    """
    if not len(world_from_camera):
        raise ValueError("up_from_path needs at least one camera")
    right = world_from_camera[:, :3, 0]
    up = -world_from_camera[:, :3, 1].mean(axis=0)
    # The plane that holds the right axes best is the ground; its normal is up, once they span a plane.
    values, vectors = np.linalg.eigh(right.T @ right / len(right))
    normal = vectors[:, 0]
    if values[1] > 0.05 and abs(normal @ up) > 0.5 * np.linalg.norm(up):
        up = normal * np.sign(normal @ up)
    unit: np.ndarray = up / np.linalg.norm(up)
    return unit


def up_from_points(first: np.ndarray, second: np.ndarray, third: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """(3,) normal of the plane through three points, on the side of ``eye``: up, if they lie on a floor.

    All (3,) in one space. Raises ValueError for points on one line.
    """
    normal = np.cross(second - first, third - first)
    length = float(np.linalg.norm(normal))
    spread = max(float(np.linalg.norm(second - first)), float(np.linalg.norm(third - first)))
    if length < 1e-3 * spread**2 or spread == 0:
        raise ValueError("the three points lie on one line: choose points that span the floor")
    side = 1.0 if normal @ (eye - first) >= 0 else -1.0
    unit: np.ndarray = normal * (side / length)
    return unit


def _shortest_turn(from_direction: np.ndarray, to_direction: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that takes one direction to another and nothing else (Rodrigues)."""
    a = from_direction / np.linalg.norm(from_direction)
    b = to_direction / np.linalg.norm(to_direction)
    axis, cosine = np.cross(a, b), float(a @ b)
    if cosine < -1 + 1e-9:  # opposite: half a turn about any axis across
        across = np.cross(a, np.eye(3)[int(np.argmin(np.abs(a)))])
        across /= np.linalg.norm(across)
        half_turn: np.ndarray = 2 * np.outer(across, across) - np.eye(3)
        return half_turn
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn: np.ndarray = np.eye(3) + skew + skew @ skew / (1 + cosine)
    return turn
