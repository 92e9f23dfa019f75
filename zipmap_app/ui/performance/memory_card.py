"""What the scene keeps, against what it may keep."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from zipmap_app.state.memory import MemoryBudget, MemoryUse
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.controls import wrapped_label
from zipmap_app.ui.progress_line import ProgressLine
from zipmap_app.ui.status_bar import memory_text

_PARTS = (
    ("Points", "points_bytes", "Points in memory and on the GPU; beyond the limit the cloud is thinned"),
    ("Pictures", "pictures_bytes", "Pictures of the frames; beyond the limit every second old one goes"),
    ("Undo", "undo_bytes", "What undo needs; beyond the limit the oldest steps go"),
    ("Rewind", "rewind_bytes", "What going back needs; beyond the limit it becomes coarser"),
)


class MemoryCard(Card):
    """One line for each part of a MemoryUse."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Memory of the scene", parent)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(1, 1)
        self.lines = {field: ProgressLine() for _, field, _ in _PARTS}
        self._texts = {field: small_label() for _, field, _ in _PARTS}
        for row, (title, field, tip) in enumerate(_PARTS):
            name = small_label(title)
            for widget in (name, self.lines[field], self._texts[field]):
                widget.setToolTip(tip)
            grid.addWidget(name, row, 0)
            grid.addWidget(self.lines[field], row, 1)
            grid.addWidget(self._texts[field], row, 2)
        self._total = wrapped_label()
        self.body.addLayout(grid)
        self.body.addWidget(self._total)

    def show_use(self, use: MemoryUse, budget: MemoryBudget) -> None:
        """Parts of ``use`` against the same parts of ``budget``."""
        for _, field, _ in _PARTS:
            used_bytes, limit_bytes = getattr(use, field), getattr(budget, field)
            self.lines[field].set_fraction(min(used_bytes / limit_bytes, 1.0))
            self._texts[field].setText(memory_text(used_bytes, limit_bytes))
        text = memory_text(use.total_bytes, budget.total_bytes)
        self._total.setText(f"{text} in all; the model comes on top")
