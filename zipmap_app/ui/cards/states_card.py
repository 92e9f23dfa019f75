"""The scene states that can be asked, kept, forked and compared."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QListWidget, QWidget

from zipmap_app.state.commands import CompanionProgress, StateInfo
from zipmap_app.state.queries import LIVE_STATE
from zipmap_app.ui.card import Card, small_label
from zipmap_app.ui.controls import push_button, set_enabled_or_why, wrapped_label
from zipmap_app.ui.progress_bar import ProgressBar

_LIST_PX = 78
_SAVE_TIP = "Write the chosen state to a file (Ctrl+S)"
_FORK_TIP = "Keep the chosen state as it is now, whatever the scene goes on to (Ctrl+K)"
_FORGET_TIP = "Forget the chosen state; a file that it was saved to stays"
_OPEN_TIP = "Read a saved state, to ask it beside the live one"


class StatesCard(Card):
    """Lists the states and says which one is asked, and with which it is compared. GUI thread only."""

    asked_changed = Signal(int, object)  # state_id, compared state_id or None
    save_requested = Signal(int)  # state_id
    open_requested = Signal()
    fork_requested = Signal(int)  # state_id
    forget_requested = Signal(int)  # state_id

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Scene states", parent)
        self._states: tuple[StateInfo, ...] = ()
        self._list = QListWidget()
        self._list.setFixedHeight(_LIST_PX)
        self._list.setToolTip("What the model remembers: now, and as it was kept")
        self._list.currentRowChanged.connect(lambda row: self._show_buttons())
        self._ask, self._compare = QComboBox(), QComboBox()
        self._ask.setToolTip("The state that answers")
        self._compare.setToolTip("Another state that answers the same question beside it")
        for box in (self._ask, self._compare):
            box.activated.connect(lambda index: self._on_asked())
        self._save = push_button("Save…", _SAVE_TIP)
        self._save.clicked.connect(lambda: self._emit(self.save_requested))
        self._open = push_button("Open…", _OPEN_TIP)
        self._open.clicked.connect(lambda: self.open_requested.emit())
        self._fork = push_button("Fork…", _FORK_TIP)
        self._fork.clicked.connect(lambda: self._emit(self.fork_requested))
        self._forget = push_button("Forget", _FORGET_TIP)
        self._forget.clicked.connect(lambda: self._emit(self.forget_requested))
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self._save, self._open, self._fork, self._forget):
            buttons.addWidget(button, 1)
        grid = QGridLayout()
        grid.setSpacing(6)
        grid.setColumnStretch(1, 1)
        for row, (title, box) in enumerate((("Ask", self._ask), ("Compare with", self._compare))):
            grid.addWidget(small_label(title), row, 0)
            grid.addWidget(box, row, 1)
        self.body.addWidget(self._list)
        self.body.addLayout(buttons)
        self.body.addLayout(grid)
        self.show_states(())

    def show_states(self, states: tuple[StateInfo, ...]) -> None:
        """All states in order, the live one (if there is a scene) first; choices stay where they can."""
        if states == self._states and self._list.count():
            return
        asked, compared, chosen = self.asked_id, self.compared_id, self._chosen_id()
        self._states = states
        self._list.clear()
        self._list.addItems([_line(state) for state in states])
        ids = [state.state_id for state in states]
        self._list.setCurrentRow(ids.index(chosen) if chosen in ids else len(ids) - 1)
        self._ask.clear()
        self._compare.clear()
        self._compare.addItem("nothing", None)
        for state in states:
            self._ask.addItem(state.name, state.state_id)
            self._compare.addItem(state.name, state.state_id)
        asked = asked if asked in ids else LIVE_STATE
        self.show_asked(asked, compared if compared in ids and compared != asked else None)
        self._compare.setEnabled(len(states) > 1)
        self._ask.setEnabled(len(states) > 1)
        self._show_buttons()

    @property
    def asked_id(self) -> int:
        """The state that answers."""
        value = self._ask.currentData()
        return LIVE_STATE if value is None else int(value)

    @property
    def compared_id(self) -> int | None:
        value = self._compare.currentData()
        return None if value is None else int(value)

    def name_of(self, state_id: int) -> str:
        """How a state is called, or an empty string."""
        return next((state.name for state in self._states if state.state_id == state_id), "")

    def show_asked(self, state_id: int, compared_id: int | None) -> None:
        """Show which states are asked without announcing it."""
        self._ask.setCurrentIndex(self._ask.findData(state_id))
        self._compare.setCurrentIndex(self._compare.findData(compared_id))

    def _chosen_id(self) -> int | None:
        row = self._list.currentRow()
        return self._states[row].state_id if 0 <= row < len(self._states) else None

    def _emit(self, signal: object) -> None:
        chosen = self._chosen_id()
        if chosen is not None:
            signal.emit(chosen)  # type: ignore[attr-defined]  # bound signals have no public type

    def _on_asked(self) -> None:
        compared = self.compared_id
        if compared == self.asked_id:  # with itself there is nothing to compare
            self.show_asked(self.asked_id, None)
            compared = None
        self.asked_changed.emit(self.asked_id, compared)

    def _show_buttons(self) -> None:
        chosen = self._chosen_id()
        none = "" if chosen is not None else "There is no state yet"
        set_enabled_or_why(self._save, none, _SAVE_TIP)
        set_enabled_or_why(self._fork, none, _FORK_TIP)
        live = "The live scene goes with the run" if chosen == LIVE_STATE else ""
        set_enabled_or_why(self._forget, none or live, _FORGET_TIP)


class CompanionCard(Card):
    """How far the query model has got that follows a live model without queries. Hidden without one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Query model", parent)
        self._text = wrapped_label()
        self._bar = ProgressBar()
        self.body.addWidget(self._text)
        self.body.addWidget(self._bar)
        self.hide()

    def show_progress(self, progress: CompanionProgress | None) -> None:
        """None: there is no second model."""
        self.setVisible(progress is not None)
        if progress is not None:
            self._bar.set_fraction(progress.n_done / max(progress.n_kept, 1))
            self._text.setText(
                f"The live model cannot answer queries. A second one has seen {progress.n_done:,} of "
                f"{progress.n_kept:,} kept frames, and answers from those"
            )


def _line(state: StateInfo) -> str:
    plural = "frame" if state.n_frames == 1 else "frames"
    parts = [state.name, f"{state.n_frames:,} {plural}"]
    if state.memory_bytes:
        parts.append(f"{state.memory_bytes / 1e6:,.0f} MB")
    return "   ·   ".join(parts)
