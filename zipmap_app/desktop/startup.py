"""From the command line to a window on the screen, or one clear sentence why not."""

from __future__ import annotations

import gc
import os
import signal
import sys

import numpy.ma  # noqa: F401  # np.quantile would import it at its first call: a hiccup with the first frame
from PySide6.QtCore import QCoreApplication, QSettings, Qt
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
from PySide6.QtWidgets import QApplication

from zipmap_app.cli import Arguments, app_version
from zipmap_app.desktop.composition import Desktop
from zipmap_app.ui.theme import apply_theme

_HEADLESS_HINT = "run it without a window instead: python main.py --headless INPUT -o OUT"


def run_desktop(arguments: Arguments) -> int:
    """Show the window until it is closed; returns the exit status."""
    problem = _display_problem()
    if problem is not None:
        return _refuse(problem)
    # Without shared contexts a canvas that moves to another window loses all its buffers.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication([sys.argv[0]])
    application.setApplicationName("ZipMap Studio")
    application.setApplicationVersion(app_version())
    problem = _opengl_problem()
    if problem is not None:
        return _refuse(problem)
    apply_theme(application)
    desktop = Desktop(arguments, QSettings("ZipMap", "ZipMap Studio"))
    sys.excepthook = desktop.report_error
    # Ctrl-C in the terminal: Qt's loop never gives Python a chance to raise KeyboardInterrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    keep_responsive()
    if arguments.input is not None:
        desktop.window.request_open(arguments.input)
    status = application.exec()
    sys.excepthook = sys.__excepthook__
    return status


def keep_responsive() -> None:
    """Let the interpreter hold up the GUI thread less; once the window is made."""
    # A drawing thread lets go of the interpreter with every OpenGL call. Each time it may wait this long to get
    # it back from a thread that computes; with the usual 5 ms a single picture can take a tenth of a second.
    sys.setswitchinterval(0.0005)
    # What is there now stays. To look through it again and again takes tens of milliseconds each time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _display_problem() -> str | None:
    """Why no window can open, or None. Qt itself would abort the process."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return None
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"


def _opengl_problem() -> str | None:
    """Why the scene could not be drawn, or None. Needs the QApplication."""
    context = QOpenGLContext()
    if not context.create():
        return f"OpenGL is not available on this display ({QGuiApplication.platformName()})"
    surface = QOffscreenSurface()
    surface.create()
    if not context.makeCurrent(surface):
        return "OpenGL cannot be used on this display"
    version = context.format().version()
    context.doneCurrent()
    if version < (2, 1):
        return f"OpenGL 2.1 is needed, and this display offers {version[0]}.{version[1]}"
    return None


def _refuse(problem: str) -> int:
    sys.stderr.write(f"zipmap-studio: {problem}: {_HEADLESS_HINT}\n")
    return 2
