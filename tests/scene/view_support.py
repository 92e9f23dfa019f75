"""A viewport in a window of its own, and hands to use it with."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from zipmap_app.scene.view import SceneView
from zipmap_app.state.session import SessionModel

SIZE = (400, 300)


def open_view(qtbot, session: SessionModel) -> tuple[SceneView, QWidget]:
    """A shown SceneView of SIZE and its window, to be closed in this order."""
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.setContentsMargins(0, 0, 0, 0)
    view = SceneView(session, window)
    layout.addWidget(view.native)
    window.resize(*SIZE)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: view.camera.size_px == SIZE and view.renderer != "")
    return view, window


def settle(qtbot, view: SceneView) -> None:
    """Wait until the view has stopped moving by itself."""
    qtbot.waitUntil(lambda: not view._navigation.is_moving)


def picture_of(view: SceneView) -> np.ndarray:
    """(H, W, 3) uint8 of the viewport, with all points there."""
    image = view.grab()
    while view.points.store.n_waiting or view.queried_points.store.n_waiting:
        image = view.grab()
    image = image.convertToFormat(image.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8)
    rows = flat.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
    return rows.reshape(image.height(), image.width(), 3).copy()


def pixel_of(view: SceneView, point: np.ndarray) -> QPoint:
    """Where a point of the model's world is on the screen."""
    pixels, depths = view._stage.project(np.asarray(point, float)[None])
    assert depths[0] > 0
    return QPoint(*np.round(pixels[0]).astype(int))


def send_mouse(
    view: SceneView, kind: QEvent.Type, position: QPoint, held: Qt.MouseButton = Qt.MouseButton.NoButton
) -> None:
    """A mouse event by hand: QTest cannot hold a button while the mouse moves."""
    changed = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else held
    event = QMouseEvent(
        kind,
        QPointF(position),
        QPointF(view.native.mapToGlobal(position)),
        changed,
        held,
        Qt.KeyboardModifier.NoModifier,
    )
    QCoreApplication.sendEvent(view.native, event)


def drag(qtbot, view: SceneView, start: QPoint, end: QPoint, button=Qt.MouseButton.LeftButton) -> None:
    """Press, move and release; VisPy drops moves that come in quick succession."""
    send_mouse(view, QEvent.Type.MouseButtonPress, start, button)
    for share in (0.5, 1.0):
        qtbot.wait(15)
        send_mouse(view, QEvent.Type.MouseMove, start + (end - start) * share, button)
    send_mouse(view, QEvent.Type.MouseButtonRelease, end, button)


def click(qtbot, view: SceneView, position: QPoint) -> None:
    qtbot.mouseClick(view.native, Qt.MouseButton.LeftButton, pos=position)


def hover(qtbot, view: SceneView, position: QPoint) -> None:
    qtbot.wait(15)
    send_mouse(view, QEvent.Type.MouseMove, position)
