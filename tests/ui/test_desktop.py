"""The application put together: a real window, real threads, real sources; one run with the real model."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QImage

from tests.pipeline_fakes import FakeEngine
from zipmap_app.cli import parse
from zipmap_app.desktop.composition import Desktop
from zipmap_app.desktop.startup import _display_problem
from zipmap_app.pipeline.engine import DownloadProgress
from zipmap_app.state.messages import ModelLoaded
from zipmap_app.state.session import RunState, Severity
from zipmap_app.ui import dialogs
from zipmap_app.ui.actions import ActionId
from zipmap_model.checkpoints import CheckpointError, bundled_weights

ROOM = Path(__file__).resolve().parents[2].parent / "shared/media/videos/room.mp4"
PATIENCE_MS = 20_000


class SilentEngine(FakeEngine):
    """A streaming model without answers."""

    can_query = False

    def load(self, progress: DownloadProgress) -> ModelLoaded:
        return replace(super().load(progress), supports_query=False)


@pytest.fixture
def make_desktop(qtbot, tmp_path) -> Iterator[Callable[..., Desktop]]:
    made: list[Desktop] = []

    def make(*argv: str, engine: FakeEngine | None = None) -> Desktop:
        settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
        desktop = Desktop(parse(argv), settings, engine)
        qtbot.addWidget(desktop.window)
        made.append(desktop)
        return desktop

    yield make
    for desktop in made:
        desktop.window.close()


def wait_for(qtbot, condition: Callable[[], bool]) -> None:
    qtbot.waitUntil(condition, timeout=PATIENCE_MS)


def viewport_picture(desktop: Desktop) -> np.ndarray:
    image = desktop.window.scene.grab().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def close_and_time(desktop: Desktop) -> float:
    start_s = time.monotonic()
    desktop.window.close()
    return time.monotonic() - start_s


def pipeline_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name in ("capture", "inference")]


def test_a_source_grows_on_screen_answers_and_closes_in_time(qtbot, make_desktop):
    desktop = make_desktop("--max-frames", "40", engine=FakeEngine())
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.n_frames >= 3)
    few = desktop.session.cloud.n_points
    wait_for(qtbot, lambda: desktop.session.cloud.n_points > few)
    wait_for(qtbot, lambda: int((viewport_picture(desktop)[..., 0] > 120).sum()) > 300)
    desktop.window.actions_table[ActionId.QUERY].trigger()
    wait_for(qtbot, lambda: desktop.session.latest_query is not None)
    asked = desktop.session.latest_query.world_from_camera
    assert (
        asked == desktop.window.scene.view_pose()
    ).all() or desktop.session.status.state is RunState.RUNNING
    assert close_and_time(desktop) < 2.0
    assert pipeline_threads() == []


def test_the_rate_and_the_companion_of_the_command_line_hold(qtbot, make_desktop):
    engine = SilentEngine()
    argv = ("--max-fps", "10", "--max-frames", "3", "--companion", "state_query")
    desktop = make_desktop(*argv, engine=engine)
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)
    assert engine.seen == [0, 3, 6]  # of thirty frames a second
    assert desktop.session.status.supports_query  # the companion would answer


def test_who_answers_can_be_chosen_in_the_window(qtbot, make_desktop, monkeypatch, tmp_path):
    desktop = make_desktop("--max-frames", "3", "--one-model-at-a-time", engine=SilentEngine())
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)
    choice = desktop.window.tabs.run_settings.companion
    assert not desktop.session.status.supports_query
    assert choice.alternate.isChecked()
    monkeypatch.setattr(dialogs, "ask_for_weights", lambda parent: tmp_path / "gone.safetensors")
    index = choice.models.findText("a file…")
    choice.models.setCurrentIndex(index)
    choice.models.activated.emit(index)
    wait_for(qtbot, lambda: desktop.session.status.supports_query)
    wait_for(qtbot, lambda: bool(desktop.session.notices))  # it was to look at the scene at once
    assert "gone.safetensors" in desktop.session.notices[-1].sentence


def test_pause_step_resume_and_stop_reach_the_pipeline(qtbot, make_desktop):
    desktop = make_desktop(engine=FakeEngine())
    act = desktop.window.actions_table
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.n_frames >= 1)
    act[ActionId.PAUSE].trigger()
    assert desktop.session.status.state is RunState.PAUSED
    wait_for(qtbot, lambda: desktop.runner.outbox.is_empty)
    before = desktop.session.status.n_frames
    act[ActionId.STEP].trigger()
    wait_for(qtbot, lambda: desktop.session.status.n_frames > before)
    act[ActionId.PAUSE].trigger()
    assert desktop.session.status.state is RunState.RUNNING
    wait_for(qtbot, lambda: desktop.session.status.n_frames > before + 3)
    act[ActionId.STOP].trigger()
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)


def test_a_second_source_replaces_the_first_scene(qtbot, make_desktop):
    desktop = make_desktop("--max-frames", "5", engine=FakeEngine())
    for _ in range(2):
        desktop.window.request_open("synthetic")
        wait_for(qtbot, lambda: not desktop.is_opening)
        wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)
        assert desktop.session.status.n_frames == 5
        assert desktop.session.cloud.n_points == 5 * 200


def test_what_cannot_be_opened_is_said_and_the_scene_stays(qtbot, make_desktop, tmp_path):
    desktop = make_desktop("--max-frames", "2", engine=FakeEngine())
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)
    desktop.window.request_open(str(tmp_path / "missing.mp4"))
    wait_for(qtbot, lambda: bool(desktop.session.notices))
    assert "missing.mp4" in desktop.window.viewport.notices.sentence
    assert desktop.session.notices[-1].severity is Severity.ERROR
    assert desktop.session.status.n_frames == 2


def test_a_model_that_does_not_load_is_said(qtbot, make_desktop):
    desktop = make_desktop(engine=FakeEngine(load_error="The weights are missing; reinstall."))
    wait_for(qtbot, lambda: bool(desktop.session.notices))
    assert desktop.window.viewport.notices.sentence == "The weights are missing; reinstall."


def test_an_error_while_reconstructing_keeps_the_window_and_the_scene(qtbot, make_desktop):
    desktop = make_desktop(engine=FakeEngine(fails_at=3))
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.FAILED)
    assert desktop.session.status.n_frames == 3
    assert "the tensor fell over" in desktop.session.notices[-1].sentence
    assert desktop.window.isVisible()


def test_closing_while_the_model_computes_leaves_no_thread(qtbot, make_desktop):
    engine = FakeEngine()
    desktop = make_desktop(engine=engine)
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.n_frames >= 1)
    engine.entered.clear()
    engine.gate.clear()
    wait_for(qtbot, engine.entered.is_set)
    release = threading.Timer(0.3, engine.gate.set)
    release.start()
    assert close_and_time(desktop) < 2.0
    release.join()
    assert pipeline_threads() == []


def test_saving_writes_the_cloud_and_the_path(qtbot, make_desktop, tmp_path):
    desktop = make_desktop("--max-frames", "4", engine=FakeEngine())
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)
    desktop.window.requests.save_cloud.emit(tmp_path / "cloud.ply")
    wait_for(qtbot, lambda: bool(desktop.session.notices))
    assert "800 points" in desktop.session.notices[-1].sentence
    header, _, body = (tmp_path / "cloud.ply").read_bytes().partition(b"end_header\n")
    assert b"element vertex 800\n" in header
    assert len(body) == 800 * 19
    assert len((tmp_path / "cloud.trajectory.txt").read_text().splitlines()) == 4


def test_saving_where_nothing_can_be_written_is_said(qtbot, make_desktop, tmp_path):
    desktop = make_desktop("--max-frames", "1", engine=FakeEngine())
    desktop.window.request_open("synthetic")
    wait_for(qtbot, lambda: desktop.session.status.state is RunState.ENDED)
    desktop.window.requests.save_cloud.emit(tmp_path / "no such folder" / "cloud.ply")
    wait_for(qtbot, lambda: bool(desktop.session.notices))
    assert desktop.session.notices[-1].severity is Severity.ERROR
    assert "no such folder" in desktop.session.notices[-1].sentence


def test_unexpected_errors_become_a_notice(make_desktop):
    desktop = make_desktop(engine=FakeEngine())
    try:
        raise KeyError("surprise")
    except KeyError as error:
        desktop.report_error(type(error), error, error.__traceback__)
    assert "surprise" in desktop.session.notices[-1].details


def test_without_a_display_there_is_a_sentence_instead_of_an_abort(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    problem = _display_problem()
    assert (problem is not None and "DISPLAY" in problem) == sys.platform.startswith("linux")


def has_bundled_weights() -> bool:
    try:
        return bundled_weights().is_file()
    except CheckpointError:
        return False


@pytest.mark.skipif(not ROOM.is_file(), reason="needs ../shared/media/videos/room.mp4")
@pytest.mark.skipif(not has_bundled_weights(), reason="needs the bundled weights")
def test_the_bundled_model_reconstructs_a_real_video(qtbot, make_desktop):
    desktop = make_desktop("--device", "cpu")
    empty = viewport_picture(desktop)
    desktop.window.request_open(str(ROOM))
    qtbot.waitUntil(lambda: desktop.session.status.n_frames >= 2, timeout=60_000)
    assert desktop.session.cloud.n_points > 5_000
    wait_for(qtbot, lambda: (viewport_picture(desktop) != empty).any(axis=2).mean() > 0.02)
    desktop.window.actions_table[ActionId.QUERY].trigger()
    wait_for(qtbot, lambda: desktop.session.latest_query is not None)
    answer = desktop.session.latest_query
    assert answer.rgb.shape == desktop.session.current_frame.rgb.shape
    assert np.isfinite(answer.depth).all()
    assert close_and_time(desktop) < 2.0
    assert pipeline_threads() == []
