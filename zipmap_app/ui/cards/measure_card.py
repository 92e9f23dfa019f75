"""Distances between points of the scene."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QWidget

from zipmap_app.state.alignment import AlignmentModel
from zipmap_app.state.tools import PointTool, ToolModel
from zipmap_app.ui.card import Card
from zipmap_app.ui.controls import push_button, set_enabled_or_why, tool_button, wrapped_label

_START_TIP = "Click two points of the scene to measure their distance (M)"
_MAX_LIST_PX = 104


class MeasureCard(Card):
    """Starts measuring, and lists what was measured. GUI thread only."""

    tool_requested = Signal(object)  # PointTool.MEASURE, or None: put it away
    kept = Signal(object)  # tuple[Measurement, ...]: the others were deleted

    def __init__(self, tools: ToolModel, alignment: AlignmentModel, parent: QWidget | None = None) -> None:
        super().__init__("Measure", parent)
        self._tools = tools
        self._alignment = alignment
        self._start = push_button("Measure", _START_TIP, "measure")
        self._start.setCheckable(True)
        self._start.clicked.connect(
            lambda is_on: self.tool_requested.emit(PointTool.MEASURE if is_on else None)
        )
        self._list = QListWidget()
        self._list.setToolTip("What was measured, in the order of measuring")
        self._list.setMaximumHeight(_MAX_LIST_PX)
        self._list.currentRowChanged.connect(lambda row: self._show_buttons())
        self._delete = tool_button("trash", "Delete the chosen measurement")
        self._delete.clicked.connect(lambda: self._on_delete())
        self._delete_all = push_button("Delete all", "Delete all measurements")
        self._delete_all.clicked.connect(lambda: self.kept.emit(()))
        self._empty = wrapped_label("Nothing was measured yet")
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._start, 1)
        row.addWidget(self._delete)
        row.addWidget(self._delete_all)
        self.body.addLayout(row)
        self.body.addWidget(self._list)
        self.body.addWidget(self._empty)
        self._disconnects = (
            tools.changed.connect(self._show),
            alignment.changed.connect(lambda value: self._show()),
        )
        self.set_has_scene(False)
        self._show()

    def release(self) -> None:
        """Let go of the models."""
        for disconnect in self._disconnects:
            disconnect()

    def set_has_scene(self, has_scene: bool) -> None:
        """Whether there is something to measure."""
        set_enabled_or_why(self._start, "" if has_scene else "There is no scene yet", _START_TIP)

    def _show(self) -> None:
        self._start.setChecked(self._tools.tool is PointTool.MEASURE)
        texts = [self._alignment.value.length_unit.text(each.length) for each in self._tools.measurements]
        lines = [f"{number}.   {text}" for number, text in enumerate(texts, 1)]
        if lines != [self._list.item(row).text() for row in range(self._list.count())]:
            chosen = self._list.currentRow()
            self._list.clear()
            self._list.addItems(lines)
            self._list.setCurrentRow(min(max(chosen, 0), len(lines) - 1))
        self._list.setVisible(bool(lines))
        self._empty.setVisible(not lines)
        self._show_buttons()

    def _show_buttons(self) -> None:
        self._delete.setEnabled(self._list.currentRow() >= 0)
        self._delete_all.setEnabled(self._list.count() > 0)

    def _on_delete(self) -> None:
        chosen = self._list.currentRow()
        measurements = self._tools.measurements
        self.kept.emit((*measurements[:chosen], *measurements[chosen + 1 :]))
