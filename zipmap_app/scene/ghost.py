"""The ghost camera in the viewport: a frustum in the colour of queries, with handles to move and turn it."""

from __future__ import annotations

import numpy as np
from vispy.scene import Node
from vispy.scene.visuals import Line

from zipmap_app.scene.colors import AXIS_COLORS, HIGHLIGHT_COLOR, QUERY_COLOR
from zipmap_app.scene.frusta import FrustumVisual
from zipmap_app.scene.gizmo import HANDLES, Gizmo, Grip, Handle, HandleKind
from zipmap_app.scene.pointer import Button, Mouse, PassiveTool
from zipmap_app.scene.stage import Stage
from zipmap_app.state.event import Event

_ARROW_PX = 92.0  # on the screen, however far the ghost is


class GhostHandle(PassiveTool):
    """Shows the ghost and lets the mouse drag it. GUI thread only.

    ``dragged`` carries the new world_from_camera, (4, 4), model's world; whoever owns the ghost shows it again.
    """

    def __init__(self, parent: Node, stage: Stage) -> None:
        self.dragged: Event[[np.ndarray]] = Event()
        self.released: Event[[]] = Event()
        self._stage = stage
        self._frustum = FrustumVisual(parent, QUERY_COLOR, width_px=2.5)
        self._arrows = Line(pos=np.zeros((2, 3), np.float32), width=4.0, connect="segments", parent=parent)
        self._rings = Line(pos=np.zeros((2, 3), np.float32), width=2.0, connect="segments", parent=parent)
        for order, line in enumerate((self._rings, self._arrows), start=20):
            line.set_gl_state("translucent", depth_test=False)
            line.order = order
            line.visible = False
        self._gizmo: Gizmo | None = None
        self._hovered: Handle | None = None
        self._grip: Grip | None = None

    @property
    def gizmo(self) -> Gizmo | None:
        """The handles as they are drawn; None without a ghost."""
        return self._gizmo

    def show(
        self, world_from_camera: np.ndarray, intrinsics: np.ndarray, size_hw: tuple[int, int], depth: float
    ) -> None:
        """Show a camera of the model's world with a frustum of this depth."""
        self._frustum.show(world_from_camera, intrinsics, size_hw, depth)
        self._gizmo = Gizmo(np.array(world_from_camera, float), 1.0)
        self.update_view()

    def hide(self) -> None:
        self._frustum.hide()
        self._gizmo = self._hovered = self._grip = None
        self._arrows.visible = self._rings.visible = False

    def update_view(self) -> None:
        """The view moved: the handles keep their size on the screen."""
        if self._gizmo is None:
            return
        _, depths = self._stage.project(self._gizmo.eye[None])
        depth = float(depths[0])
        is_in_front = depth > 1e-6
        self._arrows.visible = self._rings.visible = is_in_front
        if is_in_front:
            length = _ARROW_PX * depth / self._stage.camera.view_focal_px
            self._gizmo = Gizmo(self._gizmo.world_from_camera, length)
            self._draw(self._gizmo)

    # The mouse

    def hover(self, mouse: Mouse | None) -> bool:
        handle = None if mouse is None else self._handle_under(mouse)
        if handle != self._hovered:
            self._hovered = handle
            self.update_view()
            self._stage.canvas.update()
        return handle is not None

    def press(self, button: Button, mouse: Mouse) -> bool:
        handle = self._handle_under(mouse) if button is Button.LEFT else None
        if handle is None or self._gizmo is None:
            return False
        self._grip = self._gizmo.grip(handle, self._stage.ray(mouse.x, mouse.y))
        self._hovered = handle if self._grip is not None else None
        return self._grip is not None

    def drag(self, button: Button, mouse: Mouse) -> None:
        if self._grip is None:
            return
        pose = self._grip.pose_for(self._stage.ray(mouse.x, mouse.y))
        if pose is not None:
            self.dragged.emit(pose)

    def release(self, button: Button) -> None:
        if self._grip is not None:
            self._grip = None
            self.released.emit()

    def _handle_under(self, mouse: Mouse) -> Handle | None:
        if self._gizmo is None or not self._arrows.visible:
            return None
        return self._gizmo.handle_under(self._stage.project, mouse.x, mouse.y)

    def _draw(self, gizmo: Gizmo) -> None:
        for kind, line in ((HandleKind.MOVE, self._arrows), (HandleKind.TURN, self._rings)):
            segments, colors = [], []
            for handle in HANDLES:
                if handle.kind is kind:
                    points = gizmo.polyline(handle)
                    pairs = np.stack([points[:-1], points[1:]], axis=1).reshape(-1, 3)
                    color = HIGHLIGHT_COLOR if handle == self._hovered else AXIS_COLORS[handle.axis]
                    segments.append(pairs)
                    colors.append(np.tile(np.asarray(color, np.float32), (len(pairs), 1)))
            line.set_data(pos=np.concatenate(segments).astype(np.float32), color=np.concatenate(colors))
