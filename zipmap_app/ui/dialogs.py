"""Questions and information in their own windows."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QGridLayout, QInputDialog, QLabel, QVBoxLayout, QWidget

from zipmap_app.ui.actions import ACTIONS

_MEDIA = (
    "*.mp4 *.mov *.avi *.mkv *.webm *.m4v *.mpg *.mpeg *.ts *.gif *.apng *.webp "
    "*.jpg *.jpeg *.png *.heic *.heif *.tif *.tiff *.bmp"
)
_MOUSE = (
    ("Left drag", "Orbit"),
    ("Right or middle drag", "Pan"),
    ("Wheel", "Zoom to the mouse"),
    ("Double click on a point", "Orbit about it"),
    ("Ctrl + wheel", "Point size"),
)


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


def _with_suffix(path: str, suffix: str) -> Path | None:
    if not path:
        return None
    return Path(path) if path.lower().endswith(suffix) else Path(path + suffix)


class ShortcutsDialog(QDialog):
    """Every key and mouse action, from the same table that the menus are made of."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        rows = [(" or ".join(spec.shortcuts), spec.tooltip) for spec in ACTIONS if spec.shortcuts]
        grid = QGridLayout()
        grid.setHorizontalSpacing(22)
        grid.setVerticalSpacing(7)
        for row, (keys, meaning) in enumerate([*_MOUSE, *rows]):
            key_label = QLabel(keys)
            key_label.setProperty("role", "dim")
            grid.addWidget(key_label, row, 0)
            grid.addWidget(QLabel(meaning), row, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.addLayout(grid)
