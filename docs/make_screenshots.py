"""Take the pictures of docs/images/tour from the running application.

    xvfb-run -a -s "-screen 0 1920x1200x24" python docs/make_screenshots.py INPUT [--model NAME_OR_PATH]

INPUT is a video or a folder of photos of at least a dozen frames. Everything shown is computed by the given model
from the given input; nothing is staged but the notice.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

# As zipmap_app.threads.calm_libraries does, before torch and NumPy are loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the tour is shared with the tests

from PIL import Image
from PySide6.QtCore import QCoreApplication, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from tests.tour import Tour
from zipmap_app.cli import Arguments, parse
from zipmap_app.desktop.composition import Desktop
from zipmap_app.state.session import Notice, Severity
from zipmap_app.ui.actions import ActionId
from zipmap_app.ui.opening.source_dialog import SourceDialog
from zipmap_app.ui.side_tabs import SideTab
from zipmap_app.ui.theme import apply_theme

_FOLDER = Path(__file__).resolve().parent / "images" / "tour"
_SIZES = ((1280, 800), (1920, 1080))
_N_COLORS = 128
_SETTLE_S = 2.0  # the pass over every point takes that long at rest, with software OpenGL
_MOVING = ("grow", "play")  # what is to be seen in motion


class Photographer:
    """Saves what the screen shows of one desktop."""

    def __init__(self, arguments: Arguments, size: tuple[int, int], settings_file: Path) -> None:
        settings = QSettings(str(settings_file), QSettings.Format.IniFormat)
        self.desktop = Desktop(replace(arguments, input=None), settings)
        self.desktop.window.move(0, 0)
        self.desktop.window.resize(*size)
        self.tour = Tour(self.desktop, self.shoot, patience_s=900.0)

    def shoot(self, name: str) -> None:
        """As a small PNG: the interface has few colours, and the scene survives the loss of some."""
        if name not in _MOVING:
            self.tour.settle(_SETTLE_S)
        window = self.desktop.window
        screen = QApplication.primaryScreen().grabWindow(0, 0, 0, window.width(), window.height())
        path = _FOLDER / f"{name}_{window.width()}x{window.height()}.png"
        screen.save(str(path))
        with Image.open(path) as image:
            image.convert("RGB").quantize(_N_COLORS, dither=Image.Dither.NONE).save(path, optimize=True)

    def shoot_dialog(self) -> None:
        """The source dialog is modal: its picture is taken from inside."""

        def inside() -> None:
            dialog = next(each for each in self.desktop.window.findChildren(SourceDialog))
            dialog.pages.setCurrentIndex(2)
            self.shoot("source")
            dialog.reject()

        QTimer.singleShot(500, self.desktop.window, inside)
        self.desktop.window.actions_table[ActionId.NEW_SOURCE].trigger()

    def take_all(self, path: Path, folder: Path) -> None:
        """The whole tour."""
        tour, window = self.tour, self.desktop.window
        self.shoot("empty")
        self.shoot_dialog()
        tour.open_by_drop(path)
        tour.pause_and_step()
        tour.rewind_to(3)
        tour.continue_to_the_end()
        tour.ask_from_here()
        tour.add_answer_and_undo()
        self.desktop.session.ghost.remove()
        tour.align_up()
        tour.set_scale_and_measure()
        tour.finalise_and_compare()
        self.desktop.session.undo.undo()
        tour.play_back()
        tour.fly_to_video(folder / "flight.mp4")
        window.tabs.show_tab(SideTab.PERFORMANCE)
        self.shoot("performance")
        sentence = "IMG_0042.jpg was skipped: the file ends in the middle of the picture; copy it again."
        self.desktop.session.add_notice(Notice(sentence, "details for a report", Severity.WARNING))
        self.shoot("notice")
        window.close()


def main() -> int:
    arguments = parse(sys.argv[1:])
    if arguments.input is None:
        sys.stderr.write("make_screenshots: give a video or a folder of photos\n")
        return 2
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication(sys.argv[:1])
    apply_theme(application)
    _FOLDER.mkdir(parents=True, exist_ok=True)
    for size in _SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            Photographer(arguments, size, folder / "settings.ini").take_all(Path(arguments.input), folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
