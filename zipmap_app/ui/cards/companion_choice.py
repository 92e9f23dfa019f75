"""Who answers questions where the run's model cannot."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from zipmap_app.ui import dialogs
from zipmap_app.ui.card import small_label
from zipmap_app.ui.controls import check_box, set_enabled_or_why, wrapped_label

_NAMED = ("state_query", "bundled")  # models that answer, as the command line knows them
_OTHER_FILE = 0  # data of the line that asks for a file; the others have a model or None
_MODEL_TIP = (
    "A second model that looks at the kept keyframes whenever there is time, and answers from them.\n"
    "At once, also for the scene there is"
)
_ALTERNATE_TIP = (
    "Where memory does not hold both: once the run is over, the model that reconstructs makes room for the one "
    "that answers.\nQuestions wait until then; afterwards going back, finalising and going on need a new run, "
    "which loads the first model again"
)


class CompanionChoice(QWidget):
    """Chooses the answering model; hidden where the run's own is enough. GUI thread only."""

    changed = Signal()  # by the user only

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model_name = ""
        self._answers_itself = False
        self._model: str | None = None
        self.models = QComboBox()
        self.models.setToolTip(_MODEL_TIP)
        self.models.activated.connect(self._on_activated)
        self.alternate = check_box("One model at a time", _ALTERNATE_TIP)
        self.alternate.clicked.connect(lambda _=False: self.changed.emit())
        self._note = wrapped_label()
        name = small_label("Questions answered by")
        name.setBuddy(self.models)
        name.setToolTip(_MODEL_TIP)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        grid.addWidget(name, 0, 0)
        grid.addWidget(self.models, 0, 1)
        grid.addWidget(self._note, 1, 0, 1, 2)
        grid.addWidget(self.alternate, 2, 0, 1, 2)
        self._show()

    @property
    def model(self) -> str | None:
        """A name or the path of weights; None: nobody but the run's own model."""
        return self._model

    def show_choice(self, model: str | None, *, is_alternate: bool) -> None:
        """Show a choice without announcing it."""
        self._model = model
        self.alternate.setChecked(is_alternate)
        self._show()

    def show_run_model(self, name: str, *, answers_itself: bool) -> None:
        """The model that reconstructs; an empty name while there is none."""
        if (name, answers_itself) != (self._model_name, self._answers_itself):
            self._model_name, self._answers_itself = name, answers_itself
            self._show()

    def _on_activated(self, index: int) -> None:
        chosen = self.models.itemData(index)
        if chosen == _OTHER_FILE:
            path = dialogs.ask_for_weights(self)
            chosen = self._model if path is None else str(path)
        is_other = chosen != self._model
        self._model = chosen
        self._show()
        if is_other:
            self.changed.emit()

    def _show(self) -> None:
        is_needed = bool(self._model_name) and not self._answers_itself
        self.models.clear()
        self.models.addItem("nobody" if is_needed else "this model", None)
        for name in _NAMED:
            self.models.addItem(name, name)
        if self._model is not None and self._model not in _NAMED:
            self.models.addItem(Path(self._model).name, self._model)
        self.models.addItem("a file…", _OTHER_FILE)
        self.models.setCurrentIndex(self.models.findData(self._model))
        if is_needed and self._model is None:
            note = "This model cannot answer questions itself"
        elif self._answers_itself and self._model is not None:
            note = "Not needed now: this model answers itself"
        else:
            note = ""
        self._note.setText(note)
        self._note.setVisible(bool(note))
        nobody = "" if self._model is not None else "There is no second model"
        set_enabled_or_why(self.alternate, nobody, _ALTERNATE_TIP)
        self.setVisible(is_needed or self._model is not None)
