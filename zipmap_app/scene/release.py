"""Freeing what a canvas made on the GPU.

Contexts are shared in the application, so buffers and textures of a closed canvas would otherwise live as long as
the application.
"""

from __future__ import annotations

from typing import Any

from vispy.gloo.glir import GlirObject


def live_objects(canvas: Any) -> list[GlirObject]:
    """Everything VisPy holds on the GPU for a canvas."""
    # VisPy has no public list of them.
    return [
        thing for thing in canvas.context.shared.parser._objects.values() if isinstance(thing, GlirObject)
    ]


def release_all(canvas: Any) -> None:
    """Delete every buffer, texture and program of a canvas; nothing can be drawn on it afterwards."""
    canvas.set_current()
    canvas.context.flush_commands()
    parser = canvas.context.shared.parser
    parser.parse([("DELETE", thing.id) for thing in live_objects(canvas)])
    parser.parse([])  # forgets what was just deleted
