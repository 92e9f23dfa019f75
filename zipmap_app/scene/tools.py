"""Clicks in the scene: picking points, and the cameras under the mouse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zipmap_app.scene.frusta import Frusta, frustum_under
from zipmap_app.scene.pointer import Button, Mouse, PassiveTool
from zipmap_app.scene.stage import Stage
from zipmap_app.state.event import Event


class PointPicking(PassiveTool):
    """While on, a click that hits the scene gives its point; drags still move the view. GUI thread only."""

    def __init__(self, pick: Callable[[float, float], np.ndarray | None]) -> None:
        self.picked: Event[[np.ndarray]] = Event()
        self.is_on = False
        self._pick = pick

    def click(self, button: Button, mouse: Mouse) -> bool:
        if not self.is_on or button is not Button.LEFT:
            return False
        point = self._pick(mouse.x, mouse.y)
        if point is not None:
            self.picked.emit(point)
        return True

    def hover(self, mouse: Mouse | None) -> bool:
        return self.is_on  # nothing else lights up under the cross

    def double_click(self, mouse: Mouse) -> bool:
        return self.is_on  # the same point again, and no wish for another pivot


class FrustumPointing(PassiveTool):
    """Says which camera is under the mouse and which was clicked, by position. GUI thread only."""

    def __init__(self, frusta: Frusta, stage: Stage) -> None:
        self.hovered: Event[[int | None]] = Event()
        self.clicked: Event[[int]] = Event()
        self._frusta = frusta
        self._stage = stage
        self._position: int | None = None

    def hover(self, mouse: Mouse | None) -> bool:
        position = None if mouse is None else self._position_under(mouse)
        if position != self._position:
            self._position = position
            self._frusta.highlight(position)
            self._stage.canvas.update()
            self.hovered.emit(position)
        return position is not None

    def click(self, button: Button, mouse: Mouse) -> bool:
        position = self._position_under(mouse) if button is Button.LEFT else None
        if position is None:
            return False
        self.clicked.emit(position)
        return True

    def _position_under(self, mouse: Mouse) -> int | None:
        corners = self._frusta.corners
        if not len(corners):
            return None
        pixels, depths = self._stage.project(corners.reshape(-1, 3))
        index = frustum_under(pixels.reshape(-1, 5, 2), depths.reshape(-1, 5), mouse.x, mouse.y)
        return None if index is None else int(self._frusta.positions[index])
