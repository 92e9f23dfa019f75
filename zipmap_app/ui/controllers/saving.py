"""What the user saves of the scene: the cloud, and what the viewport shows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject

from zipmap_app.state.session import Notice, Severity
from zipmap_app.ui import dialogs
from zipmap_app.ui.actions import ActionId
from zipmap_app.ui.parts import WindowParts
from zipmap_app.ui.recent import RecentInputs


class SavingController(QObject):
    """Asks for files; writes the screenshot itself, and has the cloud written by others. GUI thread only."""

    def __init__(self, parts: WindowParts, recent: RecentInputs, parent: QObject) -> None:
        """``recent`` knows where file dialogs start."""
        super().__init__(parent)
        self._parts = parts
        self._recent = recent
        parts.actions[ActionId.SAVE].triggered.connect(lambda: self.save_cloud())
        parts.actions[ActionId.SCREENSHOT].triggered.connect(lambda: self.save_screenshot())

    def save_cloud(self) -> None:
        path = dialogs.ask_for_cloud(self._parts.tabs.window(), self._suggestion(".ply"))
        if path is not None:
            self._parts.requests.save_cloud.emit(path)

    def save_screenshot(self) -> None:
        image = self._parts.scene.grab()  # before the dialog covers anything
        suggestion = self._suggestion(f"_{datetime.now():%Y%m%d_%H%M%S}.png")
        path = dialogs.ask_for_screenshot(self._parts.tabs.window(), suggestion)
        if path is None:
            return
        if image.save(str(path)):
            notice = Notice(f"Saved {path}")
        else:
            sentence = f"Could not write {path}: choose a folder that you may write to"
            notice = Notice(sentence, severity=Severity.ERROR)
        self._parts.session.add_notice(notice)

    def _suggestion(self, ending: str) -> Path:
        stem = Path(self._parts.session.status.source_name or "scene").stem
        return self._recent.last_folder / f"{stem}{ending}"
