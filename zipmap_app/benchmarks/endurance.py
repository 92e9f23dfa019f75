"""A very long stream through the whole window: does memory stay within its budget, is anything left behind?"""

from __future__ import annotations

import gc
import logging
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from zipmap_app.benchmarks.memory import resident_bytes
from zipmap_app.benchmarks.truth_engine import TruthEngine
from zipmap_app.cli import parse
from zipmap_app.desktop.composition import Desktop
from zipmap_app.desktop.startup import keep_responsive
from zipmap_app.scene.release import live_objects
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.memory import MemoryBudget
from zipmap_app.state.session import RunState
from zipmap_app.ui.theme import apply_theme

logger = logging.getLogger(__name__)

_SIZE_HW = (96, 128)


@dataclass(frozen=True, slots=True)
class EnduranceOptions:
    """How long, and how little memory."""

    n_frames: int = 10_000
    budget_bytes: int = 512 * 2**20
    every: int = 1000  # frames between two lines of the table


@dataclass(frozen=True, slots=True)
class EnduranceResult:
    """What was there at the end, and what was left after closing."""

    n_frames: int
    largest_use_bytes: int
    threads_left: tuple[str, ...]
    timers_left: int
    gl_objects_left: int


def measure_endurance(options: EnduranceOptions) -> int:
    """Print memory along the stream; 1 if a budget was broken or something was left behind."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication([])
    apply_theme(application)
    keep_responsive()
    start_s = time.monotonic()
    result = run_endurance(options)
    logger.info(
        "%d frames in %.0f s; at most %.0f of %.0f MiB kept; left behind: threads %s, timers %d, GL objects %d",
        result.n_frames,
        time.monotonic() - start_s,
        result.largest_use_bytes / 2**20,
        options.budget_bytes / 2**20,
        ", ".join(result.threads_left) or "none",
        result.timers_left,
        result.gl_objects_left,
    )
    is_clean = not (result.threads_left or result.timers_left or result.gl_objects_left)
    is_complete = result.n_frames == options.n_frames
    return 0 if is_clean and is_complete and result.largest_use_bytes <= options.budget_bytes else 1


def run_endurance(options: EnduranceOptions) -> EnduranceResult:
    """Stream through a Desktop and close it. Needs a QApplication."""
    threads_before = set(threading.enumerate())
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        source = SyntheticSource(options.n_frames, _SIZE_HW)
        budget = MemoryBudget(options.budget_bytes)
        desktop = Desktop(parse([]), settings, TruthEngine(source), budget)
        desktop.window.resize(1280, 800)
        desktop.start(source)
        n_frames, largest_use = _follow(desktop, options)
        canvas = desktop.window.scene.canvas
        desktop.window.close()
        n_objects = len(live_objects(canvas))
        n_timers = sum(timer.isActive() for timer in desktop.window.findChildren(QTimer))
        desktop.window.deleteLater()
    QCoreApplication.sendPostedEvents()
    gc.collect()
    left = tuple(sorted(thread.name for thread in set(threading.enumerate()) - threads_before))
    return EnduranceResult(n_frames, largest_use, left, n_timers, n_objects)


def _follow(desktop: Desktop, options: EnduranceOptions) -> tuple[int, int]:
    """Let Qt work until the run is over; returns the number of frames and the largest memory use in bytes."""
    session = desktop.session
    largest_use = n_printed = 0
    logger.info("%8s %12s %12s %12s %12s", "frames", "points", "kept MiB", "budget MiB", "RSS MiB")
    while session.status.state is not RunState.ENDED:
        QCoreApplication.processEvents()
        time.sleep(0.0005)
        use = session.memory_use
        largest_use = max(largest_use, use.total_bytes)
        if session.status.n_frames >= n_printed + options.every:
            n_printed = session.status.n_frames
            logger.info(
                "%8d %12d %12.1f %12.1f %12.1f",
                n_printed,
                session.cloud.n_points,
                use.total_bytes / 2**20,
                options.budget_bytes / 2**20,
                resident_bytes() / 2**20,
            )
    return session.status.n_frames, largest_use
