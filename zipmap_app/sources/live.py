"""Cameras and network streams: sources that do not wait for us."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zipmap_app.sources.base import SourceError, SourceIdleError, SourceStalledError, check_size
from zipmap_app.sources.cameras import find_again, list_cameras
from zipmap_app.sources.opencv import cv2
from zipmap_app.state.addresses import shown_url
from zipmap_app.state.messages import SourceFrame

logger = logging.getLogger(__name__)

_NETWORK_TIMEOUT_MS = 8_000


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used, so that tests can bring their own."""

    def isOpened(self) -> bool: ...  # noqa: N802
    def read(self) -> tuple[bool, np.ndarray | None]: ...
    def release(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class LiveTiming:
    """How patient a live source is, in seconds."""

    open_s: float = 5.0  # for the first frame
    read_s: float = 1.0  # one read waits so long at most
    lost_s: float = 3.0  # of silence, after which the device is opened again
    reopen_s: float = 1.0  # between two attempts
    give_up_s: float = 8.0  # of silence, after which a source that does not reconnect is lost


class LiveSource:
    """A camera or stream, watched.

    A thread of its own keeps the newest frame, because a driver may block for ever, or repeat the last picture
    with success, once the device is gone. ``read`` waits a second at most. A device that falls silent is opened
    again every second until it is back or the source is closed; with ``reconnects`` off it is given up.
    """

    is_live = True
    n_frames_hint: int | None = None

    def __init__(
        self,
        name: str,
        open_capture: Callable[[], Capture],
        *,
        timing: LiveTiming | None = None,
        reconnects: bool = True,
        can_stand_still: bool = False,
        first_frame: int = 0,
        start_s: float | None = None,
    ) -> None:
        """Waits for the first frame. Raises SourceError when none comes in time.

        ``can_stand_still``: repeating a picture is nothing to worry about. ``first_frame`` and ``start_s``
        (time.monotonic()) go on counting where an earlier source stopped.
        """
        self.name = name
        self._open_capture = open_capture
        self._timing = timing or LiveTiming()
        self._reconnects = reconnects
        self._can_stand_still = can_stand_still
        self._changed = threading.Condition()
        self._newest: SourceFrame | None = None
        self._failure: SourceError | None = None
        self._closing = False
        self._notes: tuple[str, ...] = ()
        self._is_silence_told = False
        self._last_new_s = time.monotonic()
        self._last_any_s = self._last_new_s
        self._start_s = self._last_new_s if start_s is None else start_s
        # Of the device thread:
        self._next_index = first_frame
        self._previous: np.ndarray | None = None
        # The one daemon thread of the program: no call can end a driver that never returns, and the program
        # must be able to exit all the same. close() ends it in every other case.
        self._thread = threading.Thread(target=self._run, name="device", daemon=True)
        self._thread.start()
        self._wait_for_first()

    @property
    def notes(self) -> tuple[str, ...]:
        return self._notes

    def read(self) -> SourceFrame | None:
        with self._changed:
            self._changed.wait_for(self._has_news, self._timing.read_s)
            frame, self._newest = self._newest, None
            if frame is not None:
                if self._is_silence_told:
                    self._notes = (*self._notes, f"{self.name} is back")
                    self._is_silence_told = False
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

    def reopened(self, after_frame_index: int) -> LiveSource:
        """The same device again; numbers and times go on."""
        return LiveSource(
            self.name,
            self._open_capture,
            timing=self._timing,
            reconnects=self._reconnects,
            can_stand_still=self._can_stand_still,
            first_frame=after_frame_index + 1,
            start_s=self._start_s,
        )

    def _has_news(self) -> bool:
        return self._newest is not None or self._failure is not None or self._closing

    def _raise_silence(self) -> None:
        """Nothing new came: say whether the device is silent or repeats itself, and whether there is hope."""
        now_s = time.monotonic()
        silent_s = now_s - self._last_new_s
        is_frozen = now_s - self._last_any_s < self._timing.read_s
        if is_frozen and self._can_stand_still:
            raise SourceIdleError(f"{self.name} shows nothing new.")
        what = "sends the same picture again and again" if is_frozen else "sends no pictures"
        sentence = f"{self.name} {what}: it may be unplugged, asleep or used by another program; "
        if self._reconnects or silent_s < self._timing.give_up_s:
            self._is_silence_told = True
            raise SourceStalledError(sentence + "waiting for it.")
        raise SourceError(sentence + f"gave up after {silent_s:.0f} s, connect it again and restart.")

    def _wait_for_first(self) -> None:
        timeout_s = self._timing.open_s
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
        """The body of the device thread: open and read, again and again."""
        while not self._closing:
            failure = self._use_device()
            with self._changed:
                if failure is not None and (self._previous is None or not self._reconnects):
                    self._failure = failure
                    self._changed.notify_all()
                    return
                self._changed.wait_for(lambda: self._closing, self._timing.reopen_s)

    def _use_device(self) -> SourceError | None:
        """Open the device and read until it is lost; returns why it could not be used, if so."""
        capture: Capture | None = None
        try:
            capture = self._open_capture()
            if not capture.isOpened():
                return SourceError(f"{self.name} cannot be opened: {_advice(self.name)}")
            self._read_frames(capture)
        except SourceError as error:
            return error
        except cv2.error as error:
            return SourceError(f"{self.name} failed ({error.err}); connect it again and restart.")
        finally:
            if capture is not None:
                capture.release()
        return None

    def _read_frames(self, capture: Capture) -> None:
        """Read until closed, or until nothing new has come for so long that opening again may help."""
        opened_s = time.monotonic()
        while not self._closing:
            ok, bgr = capture.read()
            now_s = time.monotonic()
            if ok and bgr is not None:
                self._last_any_s = now_s
                # Sensor noise makes two true pictures differ.
                if self._previous is None or not np.array_equal(self._previous, bgr):
                    self._take(bgr, now_s)
                    continue
                if self._can_stand_still:
                    continue
            else:
                with self._changed:
                    # A device that fails at once every time must not make this loop spin.
                    self._changed.wait_for(lambda: self._closing, 0.02)
            since_s = max(self._last_new_s, opened_s)
            if self._reconnects and self._previous is not None and now_s - since_s > self._timing.lost_s:
                return

    def _take(self, bgr: np.ndarray, now_s: float) -> None:
        self._previous = bgr
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        check_size(self.name, rgb.shape[0], rgb.shape[1])
        index = self._next_index
        frame = SourceFrame(index, now_s - self._start_s, now_s, rgb, f"frame_{index:06d}")
        self._next_index += 1
        with self._changed:
            self._newest = frame
            self._last_new_s = now_s
            self._changed.notify_all()


def camera_source(index: int, *, reconnects: bool = True) -> LiveSource:
    """The camera with this number. Raises SourceError that lists the cameras there are."""
    cameras = {camera.index: camera.name for camera in list_cameras()}
    if index not in cameras and (cameras or sys.platform.startswith("linux")):
        raise SourceError(f"Camera {index} does not exist: {_advice('')}")
    name = cameras.get(index, "")  # other systems may list none although there are some
    return LiveSource(
        f"Camera {index}", lambda: cv2.VideoCapture(find_again(index, name)), reconnects=reconnects
    )


def stream_source(url: str, *, reconnects: bool = True) -> LiveSource:
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
        timing=LiveTiming(open_s=_NETWORK_TIMEOUT_MS / 1000 + 2, lost_s=10.0, give_up_s=20.0),
        reconnects=reconnects,
    )


def _advice(name: str) -> str:
    if "://" in name:
        return "check the address, the password and the network."
    cameras = list_cameras()
    if not cameras:
        return "no camera was found; connect one and allow its use, or open a video or photos."
    listing = ", ".join(f"{camera.index} ({camera.name})" for camera in cameras)
    return f"found {listing}; choose one of these, or close the program that uses it."
