"""Progress of the bidirectional pass, and then the choice between before and after."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from zipmap_app.ui.controls import Choice, SegmentedControl, push_button
from zipmap_app.ui.progress_bar import ProgressBar

_TOP_PX = 12
_WIDTH_PX = 430


class FinaliseBar(QFrame):
    """Floats at the top of its parent from the start of the pass until the user has chosen. GUI thread only."""

    cancel_requested = Signal()
    refined_chosen = Signal(object)  # bool: show the scene after (True) or before the pass
    kept = Signal()  # the user has compared enough: whatever is shown stays

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._stage = parent
        self.setObjectName("finaliseBar")
        self._text = QLabel()
        self._progress = ProgressBar()
        self._cancel = push_button("Cancel", "Stop the pass; the scene stays as it is")
        self._cancel.clicked.connect(lambda: self.cancel_requested.emit())
        self.choice = SegmentedControl(
            (
                Choice(False, "Before", "The scene as it was streamed"),
                Choice(True, "After", "The scene with the cameras and points of the bidirectional pass"),
            )
        )
        self.choice.chosen.connect(self.refined_chosen)
        self._keep = push_button("Keep this", "Go on with what is shown now; Undo still takes it back")
        self._keep.clicked.connect(self._on_keep)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 7, 8, 7)
        row.setSpacing(12)
        row.addWidget(self._text)
        row.addWidget(self._progress, 1)
        for widget in (self.choice, self._keep, self._cancel):
            row.addWidget(widget)
        self.hide()

    def show_progress(self, fraction: float) -> None:
        """The pass is under way, 0 to 1."""
        self._text.setText(f"Finalising  {round(fraction * 100)} %")
        self._progress.set_fraction(fraction)
        self._show(is_running=True)

    def show_choice(self, *, is_refined: bool) -> None:
        """The pass is done; ``is_refined`` says which scene is shown now."""
        self._text.setText("Finalised")
        self.choice.set_value(is_refined)
        self._show(is_running=False)

    def place(self) -> None:
        """Centre it over the parent, whose size changed."""
        self.adjustSize()
        width = min(max(self.sizeHint().width(), _WIDTH_PX), self._stage.width() - 24)
        self.resize(width, self.height())
        self.move((self._stage.width() - width) // 2, _TOP_PX)

    def _show(self, *, is_running: bool) -> None:
        for widget, is_wanted in (
            (self._progress, is_running),
            (self._cancel, is_running),
            (self.choice, not is_running),
            (self._keep, not is_running),
        ):
            widget.setVisible(is_wanted)
        self.show()
        self.place()
        self.raise_()

    def _on_keep(self) -> None:
        self.hide()
        self.kept.emit()
