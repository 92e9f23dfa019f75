"""Asks how long the marked length is."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from zipmap_app.ui.controls import number_box, wrapped_label

_METRES_PER = {"m": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048, "in": 0.0254}


class ScaleDialog(QDialog):
    """A length with its unit; ``length_m`` is what was entered."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Set the scale")
        self.length = number_box("How long it is in reality", 0.0001, 1e6, decimals=3, step=0.1)
        self.length.setValue(1.0)
        self.length.selectAll()
        self.unit = QComboBox()
        self.unit.addItems(list(_METRES_PER))
        self.unit.setToolTip("Unit of the length")
        row = QHBoxLayout()
        row.addWidget(QLabel("Length"))
        row.addWidget(self.length, 1)
        row.addWidget(self.unit)
        choices = QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        buttons = QDialogButtonBox(choices)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(14)
        layout.addWidget(wrapped_label("How long is the length between the two points you clicked?"))
        layout.addLayout(row)
        layout.addWidget(buttons)
        self.setMinimumWidth(320)

    @property
    def length_m(self) -> float:
        return self.length.value() * _METRES_PER[self.unit.currentText()]


def ask_for_length(parent: QWidget) -> float | None:
    """The length in metres, or None."""
    dialog = ScaleDialog(parent)
    is_accepted = dialog.exec() == QDialog.DialogCode.Accepted
    length_m = dialog.length_m
    dialog.deleteLater()
    return length_m if is_accepted else None
