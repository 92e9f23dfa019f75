"""Where the ghost camera stands: placed, dragged in the scene, typed in numbers."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject

from zipmap_app.scene.view import SceneView
from zipmap_app.state.ghost import GhostView, looking_at
from zipmap_app.state.history import FrameRecord
from zipmap_app.state.session import SessionModel

_UP = np.array([0.0, -1.0, 0.0])


class GhostController(QObject):
    """Keeps the ghost of the state and the one in the scene the same. GUI thread only.

    The ghost has the lens of the scene's newest camera, so what is drawn is exactly what is asked.
    """

    def __init__(self, session: SessionModel, scene: SceneView, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._scene = scene
        self._disconnects = (
            session.ghost.changed.connect(self._on_ghost),
            scene.ghost_dragged.connect(session.ghost.move),
        )

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    def place_at_view(self) -> None:
        """Where the user looks from."""
        self._place(self._scene.view_pose())

    def place_at_frame(self, record: FrameRecord) -> None:
        """Where the camera of a frame stood."""
        view = GhostView(record.world_from_camera.copy(), record.intrinsics.copy(), record.size_hw)
        self._session.ghost.place(view)

    def place_on_point(self, point: np.ndarray) -> None:
        """Where the user looks from, but looking at ``point`` ((3,), model's world)."""
        up_in_world = self._session.alignment.value.stage_from_world.T @ _UP
        eye = self._scene.view_pose()[:3, 3]
        self._place(looking_at(eye, np.asarray(point, float), up_in_world))

    def _place(self, world_from_camera: np.ndarray) -> None:
        frame = self._session.current_frame
        if frame is None:
            return
        size_hw = (frame.rgb.shape[0], frame.rgb.shape[1])
        self._session.ghost.place(GhostView(world_from_camera.copy(), frame.intrinsics.copy(), size_hw))

    def _on_ghost(self, view: GhostView | None) -> None:
        if view is None:
            self._scene.hide_ghost()
        else:
            self._scene.show_ghost(view.world_from_camera, view.intrinsics, view.size_hw)


def nearest_record(records: tuple[FrameRecord, ...], view: GhostView, unit: float) -> FrameRecord | None:
    """The frame whose camera is most like the ghost's: a turn of 90 degrees counts like a way of ``unit``."""
    if not records:
        return None
    poses = np.stack([record.world_from_camera for record in records])
    ways = np.linalg.norm(poses[:, :3, 3] - view.world_from_camera[:3, 3], axis=1)
    cosines = poses[:, :3, 2] @ view.world_from_camera[:3, 2]
    turns = np.arccos(np.clip(cosines, -1, 1)) / (np.pi / 2)
    return records[int(np.argmin(ways / unit + turns))]
