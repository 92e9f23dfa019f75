import threading
import time

import numpy as np
import pytest

from zipmap_app.sources import live
from zipmap_app.sources.base import SourceError, SourceStalledError
from zipmap_app.sources.live import LiveSource, camera_source, shown_url
from zipmap_app.sources.opencv import cv2


class FakeCamera:
    """Gives ``n_good`` different pictures, then what ``after`` says: "freeze", "fail" or "block"."""

    def __init__(self, n_good=3, after="fail", opens=True, shape=(48, 64, 3)):
        self._n_good = n_good
        self._after = after
        self._opens = opens
        self._shape = shape
        self._n_read = 0
        self.released = threading.Event()

    def isOpened(self):  # noqa: N802
        return self._opens

    def read(self):
        self._n_read += 1
        if self._n_read <= self._n_good:
            time.sleep(0.01)
            return True, np.full(self._shape, self._n_read, np.uint8)
        if self._after == "block":
            self.released.wait(0.5)
            return False, None
        if self._after == "freeze":
            time.sleep(0.005)
            return True, np.full(self._shape, self._n_good, np.uint8)
        return False, None

    def release(self):
        self.released.set()


def open_fake(camera, **timeouts):
    values = {"open_timeout_s": 0.3, "read_timeout_s": 0.1, "silence_limit_s": 0.3, **timeouts}
    return LiveSource("Camera 9", lambda: camera, **values)


def read_until_lost(source):
    stalls = []
    while True:
        try:
            source.read()
        except SourceStalledError as stall:
            stalls.append(str(stall))
        except SourceError as error:
            return stalls, str(error)


def test_frames_come_newest_first_with_rising_times():
    source = open_fake(FakeCamera(n_good=1000))
    first, second = source.read(), source.read()
    assert second.frame_index > first.frame_index
    assert second.timestamp_s > first.timestamp_s
    source.close()
    assert source.read() is None or source.read() is None


@pytest.mark.parametrize(("after", "words"), [("freeze", "same picture"), ("fail", "no pictures")])
def test_an_unplugged_camera_is_noticed_told_and_given_up(after, words):
    camera = FakeCamera(after=after)
    source = open_fake(camera)
    stalls, end = read_until_lost(source)
    assert stalls
    assert words in stalls[0]
    assert words in end
    assert "gave up" in end
    source.close()
    assert camera.released.is_set()


def test_a_read_never_blocks_longer_than_its_timeout():
    source = open_fake(FakeCamera(n_good=1, after="block"))
    source.read()
    start_s = time.monotonic()
    with pytest.raises(SourceStalledError):
        source.read()
    assert time.monotonic() - start_s < 0.3
    source.close()


def test_a_camera_that_gives_nothing_is_refused_in_time():
    with pytest.raises(SourceError, match="gave no picture within"):
        open_fake(FakeCamera(n_good=0))


def test_a_camera_that_does_not_open_is_refused(monkeypatch):
    monkeypatch.setattr(live, "list_cameras", lambda: {2: "Webcam Pro"})
    with pytest.raises(SourceError, match=r"cannot be opened: found 2 \(Webcam Pro\)"):
        open_fake(FakeCamera(opens=False))


def test_a_driver_that_raises_is_a_sentence():
    def broken():
        raise cv2.error("the driver fell over")

    with pytest.raises(SourceError, match="Camera 9 failed"):
        LiveSource("Camera 9", broken, open_timeout_s=1.0)


def test_an_absent_camera_is_refused_with_the_ones_there_are(monkeypatch):
    monkeypatch.setattr(live, "list_cameras", lambda: {0: "Webcam", 2: "Capture card"})
    with pytest.raises(SourceError, match=r"Camera 5 does not exist: found 0 \(Webcam\), 2 \(Capture card\)"):
        camera_source(5)
    monkeypatch.setattr(live, "list_cameras", dict)
    with pytest.raises(SourceError, match="no camera was found"):
        camera_source(0)


def test_passwords_are_not_shown():
    assert shown_url("rtsp://user:secret@host/a") == "rtsp://host/a"
