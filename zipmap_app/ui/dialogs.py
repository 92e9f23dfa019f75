"""Questions and information in their own windows."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QGridLayout, QHBoxLayout, QInputDialog, QLabel, QWidget

from zipmap_app.ui.actions import ACTIONS
from zipmap_app.ui.chrome import MENUS

_MEDIA = (
    "*.mp4 *.mov *.avi *.mkv *.webm *.m4v *.mpg *.mpeg *.ts *.gif *.apng *.webp "
    "*.jpg *.jpeg *.png *.heic *.heif *.tif *.tiff *.bmp"
)
_STATE = ".zipmap"
_MOUSE = (
    ("Left drag", "Orbit, or look around while flying"),
    ("Right or middle drag", "Pan"),
    ("Wheel", "Zoom to the mouse"),
    ("Double click on a point", "Orbit about it"),
    ("Click on a camera", "Go to its frame"),
    ("Ctrl + wheel", "Point size"),
    ("Alt + wheel", "Camera size"),
)
_FLYING = (
    ("W, A, S, D", "Forward, left, back, right"),
    ("Q, E", "Down, up"),
    ("Shift", "Faster"),
)
_N_COLUMNS = 3


def ask_for_video(parent: QWidget, folder: Path) -> Path | None:
    """A video or picture the user chose, or None."""
    title = "Open a video or a picture"
    path, _ = QFileDialog.getOpenFileName(
        parent, title, str(folder), f"Videos and pictures ({_MEDIA});;All files (*)"
    )
    return Path(path) if path else None


def ask_for_folder(parent: QWidget, folder: Path) -> Path | None:
    path = QFileDialog.getExistingDirectory(parent, "Open a folder of photos", str(folder))
    return Path(path) if path else None


def ask_for_address(parent: QWidget) -> str | None:
    """A camera number or stream address, or None."""
    label = "Camera number (0, 1, …) or stream address (rtsp://…, http://…)"
    text, is_accepted = QInputDialog.getText(parent, "Open address", label)
    return text.strip() if is_accepted and text.strip() else None


def ask_for_screenshot(parent: QWidget, suggestion: Path) -> Path | None:
    path, _ = QFileDialog.getSaveFileName(parent, "Save screenshot", str(suggestion), "PNG picture (*.png)")
    return _with_suffix(path, ".png")


def ask_for_cloud(parent: QWidget, suggestion: Path) -> Path | None:
    path, _ = QFileDialog.getSaveFileName(parent, "Save cloud", str(suggestion), "Point cloud (*.ply)")
    return _with_suffix(path, ".ply")


def ask_for_state_file(parent: QWidget, suggestion: Path) -> Path | None:
    path, _ = QFileDialog.getSaveFileName(parent, "Save state", str(suggestion), f"Scene state (*{_STATE})")
    return _with_suffix(path, _STATE)


def ask_for_saved_state(parent: QWidget, folder: Path) -> Path | None:
    path, _ = QFileDialog.getOpenFileName(parent, "Open state", str(folder), f"Scene state (*{_STATE})")
    return Path(path) if path else None


def ask_for_weights(parent: QWidget) -> Path | None:
    path, _ = QFileDialog.getOpenFileName(
        parent, "A model that answers questions", str(Path.home()), "Weights (*.safetensors *.pt)"
    )
    return Path(path) if path else None


def ask_for_flight_video(parent: QWidget, suggestion: Path) -> Path | None:
    kinds = "MP4 video (*.mp4);;WebM video (*.webm)"
    path, kind = QFileDialog.getSaveFileName(parent, "Save flight", str(suggestion), kinds)
    if path.lower().endswith((".mp4", ".webm")):
        return Path(path)
    return _with_suffix(path, ".webm" if "webm" in kind else ".mp4")


def ask_for_flight_folder(parent: QWidget, folder: Path) -> Path | None:
    """A new folder inside the one the user chose, or None."""
    path = QFileDialog.getExistingDirectory(parent, "Folder for the pictures of the flight", str(folder))
    return Path(path) / "flight" if path else None


def _with_suffix(path: str, suffix: str) -> Path | None:
    if not path:
        return None
    return Path(path) if path.lower().endswith(suffix) else Path(path + suffix)


class ShortcutsDialog(QDialog):
    """Every key and mouse action, from the tables that the menus are made of."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        specs = {spec.id: spec for spec in ACTIONS}
        groups: list[tuple[str, list[tuple[str, str]]]] = [("Mouse", list(_MOUSE)), ("Flying", list(_FLYING))]
        for title, sections in MENUS:
            ids = [action_id for section in sections for action_id in section if specs[action_id].shortcuts]
            rows = [(" or ".join(specs[id_].shortcuts), specs[id_].tooltip) for id_ in ids]
            groups.append((title, rows))
        columns = QHBoxLayout(self)
        columns.setContentsMargins(22, 18, 22, 20)
        columns.setSpacing(26)
        for column in _balanced(groups, _N_COLUMNS):
            columns.addLayout(_shortcut_column(column))


def _balanced(
    groups: list[tuple[str, list[tuple[str, str]]]], n_columns: int
) -> list[list[tuple[str, list[tuple[str, str]]]]]:
    """The groups in order, over columns of about the same height."""
    n_lines = sum(len(rows) + 2 for _, rows in groups)
    columns: list[list[tuple[str, list[tuple[str, str]]]]] = [[] for _ in range(n_columns)]
    so_far = 0
    for group in groups:
        middle = so_far + (len(group[1]) + 2) / 2
        columns[min(int(middle * n_columns / n_lines), n_columns - 1)].append(group)
        so_far += len(group[1]) + 2
    return columns


def _shortcut_column(groups: list[tuple[str, list[tuple[str, str]]]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(4)
    row = 0
    for title, lines in groups:
        heading = QLabel(title)
        heading.setObjectName("cardTitle")
        heading.setContentsMargins(0, 8 if row else 0, 0, 2)
        grid.addWidget(heading, row, 0, 1, 2)
        for offset, (keys, meaning) in enumerate(lines, 1):
            for column, text in enumerate((keys, meaning)):
                label = QLabel(text)
                label.setProperty("role", "small" if column == 0 else "value")
                grid.addWidget(label, row + offset, column)
        row += len(lines) + 1
    grid.setRowStretch(row, 1)
    return grid
