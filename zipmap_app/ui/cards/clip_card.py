"""A box outside of which no points are drawn."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtWidgets import QGridLayout, QWidget

from zipmap_app.state.alignment import Alignment, AlignmentModel
from zipmap_app.state.appearance import Appearance, AppearanceModel, ClipBox
from zipmap_app.state.cloud import CloudModel
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.controls import check_box, push_button, set_enabled_or_why
from zipmap_app.ui.length_box import LengthBox

_ON_TIP = "Draw only the points inside the box"
_FIT_TIP = "Put the box around the bulk of the points"
# Stage space has y pointing down; nobody thinks of a ceiling as a small number.
_AXES = ("Left, right", "Top, bottom", "Near, far")


class ClipCard(Card):
    """Switches and edits the clip box, in stage space. GUI thread only.

    Hidden points are still there: they are saved, measured and asked as before.
    """

    def __init__(
        self,
        look: AppearanceModel,
        cloud: CloudModel,
        alignment: AlignmentModel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Clip box", parent)
        self._look = look
        self._cloud = cloud
        self._alignment = alignment
        self._turn = alignment.value.stage_from_world
        self._on = check_box("On", _ON_TIP)
        self._on.clicked.connect(self._on_switched)
        self.title_row.addWidget(self._on)
        self._low = [LengthBox(f"{axis}: lower end") for axis in _AXES]
        self._high = [LengthBox(f"{axis}: upper end") for axis in _AXES]
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        for row, (axis, low, high) in enumerate(zip(_AXES, self._low, self._high, strict=True)):
            grid.addWidget(small_label(axis), row, 0)
            grid.addWidget(low, row, 1)
            grid.addWidget(high, row, 2)
            low.edited.connect(partial(self._on_edited, row, True))
            high.edited.connect(partial(self._on_edited, row, False))
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        self.body.addLayout(grid)
        self._fit = push_button("Fit to scene", _FIT_TIP, "frame")
        self._fit.clicked.connect(lambda: self._fit_to_scene())
        self.body.addWidget(self._fit)
        self._disconnects = (
            look.changed.connect(self._show),
            alignment.changed.connect(self._on_alignment),
            cloud.cleared.connect(self._on_cleared),
            cloud.appended.connect(lambda points: self._show_available()),
        )
        self._show(look.value)

    def release(self) -> None:
        """Let go of the models."""
        for disconnect in self._disconnects:
            disconnect()

    def _on_switched(self, is_on: bool) -> None:
        if is_on:
            self._fit_to_scene()
        else:
            self._look.edit(clip_box=None)

    def _fit_to_scene(self) -> None:
        extent = self._cloud.extent(self._alignment.value.stage_from_world)
        if extent is not None:
            self._look.edit(clip_box=ClipBox.around(extent))

    def _on_edited(self, axis: int, is_low: bool, value: float) -> None:
        box = self._look.value.clip_box
        if box is None:
            return
        low, high = list(box.minimum), list(box.maximum)
        (low if is_low else high)[axis] = value
        try:
            self._look.edit(clip_box=ClipBox((low[0], low[1], low[2]), (high[0], high[1], high[2])))
        except ValueError:  # an end was moved past the other: the box stays as it was
            self._show(self._look.value)

    def _on_alignment(self, alignment: Alignment) -> None:
        # A box in a space that has turned since would cut the scene somewhere else.
        has_turned = not np.array_equal(alignment.stage_from_world, self._turn)
        self._turn = alignment.stage_from_world
        if has_turned and self._look.value.clip_box is not None:
            self._fit_to_scene()
        self._show(self._look.value)  # the unit of the numbers may be another one

    def _on_cleared(self) -> None:
        self._look.edit(clip_box=None)
        self._show_available()

    def _show(self, appearance: Appearance) -> None:
        box = appearance.clip_box
        self._on.setChecked(box is not None)
        if box is not None:
            step = max(high - low for low, high in zip(box.minimum, box.maximum, strict=True)) / 50
            unit = self._alignment.value.length_unit
            for boxes, values in ((self._low, box.minimum), (self._high, box.maximum)):
                for spin, value in zip(boxes, values, strict=True):
                    spin.show_length(value, unit, step)
        for spin in (*self._low, *self._high):
            spin.setEnabled(box is not None)
        self._show_available()

    def _show_available(self) -> None:
        why_not = "" if self._cloud.n_points else "There are no points yet"
        set_enabled_or_why(self._on, why_not, _ON_TIP)
        set_enabled_or_why(self._fit, why_not, _FIT_TIP)
