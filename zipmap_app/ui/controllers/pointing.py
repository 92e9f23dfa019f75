"""Measuring, scale and up: from clicks in the scene to edits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject

from zipmap_app.scene.marks import Segment
from zipmap_app.scene.view import SceneView
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.session import Notice, SessionModel, Severity
from zipmap_app.state.tools import Measurement, PointTool

AskLength = Callable[[float], float | None]  # the length in units -> metres, or None: never mind


class PointingController(QObject):
    """Feeds clicked points to the tool in hand, shows its marks, and does what it was taken up for.

    GUI thread only. ``ask_length`` asks the user how long the marked length is.
    """

    def __init__(
        self,
        session: SessionModel,
        editor: SceneEditor,
        scene: SceneView,
        ask_length: AskLength,
        on_ghost_point: Callable[[np.ndarray], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._editor = editor
        self._scene = scene
        self._ask_length = ask_length
        self._on_ghost_point = on_ghost_point
        self._disconnects = (
            session.tools.changed.connect(self._on_changed),
            session.tools.completed.connect(self._on_completed),
            session.alignment.changed.connect(lambda alignment: self._show_marks()),
            scene.point_picked.connect(session.tools.add_point),
        )

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    def _on_changed(self) -> None:
        self._scene.set_picking(self._session.tools.tool is not None)
        self._show_marks()

    def _show_marks(self) -> None:
        tools, alignment = self._session.tools, self._session.alignment.value
        segments = tuple(
            Segment(each.first, each.second, alignment.length_unit.text(each.length))
            for each in tools.measurements
        )
        ends = [end for each in tools.measurements for end in (each.first, each.second)]
        points = np.array([*ends, *tools.points], float).reshape(-1, 3)
        self._scene.show_marks(points, segments)

    def _on_completed(self, tool: PointTool, points: tuple[np.ndarray, ...]) -> None:
        try:
            match tool:
                case PointTool.MEASURE:
                    self._editor.add_measurement(Measurement(points[0], points[1]))
                case PointTool.SCALE:
                    self._set_scale(float(np.linalg.norm(points[1] - points[0])))
                case PointTool.UP:
                    self._editor.align_up_from_points((points[0], points[1], points[2]))
                case PointTool.GHOST:
                    self._on_ghost_point(points[0])
        except ValueError as error:
            sentence = str(error)[:1].upper() + str(error)[1:]
            self._session.add_notice(Notice(sentence, severity=Severity.WARNING))

    def _set_scale(self, length_in_units: float) -> None:
        if length_in_units == 0:
            raise ValueError("the two points are the same one: click the two ends of a length")
        length_m = self._ask_length(length_in_units)
        if length_m is not None:
            self._editor.set_length(length_in_units, length_m)
