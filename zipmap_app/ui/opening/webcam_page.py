"""Webcams by name, with a live picture of the chosen one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from zipmap_app.ui.controls import push_button, wrapped_label
from zipmap_app.ui.image_view import ImageView
from zipmap_app.ui.opening.choice import CameraBrowser, NamedCamera

_NONE_FOUND = (
    "No camera found. Plug one in and press Refresh; on Linux you may have to join the group “video”. "
    "A phone works as a network stream."
)


class WebcamPage(QWidget):
    """Looks for cameras when it is shown, and lets go of the previewed one when it is hidden."""

    changed = Signal()
    activated = Signal()  # double click: open it

    def __init__(self, browser: CameraBrowser, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._browser = browser
        self.cameras = QListWidget()
        self.cameras.setToolTip("Cameras of this machine")
        self.cameras.setMaximumWidth(230)
        self.cameras.currentItemChanged.connect(lambda new, old: self._on_chosen())
        self.cameras.itemDoubleClicked.connect(lambda item: self.activated.emit())
        self._refresh = push_button("Refresh", "Look for cameras again", "refresh")
        self._refresh.clicked.connect(self.look)
        self.picture = ImageView("Choose a camera")
        self._note = wrapped_label()
        left = QVBoxLayout()
        left.addWidget(self.cameras, 1)
        left.addWidget(self._refresh)
        right = QVBoxLayout()
        right.addWidget(self.picture, 1)
        right.addWidget(self._note)
        row = QHBoxLayout(self)
        row.setSpacing(14)
        row.addLayout(left)
        row.addLayout(right, 1)

    @property
    def spec(self) -> str:
        """The chosen camera's number, or an empty string."""
        item = self.cameras.currentItem()
        return "" if item is None else str(item.data(Qt.ItemDataRole.UserRole))

    def look(self) -> None:
        """Fill the list anew."""
        self._browser.stop_preview()
        self.cameras.clear()
        self.picture.clear()
        self.picture.set_placeholder("Looking for cameras…")
        self._browser.find(self._on_found)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.look()

    def hideEvent(self, event: QHideEvent) -> None:
        self._browser.stop_preview()
        super().hideEvent(event)

    def _on_found(self, cameras: Sequence[NamedCamera]) -> None:
        self.cameras.clear()
        for camera in cameras:
            item = QListWidgetItem(camera.name)
            item.setData(Qt.ItemDataRole.UserRole, camera.index)
            item.setToolTip(f"Camera number {camera.index}")
            self.cameras.addItem(item)
        self.picture.set_placeholder("Choose a camera" if cameras else "No camera")
        self._note.setText("" if cameras else _NONE_FOUND)
        if cameras:
            self.cameras.setCurrentRow(0)
        self.changed.emit()

    def _on_chosen(self) -> None:
        self.picture.clear()
        self._note.setText("")
        if self.spec and self.isVisible():
            self.picture.set_placeholder("Waiting for the first picture…")
            self._browser.start_preview(int(self.spec), self._on_frame, self._on_failed)
        self.changed.emit()

    def _on_frame(self, rgb: np.ndarray) -> None:
        self.picture.show_rgb(rgb)
        self._note.setText(f"{rgb.shape[1]} × {rgb.shape[0]} pixels")

    def _on_failed(self, sentence: str) -> None:
        self.picture.clear()
        self.picture.set_placeholder("No picture")
        self._note.setText(sentence)
