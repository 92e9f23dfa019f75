"""What can be changed about the run while it runs."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from zipmap_app.state.run_settings import RunSettings
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.cards.companion_choice import CompanionChoice
from zipmap_app.ui.controls import check_box, number_box, show_number

_DEFAULT_FOV_DEG = 65.0  # of many phones held upright and webcams
_ASSIST_TIP = (
    "Follow corners from frame to frame, which steadies the cameras and the scale. From the next scene on"
)
_FOV_TIP = (
    "Say how wide the lens is instead of letting the source or the model find out. From the next scene on"
)


class RunSettingsCard(Card):
    """Edits RunSettings and announces them whole. GUI thread only."""

    changed = Signal(object)  # RunSettings, by the user only

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("From the next frame on", parent)
        self._sky = check_box("Sky", "Leave out the sky, by a rule of thumb on its colour and distance")
        self._black = check_box("Black", "Leave out a plain black background")
        self._white = check_box("White", "Leave out a plain white background")
        self._keyframes = check_box(
            "Points of keyframes only",
            "Frames that show little new give no points: a smaller cloud that says the same",
        )
        self._assist = check_box("Tracking assist", _ASSIST_TIP)
        self._has_fov = check_box("Field of view", _FOV_TIP)
        self._fov = number_box("Horizontal field of view", 10, 150, decimals=0, step=5, suffix="°")
        self.companion = CompanionChoice()
        masks = QHBoxLayout()
        masks.setSpacing(12)
        masks.addWidget(small_label("Leave out"))
        for box in (self._sky, self._black, self._white):
            masks.addWidget(box)
        masks.addStretch(1)
        rest = QGridLayout()
        rest.setVerticalSpacing(8)
        rest.setColumnStretch(0, 1)
        rest.addWidget(self._keyframes, 0, 0, 1, 2)
        rest.addWidget(self._assist, 1, 0, 1, 2)
        rest.addWidget(self._has_fov, 2, 0)
        rest.addWidget(self._fov, 2, 1)
        self.body.addLayout(masks)
        self.body.addLayout(rest)
        self.body.addWidget(self.companion)
        boxes = (self._sky, self._black, self._white, self._keyframes, self._assist, self._has_fov)
        for box in boxes:
            box.clicked.connect(lambda _=False: self._on_edited())
        self.companion.changed.connect(self._on_edited)
        self._fov.valueChanged.connect(lambda value: self._on_edited())
        self.show_settings(RunSettings())

    @property
    def settings(self) -> RunSettings:
        """What is set now."""
        return RunSettings(
            leaves_out_sky=self._sky.isChecked(),
            leaves_out_black=self._black.isChecked(),
            leaves_out_white=self._white.isChecked(),
            has_keyframe_points_only=self._keyframes.isChecked(),
            has_assist=self._assist.isChecked(),
            fov_x_deg=self._fov.value() if self._has_fov.isChecked() else None,
            companion=self.companion.model,
            has_one_model_at_a_time=self.companion.alternate.isChecked(),
        )

    def show_settings(self, settings: RunSettings) -> None:
        """Show settings without announcing them."""
        self._sky.setChecked(settings.leaves_out_sky)
        self._black.setChecked(settings.leaves_out_black)
        self._white.setChecked(settings.leaves_out_white)
        self._keyframes.setChecked(settings.has_keyframe_points_only)
        self._assist.setChecked(settings.has_assist)
        self._has_fov.setChecked(settings.fov_x_deg is not None)
        show_number(self._fov, settings.fov_x_deg or _DEFAULT_FOV_DEG)
        self._fov.setEnabled(settings.fov_x_deg is not None)
        self.companion.show_choice(settings.companion, is_alternate=settings.has_one_model_at_a_time)

    def _on_edited(self) -> None:
        self._fov.setEnabled(self._has_fov.isChecked())
        self.changed.emit(self.settings)
