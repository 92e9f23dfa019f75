"""What was opened lately, kept in the user's settings."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings

_KEY = "recent"
_MAX_RECENT = 8


class RecentInputs:
    """Newest first, each once; the file that no longer exists stays listed and is reported as missing."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    def paths(self) -> list[Path]:
        stored = self._settings.value(_KEY, [])
        # QSettings gives a lone string back for a list of one.
        texts = [stored] if isinstance(stored, str) else stored
        return [Path(str(text)) for text in texts] if isinstance(texts, (list, tuple)) else []

    def add(self, path: Path) -> None:
        others = [known for known in self.paths() if known != path]
        self._settings.setValue(_KEY, [str(entry) for entry in [path, *others][:_MAX_RECENT]])

    def clear(self) -> None:
        self._settings.setValue(_KEY, [])
