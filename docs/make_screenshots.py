"""Take the pictures of docs/images from the running application.

    xvfb-run -a -s "-screen 0 1920x1200x24" python docs/make_screenshots.py INPUT [--model NAME_OR_PATH]

Everything shown is computed by the given model from the given input; nothing is staged but the notice.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QCoreApplication, QSettings, Qt
from PySide6.QtWidgets import QApplication

from zipmap_app.cli import Arguments, parse
from zipmap_app.desktop.composition import Desktop
from zipmap_app.state.session import Notice, RunState, Severity
from zipmap_app.ui.theme import apply_theme

_FOLDER = Path(__file__).resolve().parent / "images"
_SIZES = ((1280, 800), (1920, 1080))
_PATIENCE_S = 300.0


def spin_until(condition: Callable[[], bool]) -> None:
    """Run the event loop until something is so."""
    end_s = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError("the application did not get there in time")
        QApplication.processEvents()
        time.sleep(0.005)


def spin_for(seconds: float) -> None:
    end_s = time.monotonic() + seconds
    spin_until(lambda: time.monotonic() > end_s)


def shoot(desktop: Desktop, name: str, settle_s: float = 2.0) -> None:
    """Save what the window shows, as a small PNG; the full point pass takes two seconds of rest."""
    spin_for(settle_s)
    window = desktop.window
    screen = QApplication.primaryScreen().grabWindow(0, 0, 0, window.width(), window.height())
    path = _FOLDER / f"{name}_{window.width()}x{window.height()}.png"
    screen.save(str(path))
    with Image.open(path) as image:
        image.convert("RGB").save(path, optimize=True)


def tour(arguments: Arguments, size: tuple[int, int], settings_file: Path) -> None:
    """One window of one size through its states."""
    settings = QSettings(str(settings_file), QSettings.Format.IniFormat)
    desktop = Desktop(replace(arguments, input=None), settings)
    desktop.window.move(0, 0)
    desktop.window.resize(*size)
    shoot(desktop, "empty")
    assert arguments.input is not None
    desktop.window.request_open(arguments.input)
    status = lambda: desktop.session.status  # noqa: E731  read anew each time
    spin_until(lambda: status().n_frames >= 5 or status().state is RunState.ENDED)
    shoot(desktop, "streaming", 0.2)
    spin_until(lambda: status().state in (RunState.ENDED, RunState.FAILED))
    camera = desktop.window.scene.camera
    camera.pose = camera.pose.orbited(60, 10).zoomed(0.75, (0, 0), camera.view_focal_px)
    desktop.window.actions_table[ActionId.QUERY].trigger()
    spin_until(lambda: desktop.session.latest_query is not None)
    camera.pose = camera.pose.orbited(-130, 30).zoomed(1.9, (0, 0), camera.view_focal_px)
    shoot(desktop, "query")
    sentence = "IMG_0042.jpg was skipped: the file ends in the middle of the picture; copy it again."
    desktop.session.add_notice(Notice(sentence, "details for a report", Severity.WARNING))
    shoot(desktop, "notice")
    desktop.window.close()


def main() -> int:
    arguments = parse(sys.argv[1:])
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication(sys.argv[:1])
    apply_theme(application)
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for size in _SIZES:
            tour(arguments, size, Path(folder) / f"{size[0]}.ini")
    return 0


if __name__ == "__main__":
    sys.exit(main())
