"""Drawing hidden things once, before anybody waits for them.

A visual's program is compiled at its first use. With the first frame of a run many are used at once, which would
hold up the GUI thread for a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vispy import scene
from vispy.scene.visuals import Line

from zipmap_app.scene.pictures import Pictures


class FirstDraw:
    """Lets the first draw of a canvas include its hidden lines and pictures; they hold nothing to be seen yet."""

    def __init__(self, canvas: scene.SceneCanvas) -> None:
        self._canvas = canvas
        self._hidden: list[scene.Node] = []
        canvas.events.draw.connect(self._on_draw_starts, position="first")
        canvas.events.draw.connect(self._on_draw_ended, position="last")

    def _on_draw_starts(self, event: Any) -> None:
        self._hidden = [node for node in _nodes_below(self._canvas.scene) if _is_hidden(node)]
        for node in self._hidden:
            node.visible = True

    def _on_draw_ended(self, event: Any) -> None:
        for node in self._hidden:
            node.visible = False
        self._canvas.events.draw.disconnect(self._on_draw_starts)
        self._canvas.events.draw.disconnect(self._on_draw_ended)


def _is_hidden(node: scene.Node) -> bool:
    return isinstance(node, (Line, Pictures)) and not node.visible


def _nodes_below(node: scene.Node) -> Iterator[scene.Node]:
    for child in node.children:
        yield child
        yield from _nodes_below(child)
