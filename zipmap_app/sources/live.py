"""Cameras and network streams: sources that do not wait for us."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from zipmap_app.sources.base import SourceError, SourceStalledError, check_size
from zipmap_app.sources.opencv import cv2
from zipmap_app.state.messages import SourceFrame

logger = logging.getLogger(__name__)

_PROBED_INDICES = 4
_NETWORK_TIMEOUT_MS = 8_000


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used, so that tests can bring their own."""

    def isOpened(self) -> bool: ...  # noqa: N802
    def read(self) -> tuple[bool, np.ndarray | None]: ...
    def release(self) -> None: ...


class LiveSource:
    """A camera or stream, watched.

    A thread of its own keeps the newest frame, because a driver may block for ever, or repeat the last picture
    with success, once the device is gone. ``read`` waits a second at most.
    """

    is_live = True
    n_frames_hint: int | None = None

    def __init__(
        self,
        name: str,
        open_capture: Callable[[], Capture],
        *,
        open_timeout_s: float = 5.0,
        read_timeout_s: float = 1.0,
        silence_limit_s: float = 8.0,
    ) -> None:
        """Waits for the first frame. Raises SourceError when none comes within ``open_timeout_s``."""
        self.name = name
        self._open_capture = open_capture
        self._read_timeout_s = read_timeout_s
        self._silence_limit_s = silence_limit_s
        self._changed = threading.Condition()
        self._newest: SourceFrame | None = None
        self._failure: SourceError | None = None
        self._closing = False
        self._last_new_s = time.monotonic()
        self._last_any_s = self._last_new_s
        # The one daemon thread of the program: no call can end a driver that never returns, and the program
        # must be able to exit all the same. close() ends it in every other case.
        self._thread = threading.Thread(target=self._run, name="device", daemon=True)
        self._thread.start()
        self._wait_for_first(open_timeout_s)

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def read(self) -> SourceFrame | None:
        with self._changed:
            self._changed.wait_for(self._has_news, self._read_timeout_s)
            frame, self._newest = self._newest, None
            if frame is not None:
                return frame
            if self._failure is not None:
                raise self._failure
            if self._closing:
                return None
            self._raise_silence()
        return None

    def skip(self) -> bool:
        return self.read() is not None

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout=1.0)
        if self._thread.is_alive():
            logger.warning("the driver of %s does not answer; its thread is left behind", self.name)

    def _has_news(self) -> bool:
        return self._newest is not None or self._failure is not None or self._closing

    def _raise_silence(self) -> None:
        """Nothing new came: say whether the device is silent or repeats itself, and give up after a while."""
        now_s = time.monotonic()
        silent_s = now_s - self._last_new_s
        is_frozen = now_s - self._last_any_s < self._read_timeout_s
        what = "sends the same picture again and again" if is_frozen else "sends no pictures"
        sentence = f"{self.name} {what}: it may be unplugged, asleep or used by another program; "
        if silent_s < self._silence_limit_s:
            raise SourceStalledError(sentence + "waiting for it.")
        raise SourceError(sentence + f"gave up after {silent_s:.0f} s, connect it again and restart.")

    def _wait_for_first(self, timeout_s: float) -> None:
        with self._changed:
            self._changed.wait_for(self._has_news, timeout_s)
            has_frame, failure = self._newest is not None, self._failure
        if not has_frame:
            self.close()
            raise failure or SourceError(
                f"{self.name} gave no picture within {timeout_s:.0f} s: it may be used by another program; "
                "close that program or choose another source."
            )

    def _run(self) -> None:
        capture: Capture | None = None
        try:
            capture = self._open_capture()
            if capture.isOpened():
                self._read_frames(capture)
            else:
                self._fail(SourceError(f"{self.name} cannot be opened: {_advice(self.name)}"))
        except SourceError as error:
            self._fail(error)
        except cv2.error as error:
            self._fail(SourceError(f"{self.name} failed ({error.err}); connect it again and restart."))
        finally:
            if capture is not None:
                capture.release()

    def _read_frames(self, capture: Capture) -> None:
        start_s = time.monotonic()
        index = 0
        previous: np.ndarray | None = None
        while not self._closing:
            ok, bgr = capture.read()
            now_s = time.monotonic()
            if not ok or bgr is None:
                with self._changed:
                    # A device that fails at once every time must not make this loop spin.
                    self._changed.wait_for(lambda: self._closing, 0.02)
                continue
            self._last_any_s = now_s
            if previous is not None and previous.shape == bgr.shape and np.array_equal(previous, bgr):
                continue  # sensor noise makes two true pictures differ
            previous = bgr
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            check_size(self.name, rgb.shape[0], rgb.shape[1])
            frame = SourceFrame(index, now_s - start_s, now_s, rgb, f"frame_{index:06d}")
            index += 1
            with self._changed:
                self._newest = frame
                self._last_new_s = now_s
                self._changed.notify_all()

    def _fail(self, error: SourceError) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()


def camera_source(index: int) -> LiveSource:
    """The camera with this number. Raises SourceError that lists the cameras there are."""
    cameras = list_cameras()
    if cameras is not None and index not in cameras:
        raise SourceError(f"Camera {index} does not exist: {_advice('', cameras)}")
    return LiveSource(f"Camera {index}", lambda: cv2.VideoCapture(index))


def stream_source(url: str) -> LiveSource:
    """A network stream (RTSP, RTMP, HTTP ...). Raises SourceError when it does not answer."""
    options = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        _NETWORK_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        _NETWORK_TIMEOUT_MS,
    ]
    return LiveSource(
        shown_url(url),
        lambda: cv2.VideoCapture(url, cv2.CAP_FFMPEG, options),
        open_timeout_s=_NETWORK_TIMEOUT_MS / 1000 + 2,
        silence_limit_s=20.0,
    )


def shown_url(url: str) -> str:
    """An address without user name and password."""
    return re.sub(r"//[^/@]*@", "//", url)


def list_cameras() -> dict[int, str] | None:
    """Number and name of every camera, or None where they cannot be listed without opening them."""
    if not sys.platform.startswith("linux"):
        return None
    cameras = {}
    for device in sorted(Path("/dev").glob("video[0-9]*")):
        index = int(device.name.removeprefix("video"))
        name_file = Path("/sys/class/video4linux", device.name, "name")
        cameras[index] = name_file.read_text().strip() if name_file.is_file() else device.name
    return cameras


def _probed_cameras() -> dict[int, str]:
    """Cameras that open, among the first few numbers."""
    found = {}
    for index in range(_PROBED_INDICES):
        capture = cv2.VideoCapture(index)
        if capture.isOpened():
            found[index] = f"Camera {index}"
        capture.release()
    return found


def _advice(name: str, cameras: dict[int, str] | None = None) -> str:
    if "://" in name:
        return "check the address, the password and the network."
    if cameras is None:
        cameras = list_cameras()
    if cameras is None:
        cameras = _probed_cameras()
    if not cameras:
        return "no camera was found; connect one and allow its use, or open a video or photos."
    listing = ", ".join(f"{index} ({name})" for index, name in cameras.items())
    return f"found {listing}; choose one of these, or close the program that uses it."
