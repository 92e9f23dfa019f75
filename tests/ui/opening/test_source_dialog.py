"""The dialog that opens everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QWidget

from zipmap_app.ui.opening.choice import NamedCamera, PreviewFailure, PreviewFrame, SourceChoice
from zipmap_app.ui.opening.screen_page import RegionPicker
from zipmap_app.ui.opening.source_dialog import SourceDialog


class FakeBrowser:
    """Two cameras, of which the second gives no picture."""

    def __init__(self) -> None:
        self.cameras: Sequence[NamedCamera] = (NamedCamera(0, "Built-in"), NamedCamera(4, "USB camera"))
        self.previewed: int | None = None
        self.log: list[int | None] = []

    def find(self, on_found: Callable[[Sequence[NamedCamera]], None]) -> None:
        on_found(self.cameras)

    def start_preview(self, index: int, on_frame: PreviewFrame, on_failed: PreviewFailure) -> None:
        self.previewed = index
        self.log.append(index)
        if index == 4:
            on_failed("USB camera is in use by another program.")
        else:
            on_frame(np.full((48, 64, 3), 90, np.uint8))

    def stop_preview(self) -> None:
        self.previewed = None


@pytest.fixture
def browser() -> FakeBrowser:
    return FakeBrowser()


@pytest.fixture
def dialog(qtbot, browser: FakeBrowser) -> Iterator[SourceDialog]:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = SourceDialog(browser, Path.home(), ["rtsp://camera/1"], parent)
    dialog.show()
    yield dialog
    dialog.reject()


def test_cameras_are_listed_by_name_and_the_first_is_previewed(
    dialog: SourceDialog, browser: FakeBrowser
) -> None:
    names = [dialog.webcams.cameras.item(row).text() for row in range(dialog.webcams.cameras.count())]
    assert names == ["Built-in", "USB camera"]
    assert browser.previewed == 0
    assert dialog.webcams.picture.has_image
    assert dialog.choice == SourceChoice("0")


def test_a_camera_without_a_picture_says_why(dialog: SourceDialog, browser: FakeBrowser) -> None:
    dialog.webcams.cameras.setCurrentRow(1)
    assert browser.previewed == 4
    assert not dialog.webcams.picture.has_image
    assert "in use" in dialog.webcams._note.text()
    assert dialog.choice.spec == "4"


def test_the_camera_is_let_go_however_the_dialog_ends(dialog: SourceDialog, browser: FakeBrowser) -> None:
    dialog.accept()
    assert browser.previewed is None


def test_another_page_lets_the_camera_go(dialog: SourceDialog, browser: FakeBrowser) -> None:
    dialog.pages.setCurrentIndex(2)
    assert browser.previewed is None
    assert dialog.choice.spec == "rtsp://camera/1"


def test_without_a_camera_nothing_can_be_opened(dialog: SourceDialog, browser: FakeBrowser) -> None:
    browser.cameras = ()
    dialog.webcams.look()
    assert not dialog.open_button.isEnabled()
    assert "No camera" in dialog.webcams._note.text()


def test_a_file_with_a_rate(dialog: SourceDialog) -> None:
    dialog.pages.setCurrentIndex(1)
    assert not dialog.open_button.isEnabled()
    dialog.file.setText("/videos/room.mp4")
    dialog.rate.setCurrentIndex(dialog.rate.findData(5.0))
    assert dialog.open_button.isEnabled()
    assert dialog.choice == SourceChoice("/videos/room.mp4", 5.0)


def test_a_part_of_the_screen_in_numbers(dialog: SourceDialog) -> None:
    dialog.pages.setCurrentWidget(dialog.screen_page)
    assert dialog.choice.spec == "screen:1"
    assert not dialog.screen_page.numbers[0].isEnabled()
    dialog.screen_page.what.setCurrentIndex(dialog.screen_page.what.count() - 1)
    dialog.screen_page.numbers[2].setValue(320)
    assert dialog.choice.spec == "screen:100,100,320,480"


def test_a_part_of_the_screen_by_mouse(qtbot) -> None:
    picker = RegionPicker()
    picked: list[QRect] = []
    picker.picked.connect(picked.append)
    picker.show()
    qtbot.mousePress(picker, Qt.MouseButton.LeftButton, pos=QPoint(50, 60))
    qtbot.mouseMove(picker, QPoint(250, 210))
    qtbot.mouseRelease(picker, Qt.MouseButton.LeftButton, pos=QPoint(250, 210))
    assert [(rect.left(), rect.top()) for rect in picked] == [(50, 60)]
    assert abs(picked[0].width() - 200) <= 1
