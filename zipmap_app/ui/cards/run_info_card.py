"""The run in a few lines of numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from zipmap_app.state.session import SessionStatus
from zipmap_app.ui.card import Card, small_label

_NONE = "–"
_ROWS = (
    ("Model", "The weights, and the device that they run on"),
    ("Source", "What is being reconstructed"),
    ("Frames", "Frames processed, and how many the source says it has"),
    ("Points", "Points in the scene"),
    ("Lens", "Horizontal field of view of the newest frame, and its focal length in pixels"),
)


class RunInfoCard(Card):
    """Shows a SessionStatus and the lens of the newest frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Run", parent)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        self._values: dict[str, QLabel] = {}
        for row, (title, tooltip) in enumerate(_ROWS):
            name, value = small_label(title), QLabel(_NONE)
            value.setProperty("role", "value")
            for label in (name, value):
                label.setToolTip(tooltip)
            grid.addWidget(name, row, 0)
            grid.addWidget(value, row, 1)
            self._values[title] = value
        self.body.addLayout(grid)

    def text(self, title: str) -> str:
        """What stands beside a title."""
        return self._values[title].text()

    def show_status(self, status: SessionStatus) -> None:
        hint = f" of {status.n_frames_hint:,}" if status.n_frames_hint else ""
        model = f"{Path(status.model_name).name} on {status.device}" if status.model_name else ""
        self._values["Model"].setText(model or _NONE)
        # A long name must not widen the panel.
        metrics = self.fontMetrics()
        self._values["Source"].setText(
            metrics.elidedText(status.source_name, Qt.TextElideMode.ElideMiddle, 200)
            if status.source_name
            else _NONE
        )
        self._values["Frames"].setText(f"{status.n_frames:,}{hint}" if status.source_name else _NONE)
        self._values["Points"].setText(f"{status.n_points:,}" if status.n_points else _NONE)

    def show_lens(self, intrinsics: np.ndarray | None, width_px: int) -> None:
        """(3, 3) intrinsics of a picture ``width_px`` wide, or None."""
        if intrinsics is None:
            self._values["Lens"].setText(_NONE)
            return
        focal_px = float(intrinsics[0, 0])
        fov_deg = math.degrees(2 * math.atan2(width_px / 2, focal_px))
        self._values["Lens"].setText(f"{fov_deg:.0f}° wide, {focal_px:.0f} px")
