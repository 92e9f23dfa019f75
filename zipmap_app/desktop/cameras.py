"""Finds cameras and previews one, beside the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal, Slot

from zipmap_app.desktop.job_list import JobList
from zipmap_app.desktop.jobs import Job
from zipmap_app.sources.base import FrameSource, SourceError, SourceStalledError
from zipmap_app.sources.cameras import CameraInfo, list_cameras
from zipmap_app.sources.opening import open_source
from zipmap_app.ui.opening.choice import NamedCamera, PreviewFailure, PreviewFrame

_FRAME_GAP_S = 1 / 15
_JOIN_S = 2.0


class SystemCameras(QObject):
    """The CameraBrowser of the machine. GUI thread only; ``close`` joins what still runs."""

    def __init__(
        self,
        jobs: JobList,
        parent: QObject,
        *,
        find: Callable[[], Sequence[CameraInfo]] = list_cameras,
        open_camera: Callable[[int], FrameSource] = lambda index: open_source(str(index), reconnects=False),
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._find = find
        self._open_camera = open_camera
        self._preview: _Preview | None = None
        self._old: list[_Preview] = []

    def find(self, on_found: Callable[[Sequence[NamedCamera]], None]) -> None:
        job = Job("find-cameras", lambda control: self._find(), self)
        job.done.connect(lambda found: on_found([NamedCamera(each.index, each.name) for each in found]))
        job.failed.connect(lambda error: on_found(()))
        self._jobs.start(job)

    def start_preview(self, index: int, on_frame: PreviewFrame, on_failed: PreviewFailure) -> None:
        self.stop_preview()
        self._preview = _Preview(self._open_camera, index, on_frame, on_failed, self._old, self)

    def stop_preview(self) -> None:
        """The camera is free soon after; whoever opens it next waits for it by trying again."""
        if self._preview is not None:
            self._preview.stop()
            self._old = [old for old in self._old if old.is_running] + [self._preview]
            self._preview = None

    def wait_until_free(self) -> None:
        """Return when no preview holds a camera any more, after two seconds at the latest."""
        for old in self._old:
            old.join()

    def close(self) -> None:
        self.stop_preview()
        self.wait_until_free()


class _Preview(QObject):
    """One camera and the thread that reads it."""

    _arrived = Signal(object)
    _failed = Signal(str)

    def __init__(
        self,
        open_camera: Callable[[int], FrameSource],
        index: int,
        on_frame: PreviewFrame,
        on_failed: PreviewFailure,
        before: Sequence[_Preview],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._open_camera = open_camera
        self._index = index
        self._on_frame = on_frame
        self._on_failed = on_failed
        self._before = tuple(before)
        self._stop = threading.Event()
        self._is_shown = threading.Event()  # the newest picture is on the screen: the next may come
        self._is_shown.set()
        self._arrived.connect(self._show, Qt.ConnectionType.QueuedConnection)
        self._failed.connect(self._fail, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name="camera-preview")
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Show nothing more and let go of the camera; does not wait."""
        self._stop.set()
        self._is_shown.set()

    def join(self) -> None:
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        for other in self._before:  # it may hold the same camera
            other.join()
        try:
            if not self._stop.is_set():
                self._read(self._open_camera(self._index))
        except SourceError as error:
            self._failed.emit(str(error))

    def _read(self, source: FrameSource) -> None:
        try:
            while not self._stop.is_set():
                try:
                    frame = source.read()
                except SourceStalledError:
                    continue
                if frame is None:
                    return
                self._is_shown.wait(1.0)
                self._is_shown.clear()
                self._arrived.emit(frame.rgb)
                self._stop.wait(_FRAME_GAP_S)
        finally:
            source.close()

    @Slot(object)
    def _show(self, rgb: np.ndarray) -> None:
        self._is_shown.set()
        if not self._stop.is_set():
            self._on_frame(rgb)

    @Slot(str)
    def _fail(self, sentence: str) -> None:
        if not self._stop.is_set():
            self._on_failed(sentence)
