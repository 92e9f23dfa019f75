"""What was opened lately, kept in the user's settings, with a small picture of each."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import platformdirs
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QPixmap

from zipmap_app.state.addresses import kept_url
from zipmap_app.ui.images import qimage_from_rgb

logger = logging.getLogger(__name__)

_KEY = "recent"
_ADDRESSES_KEY = "recent_addresses"
_MAX_RECENT = 8
_PICTURE_WIDTH = 160  # twice as wide as it is shown, for screens of high density


class RecentInputs:
    """Newest first, each once; the file that no longer exists stays listed and is reported as missing.

    Pictures are JPEG files in ``folder``, by default beside the settings or in the user's cache. GUI thread only.
    """

    def __init__(self, settings: QSettings, folder: Path | None = None) -> None:
        self._settings = settings
        self._folder = folder if folder is not None else _default_folder(settings)

    def paths(self) -> list[Path]:
        return [Path(text) for text in self._texts(_KEY)]

    def addresses(self) -> list[str]:
        """Of streams, newest first, each once."""
        return self._texts(_ADDRESSES_KEY)

    def add_address(self, url: str) -> None:
        """Remember a stream that is opened."""
        # Settings lie on the disk in plain text: no login is kept.
        kept = kept_url(url)
        if kept is not None:
            others = [known for known in self.addresses() if known != kept]
            self._settings.setValue(_ADDRESSES_KEY, [kept, *others][:_MAX_RECENT])

    @property
    def last_folder(self) -> Path:
        """Where file dialogs start: beside what was opened last."""
        paths = self.paths()
        return paths[0].parent if paths and paths[0].parent.exists() else Path.home()

    def add(self, path: Path) -> None:
        others = [known for known in self.paths() if known != path]
        for forgotten in others[_MAX_RECENT - 1 :]:
            self._picture_path(forgotten).unlink(missing_ok=True)
        self._settings.setValue(_KEY, [str(entry) for entry in [path, *others][:_MAX_RECENT]])

    def clear(self) -> None:
        for path in self.paths():
            self._picture_path(path).unlink(missing_ok=True)
        self._settings.setValue(_KEY, [])
        self._settings.setValue(_ADDRESSES_KEY, [])

    def thumbnail(self, path: Path) -> QPixmap | None:
        """The picture of an input, if there is one."""
        pixmap = QPixmap(str(self._picture_path(path)))
        return None if pixmap.isNull() else pixmap

    def set_thumbnail(self, path: Path, rgb: np.ndarray) -> None:
        """Keep (H, W, 3) uint8 as the picture of a listed input."""
        if path not in self.paths():
            return
        target = self._picture_path(path)
        image = qimage_from_rgb(rgb).scaledToWidth(_PICTURE_WIDTH, Qt.TransformationMode.SmoothTransformation)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            logger.debug("no folder for the pictures of recent inputs", exc_info=True)
            return
        if not image.save(str(target)):
            logger.debug("could not write %s", target)

    def _texts(self, key: str) -> list[str]:
        stored = self._settings.value(key, [])
        # QSettings gives a lone string back for a list of one.
        texts = [stored] if isinstance(stored, str) else stored
        return [str(text) for text in texts] if isinstance(texts, (list, tuple)) else []

    def _picture_path(self, path: Path) -> Path:
        return self._folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.jpg"


def _default_folder(settings: QSettings) -> Path:
    # Native settings may live where files do not belong, as in the registry of Windows.
    if settings.format() is QSettings.Format.IniFormat:
        return Path(settings.fileName()).parent / "recent"
    return platformdirs.user_cache_path("zipmap-studio") / "recent"
