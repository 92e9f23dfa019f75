"""Where the canvas's picture gets on the screen: through the graphics card, or as a plain picture without one.

A window that holds an OpenGL widget is put together by OpenGL as a whole, again for every label that changes. A
graphics card does not notice; software OpenGL takes longer for that than for drawing the scene.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt, QTimer
from PySide6.QtGui import (
    QImage,
    QOffscreenSurface,
    QOpenGLContext,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget
from vispy import scene

_GL_RENDERER = 0x1F01
_PREFERRED_SIZE = QSize(960, 600)
_FORWARDED = frozenset(
    (
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.KeyPress,
        QEvent.Type.KeyRelease,
    )
)


@cache
def default_renderer() -> str:
    """GL_RENDERER of this display, or an empty string if it has no OpenGL. Needs the QApplication."""
    context, surface = QOpenGLContext(), QOffscreenSurface()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return ""
    name = str(context.functions().glGetString(_GL_RENDERER))
    context.doneCurrent()
    return name


class StageCanvas(scene.SceneCanvas):  # type: ignore[misc]
    """A canvas that says when it wants to be drawn, for whoever shows its picture."""

    def __init__(self, **options: Any) -> None:
        self._on_update: Callable[[], None] | None = None
        super().__init__(**options)

    def set_on_update(self, on_update: Callable[[], None]) -> None:
        self._on_update = on_update

    def update(self, node: scene.Node | None = None) -> None:
        if self._closed:
            return
        super().update(node)
        if self._on_update is not None and not self._drawing:
            self._on_update()


class PictureSurface(QWidget):
    """Shows a canvas that has no place in the window itself, and hands it the events of mouse and keys."""

    def __init__(self, canvas: StageCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gl = canvas.native
        self._picture = QImage()
        self._is_stale = True
        self._is_closed = False
        # Between what changes the scene and the picture of it, whatever else is waiting gets its turn.
        self._update_timer = QTimer(self)
        self._update_timer.setSingleShot(True)
        self._update_timer.timeout.connect(self.update)
        canvas.set_on_update(self._on_update)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        return _PREFERRED_SIZE

    def draw_now(self) -> QImage:
        """Draw at once, also while hidden; returns the picture in device pixels."""
        if not self._is_closed:
            self._picture = self._gl.grabFramebuffer()
        self._is_stale = False
        return self._picture

    def stop(self) -> None:
        """Draw no more and hand nothing on: the canvas is about to go. Its last picture stays."""
        self._is_closed = True

    def delete_canvas_widget(self) -> None:
        """After the canvas has closed: its widget has no parent that would delete it.

        Left to the garbage collector, it would be deleted in whatever thread that runs.
        """
        shiboken6.delete(self._gl)

    def event(self, event: QEvent) -> bool:
        if event.type() in _FORWARDED and not self._is_closed:
            return bool(self._gl.event(event))
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._is_stale:
            self.draw_now()
        painter = QPainter(self)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawImage(self.rect(), self._picture)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._is_closed:
            return
        if self._gl.screen() is not self.screen():
            self._gl.setScreen(self.screen())
        self._gl.resize(event.size())
        # Qt keeps it from a hidden widget until that is shown.
        QCoreApplication.sendEvent(self._gl, QResizeEvent(event.size(), event.oldSize()))
        self._is_stale = True

    def _on_update(self) -> None:
        self._is_stale = True
        if not self._update_timer.isActive():
            self._update_timer.start(0)
