"""Finding and previewing cameras beside the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QObject

from tests.pipeline_fakes import ListSource
from zipmap_app.desktop.cameras import SystemCameras
from zipmap_app.desktop.job_list import JobList
from zipmap_app.sources.base import FrameSource, SourceError
from zipmap_app.sources.cameras import CameraInfo
from zipmap_app.ui.opening.choice import NamedCamera


class Lab:
    """Cameras 0 and 1 give pictures, 7 is busy."""

    def __init__(self) -> None:
        self.owner = QObject()
        self.opened: dict[int, ListSource] = {}
        self.cameras = SystemCameras(
            JobList(),
            self.owner,
            find=lambda: (CameraInfo(0, "Front"), CameraInfo(7, "Busy")),
            open_camera=self.open,
        )
        self.pictures: list[tuple[int, np.ndarray]] = []
        self.sentences: list[str] = []

    def open(self, index: int) -> FrameSource:
        if index == 7:
            raise SourceError("Camera 7 is busy: close the other program.")
        assert all(source.is_closed for source in self.opened.values()), "two cameras at once"
        self.opened[index] = ListSource(100_000, is_live=True)
        return self.opened[index]

    def preview(self, index: int) -> None:
        self.cameras.start_preview(
            index, lambda rgb: self.pictures.append((index, rgb)), self.sentences.append
        )


@pytest.fixture
def lab(qapp) -> Iterator[Lab]:
    lab = Lab()
    yield lab
    lab.cameras.close()


def test_cameras_are_found_with_their_names(qtbot, lab: Lab) -> None:
    found: list[NamedCamera] = []
    lab.cameras.find(found.extend)
    qtbot.waitUntil(lambda: len(found) == 2)
    assert found[1] == NamedCamera(7, "Busy")


def test_pictures_arrive_in_the_gui_thread_until_the_preview_stops(qtbot, lab: Lab) -> None:
    threads: set[str] = set()
    lab.cameras.start_preview(
        0, lambda rgb: threads.add(threading.current_thread().name), lab.sentences.append
    )
    qtbot.waitUntil(lambda: bool(threads))
    assert threads == {threading.main_thread().name}
    lab.cameras.stop_preview()
    lab.cameras.wait_until_free()
    assert lab.opened[0].is_closed


def test_another_preview_waits_for_the_first_to_let_go(qtbot, lab: Lab) -> None:
    lab.preview(0)
    qtbot.waitUntil(lambda: bool(lab.pictures))
    lab.preview(1)
    n_before = len(lab.pictures)
    qtbot.waitUntil(lambda: any(index == 1 for index, _ in lab.pictures))
    assert all(index == 1 for index, _ in lab.pictures[n_before:])


def test_a_busy_camera_gives_its_sentence(qtbot, lab: Lab) -> None:
    lab.preview(7)
    qtbot.waitUntil(lambda: bool(lab.sentences))
    assert "busy" in lab.sentences[0]
