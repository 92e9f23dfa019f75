"""The mouse in the viewport: the first tool that wants a press has it until the release.

Tools see plain events in pixels of the view; VisPy's own way through the scene graph would draw a picking
picture for every press and turn of the wheel.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

_DRAG_PX = 4.0  # a press that moves less is a click


class Button(IntEnum):
    """Mouse buttons, numbered as VisPy does."""

    LEFT = 1
    RIGHT = 2
    MIDDLE = 3


@dataclass(frozen=True, slots=True)
class Mouse:
    """Where the mouse is and how it got there. Logical pixels from the view's top left."""

    x: float
    y: float
    dx: float = 0.0  # since the last event of a drag
    dy: float = 0.0


class Tool(Protocol):
    """Something that acts on the mouse."""

    def hover(self, mouse: Mouse | None) -> bool:
        """The mouse moved without a button, or (None) belongs to another tool; True: it is over something."""

    def press(self, button: Button, mouse: Mouse) -> bool:
        """True takes the mouse until the release."""

    def drag(self, button: Button, mouse: Mouse) -> None:
        """The mouse moved with the button that was taken."""

    def release(self, button: Button) -> None:
        """The button that was taken was let go."""

    def click(self, button: Button, mouse: Mouse) -> bool:
        """A press that went nowhere was let go, whoever took it; True: it was for this tool."""

    def wheel(self, mouse: Mouse, n_notches: float) -> bool:
        """True: it was for this tool."""

    def double_click(self, mouse: Mouse) -> bool:
        """True: it was for this tool."""


class PassiveTool:
    """Wants nothing; tools override what they want."""

    def hover(self, mouse: Mouse | None) -> bool:
        return False

    def press(self, button: Button, mouse: Mouse) -> bool:
        return False

    def drag(self, button: Button, mouse: Mouse) -> None:
        pass

    def release(self, button: Button) -> None:
        pass

    def click(self, button: Button, mouse: Mouse) -> bool:
        return False

    def wheel(self, mouse: Mouse, n_notches: float) -> bool:
        return False

    def double_click(self, mouse: Mouse) -> bool:
        return False


class Pointer:
    """Hands the canvas's mouse events to tools, the first in the list first. GUI thread only."""

    def __init__(self, canvas: Any, tools: tuple[Tool, ...]) -> None:
        self._tools = tools
        self._taker: Tool | None = None
        self._button = Button.LEFT
        self._start = Mouse(0, 0)
        self._last = Mouse(0, 0)
        self._has_moved = False
        events = canvas.events
        for emitter, listener in (
            (events.mouse_press, self._on_press),
            (events.mouse_move, self._on_move),
            (events.mouse_release, self._on_release),
            (events.mouse_wheel, self._on_wheel),
            (events.mouse_double_click, self._on_double_click),
        ):
            emitter.connect(listener, position="first")

    def _on_press(self, event: Any) -> None:
        event.blocked = True
        if self._taker is not None or event.button not in (1, 2, 3):
            return
        self._button = Button(event.button)
        self._start = self._last = _mouse(event)
        self._has_moved = False
        for tool in self._tools:
            if tool.press(self._button, self._last):
                self._taker = tool
                event.handled = True
                return

    def _on_move(self, event: Any) -> None:
        event.blocked = True
        now = _mouse(event)
        if self._taker is None:
            self._hover(now)
            return
        step = Mouse(now.x, now.y, now.x - self._last.x, now.y - self._last.y)
        self._last = now
        if not (step.dx or step.dy):
            return
        far = max(abs(now.x - self._start.x), abs(now.y - self._start.y)) > _DRAG_PX
        self._has_moved = self._has_moved or far
        self._taker.drag(self._button, step)

    def _on_release(self, event: Any) -> None:
        event.blocked = True
        if self._taker is None or event.button != self._button:
            return
        self._on_move(event)  # VisPy drops moves that come in quick succession, and the last one counts
        taker, self._taker = self._taker, None
        taker.release(self._button)
        if not self._has_moved:
            any(tool.click(self._button, self._start) for tool in self._tools)

    def _on_wheel(self, event: Any) -> None:
        event.blocked = True
        notches = float(event.delta[1])
        event.handled = any(tool.wheel(_mouse(event), notches) for tool in self._tools)

    def _on_double_click(self, event: Any) -> None:
        event.blocked = True
        event.handled = any(tool.double_click(_mouse(event)) for tool in self._tools)

    def _hover(self, mouse: Mouse) -> None:
        found = False
        for tool in self._tools:
            # Those behind the first that has something under the mouse let go of what they had.
            found = tool.hover(None if found else mouse) or found


def _mouse(event: Any) -> Mouse:
    return Mouse(float(event.pos[0]), float(event.pos[1]))
