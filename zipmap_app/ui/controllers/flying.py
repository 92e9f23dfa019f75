"""Shows a camera flight in the scene and plays it as a preview."""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from zipmap_app.scene.view import SceneView
from zipmap_app.state.ghost import GhostView
from zipmap_app.state.session import SessionModel


class FlightController(QObject):
    """Draws the flight's path while it changes; ``preview`` moves the ghost along it in real time.

    GUI thread only. The timer runs only during a preview.
    """

    preview_changed = Signal(bool)

    def __init__(self, session: SessionModel, scene: SceneView, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._scene = scene
        self._started_s = 0.0
        self._views: tuple[GhostView, ...] = ()
        self._ghost_before: GhostView | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(33)
        self._timer.timeout.connect(self._on_tick)
        self._disconnect = session.flight.changed.connect(self._on_changed)

    def close(self) -> None:
        self._timer.stop()
        self._disconnect()

    def preview(self) -> None:
        """Let the ghost fly, or stop it when it does."""
        if self._timer.isActive():
            self._stop()
        elif self._session.flight.is_ready:
            self._views = self._session.flight.views()
            self._ghost_before = self._session.ghost.view
            self._started_s = time.monotonic()
            self._timer.start()
            self.preview_changed.emit(True)

    def _stop(self) -> None:
        """The ghost goes back to where it was before the preview."""
        self._timer.stop()
        if self._ghost_before is not None:
            self._session.ghost.place(self._ghost_before)
        else:
            self._session.ghost.remove()
        self.preview_changed.emit(False)

    def _on_tick(self) -> None:
        rate = self._session.flight.settings.frames_per_s
        place = round((time.monotonic() - self._started_s) * rate)
        if place >= len(self._views):
            self._stop()
        else:
            self._session.ghost.place(self._views[place])

    def _on_changed(self) -> None:
        flight = self._session.flight
        if self._timer.isActive():
            self._stop()
        poses = np.stack([view.world_from_camera for view in flight.views()]) if flight.is_ready else None
        keys = tuple(key.world_from_camera for key in flight.keys)
        self._scene.show_flight(
            poses if poses is not None else np.empty((0, 4, 4)),
            np.stack(keys) if keys else np.empty((0, 4, 4)),
        )
