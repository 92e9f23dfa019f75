"""Tools that work by clicking points of the scene: measuring, setting the scale, setting up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from zipmap_app.state.event import Event


class PointTool(Enum):
    """What clicked points are for."""

    MEASURE = "measure"
    SCALE = "scale"
    UP = "up"
    GHOST = "ghost"

    @property
    def n_points(self) -> int:
        """How many points the tool needs."""
        return {PointTool.MEASURE: 2, PointTool.SCALE: 2, PointTool.UP: 3, PointTool.GHOST: 1}[self]

    def hint(self, n_clicked: int) -> str:
        """What to click next."""
        match self:
            case PointTool.MEASURE:
                return ("Click the first point to measure from", "Click the second point")[min(n_clicked, 1)]
            case PointTool.SCALE:
                return ("Click one end of a length you know", "Click its other end")[min(n_clicked, 1)]
            case PointTool.UP:
                return f"Click three points on the floor ({n_clicked} of 3)"
            case PointTool.GHOST:
                return "Click the point that the camera should look at"


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """A distance between two points of the model's world, in its units."""

    first: np.ndarray  # (3,)
    second: np.ndarray  # (3,)

    @property
    def length(self) -> float:
        return float(np.linalg.norm(self.second - self.first))


class ToolModel:
    """The tool in hand, the points clicked for it, and the distances measured. GUI thread only."""

    def __init__(self) -> None:
        self.changed: Event[[]] = Event()
        self.completed: Event[[PointTool, tuple[np.ndarray, ...]]] = Event()
        self.tool: PointTool | None = None
        self.points: tuple[np.ndarray, ...] = ()  # (3,) each, model's world
        self.measurements: tuple[Measurement, ...] = ()

    def start(self, tool: PointTool) -> None:
        """Take a tool in hand, with no points clicked."""
        self.tool, self.points = tool, ()
        self.changed.emit()

    def cancel(self) -> None:
        """Put the tool away, or take its clicked points back first."""
        if self.points:
            self.points = ()
        else:
            self.tool = None
        self.changed.emit()

    def put_away(self) -> None:
        """No tool in hand any more; nothing if there is none."""
        if self.tool is not None:
            self.tool, self.points = None, ()
            self.changed.emit()

    def add_point(self, point: np.ndarray) -> None:
        """Use a clicked point; ``completed`` fires when the tool has all it needs.

        Measuring stays in hand for the next distance, the other tools are put away.
        """
        if self.tool is None:
            return
        self.points = (*self.points, np.asarray(point, float))
        if len(self.points) < self.tool.n_points:
            self.changed.emit()
            return
        tool, points = self.tool, self.points
        self.points = ()
        if tool is not PointTool.MEASURE:
            self.tool = None
        self.changed.emit()
        self.completed.emit(tool, points)

    def set_measurements(self, measurements: tuple[Measurement, ...]) -> None:
        self.measurements = measurements
        self.changed.emit()

    def clear(self) -> None:
        self.tool, self.points, self.measurements = None, (), ()
        self.changed.emit()
