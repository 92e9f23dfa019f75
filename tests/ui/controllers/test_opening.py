"""What is opened, how often it is looked at, and what of it is remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QDialog, QWidget

from tests.app_fakes import make_frame
from zipmap_app.state.session import SessionModel
from zipmap_app.ui import dialogs
from zipmap_app.ui.actions import ActionId, Actions
from zipmap_app.ui.controllers.opening import OpeningController
from zipmap_app.ui.opening.choice import NamedCamera, PreviewFailure, PreviewFrame, SourceChoice
from zipmap_app.ui.opening.source_dialog import SourceDialog
from zipmap_app.ui.recent import RecentInputs
from zipmap_app.ui.requests import WindowRequests


class OneCamera:
    """A camera that shows nothing."""

    def find(self, on_found: Callable[[list[NamedCamera]], None]) -> None:
        on_found([NamedCamera(2, "USB camera")])

    def start_preview(self, index: int, on_frame: PreviewFrame, on_failed: PreviewFailure) -> None:
        pass

    def stop_preview(self) -> None:
        pass


class Opening:
    """The controller over a session, and what it asked for."""

    def __init__(self, window: QWidget, folder: Path) -> None:
        self.session = SessionModel()
        self.actions = Actions(window)
        self.requests = WindowRequests(window)
        self.recent = RecentInputs(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
        self.controller = OpeningController(
            self.session, self.actions, self.requests, self.recent, OneCamera(), "synthetic", 4.0, window
        )
        self.choices: list[SourceChoice] = []
        self.requests.open.connect(self.choices.append)


@pytest.fixture
def opening(qtbot, tmp_path: Path) -> Iterator[Opening]:
    window = QWidget()
    qtbot.addWidget(window)
    opening = Opening(window, tmp_path)
    yield opening
    opening.controller.close()
    assert opening.session.frame_changed.n_listeners == 0


def test_the_rate_of_the_command_line_holds_for_all_that_is_opened(opening: Opening) -> None:
    opening.actions[ActionId.SAMPLE].trigger()
    opening.actions[ActionId.WEBCAM].trigger()
    assert opening.choices == [SourceChoice("synthetic", 4.0), SourceChoice("0", 4.0)]


def test_the_dialog_starts_at_that_rate_and_may_choose_another(opening: Opening, monkeypatch) -> None:
    shown: list[float | None] = []

    def accept(dialog: SourceDialog) -> int:
        shown.append(dialog.rate.currentData())
        dialog.pages.setCurrentIndex(1)
        dialog.file.setText("/videos/room.mp4")
        dialog.rate.setCurrentIndex(0)
        dialog.webcams.hide()
        return int(QDialog.DialogCode.Accepted)

    monkeypatch.setattr(SourceDialog, "exec", accept)
    opening.actions[ActionId.NEW_SOURCE].trigger()
    assert shown == [4.0]
    assert opening.choices == [SourceChoice("/videos/room.mp4", None)]


def test_a_file_is_remembered_with_its_first_picture(opening: Opening, monkeypatch, tmp_path: Path) -> None:
    video = tmp_path / "clip.mp4"
    video.touch()
    monkeypatch.setattr(dialogs, "ask_for_video", lambda parent, folder: video)
    opening.actions[ActionId.OPEN_VIDEO].trigger()
    assert opening.recent.paths() == [video.resolve()]
    assert opening.recent.last_folder == tmp_path
    assert opening.recent.thumbnail(video.resolve()) is None
    opening.session.begin("clip.mp4")
    opening.session.apply(make_frame(0))
    assert opening.recent.thumbnail(video.resolve()) is not None


def test_a_dialog_that_was_cancelled_opens_nothing(opening: Opening, monkeypatch) -> None:
    monkeypatch.setattr(dialogs, "ask_for_address", lambda parent: None)
    opening.actions[ActionId.OPEN_ADDRESS].trigger()
    assert opening.choices == []


def test_the_dialog_offers_streams_that_were_opened_without_their_logins(
    opening: Opening, monkeypatch, tmp_path: Path
) -> None:
    opening.controller.open("rtsp://bob:hush@10.0.0.2/cam")
    opening.controller.open("http://10.0.0.5:8080/video")
    opening.controller.open("rtsp://bob:other@10.0.0.2/cam")
    offered: list[str] = []

    def look(dialog: SourceDialog) -> int:
        offered.extend(dialog.address.itemText(row) for row in range(dialog.address.count()))
        dialog.webcams.hide()
        return int(QDialog.DialogCode.Rejected)

    monkeypatch.setattr(SourceDialog, "exec", look)
    opening.actions[ActionId.NEW_SOURCE].trigger()
    assert offered == ["rtsp://10.0.0.2/cam", "http://10.0.0.5:8080/video"]
    assert opening.choices[0].spec == "rtsp://bob:hush@10.0.0.2/cam"  # what is opened has it still
    opening.recent.clear()
    assert opening.recent.addresses() == []


def test_logins_never_reach_the_disk(opening: Opening, tmp_path: Path) -> None:
    opening.controller.open("rtsp://bob:hush@10.0.0.2/cam")
    opening.recent._settings.sync()
    text = (tmp_path / "settings.ini").read_text()
    assert "10.0.0.2" in text
    assert "hush" not in text
    assert "bob" not in text
