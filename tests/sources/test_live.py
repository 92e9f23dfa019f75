import threading
import time

import numpy as np
import pytest

from zipmap_app.sources import live
from zipmap_app.sources.base import SourceError, SourceIdleError, SourceStalledError
from zipmap_app.sources.cameras import CameraInfo
from zipmap_app.sources.live import LiveSource, LiveTiming, camera_source
from zipmap_app.sources.opencv import cv2


class FakeCamera:
    """Gives ``n_good`` different pictures, then what ``after`` says: "freeze", "fail" or "block"."""

    def __init__(self, n_good=3, after="fail", opens=True, shape=(48, 64, 3), first=1):
        self._n_good = n_good
        self._first = first
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
            return True, np.full(self._shape, (self._first + self._n_read - 1) % 256, np.uint8)
        if self._after == "block":
            self.released.wait(0.5)
            return False, None
        if self._after == "freeze":
            time.sleep(0.005)
            return True, np.full(self._shape, (self._first + self._n_good - 1) % 256, np.uint8)
        return False, None

    def release(self):
        self.released.set()


QUICK = LiveTiming(open_s=0.3, read_s=0.1, lost_s=0.2, reopen_s=0.05, give_up_s=0.3)


def open_fake(*cameras, **options):
    """A source over these cameras, one for each time it opens its device; the last one for ever."""
    supply = list(cameras)
    return LiveSource(
        "Camera 9", lambda: supply.pop(0) if len(supply) > 1 else supply[0], timing=QUICK, **options
    )


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
def test_without_reconnecting_an_unplugged_camera_is_noticed_told_and_given_up(after, words):
    camera = FakeCamera(after=after)
    source = open_fake(camera, reconnects=False)
    stalls, end = read_until_lost(source)
    assert stalls
    assert any(words in sentence for sentence in (*stalls, end))
    assert "gave up" in end
    source.close()
    assert camera.released.is_set()


def read_until(source, condition):
    """Frames read, and stalls told, until the condition holds for the newest frame."""
    frames, stalls = [], []
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        try:
            frames.append(source.read())
        except SourceStalledError as stall:
            stalls.append(str(stall))
            continue
        if condition(frames[-1]):
            return frames, stalls
    raise AssertionError(f"read {len(frames)} frames and {stalls}")


def read_for_ever(source):
    while True:
        source.read()


@pytest.mark.parametrize("after", ["freeze", "fail"])
def test_a_camera_that_comes_back_is_picked_up_again(after):
    lost, away, back = FakeCamera(after=after), FakeCamera(opens=False), FakeCamera(n_good=1000, first=100)
    source = open_fake(lost, away, back)
    frames, stalls = read_until(source, lambda frame: frame.rgb[0, 0, 0] >= 100)
    assert stalls
    assert "waiting for it" in stalls[0]
    assert source.notes == ("Camera 9 is back",)
    indices = [frame.frame_index for frame in frames]
    times = [frame.timestamp_s for frame in frames]
    assert indices == sorted(set(indices))
    assert times == sorted(set(times))
    assert lost.released.is_set()
    assert away.released.is_set()
    source.close()
    assert back.released.is_set()


def test_a_frozen_picture_that_stays_the_same_is_not_a_return():
    frozen = FakeCamera(after="freeze", n_good=0, first=4)  # the same picture as the last one before
    source = open_fake(FakeCamera(after="freeze", n_good=3), frozen)
    read_until(source, lambda frame: frame.frame_index == 2)
    while not frozen.released.is_set():  # until it was tried, and given up again
        with pytest.raises(SourceStalledError):
            source.read()
    source.close()


def test_a_driver_that_raises_later_on_is_tried_again():
    class Raising(FakeCamera):
        def read(self):
            if self._n_read == 3:
                raise cv2.error("the driver fell over")
            return super().read()

    source = open_fake(Raising(), FakeCamera(n_good=1000, first=100))
    read_until(source, lambda frame: frame.rgb[0, 0, 0] >= 100)
    source.close()


def test_closing_while_the_device_is_away_ends_the_thread():
    source = open_fake(FakeCamera(n_good=1), FakeCamera(opens=False))
    with pytest.raises(SourceStalledError):
        read_for_ever(source)
    source.close()
    assert not source._thread.is_alive()


def test_what_may_stand_still_is_never_told():
    source = open_fake(FakeCamera(after="freeze"), can_stand_still=True)
    with pytest.raises(SourceIdleError):
        read_for_ever(source)
    source.close()


def test_opened_again_numbers_and_times_go_on():
    source = open_fake(FakeCamera(n_good=1000))
    last = source.read()
    source.close()
    again = source.reopened(last.frame_index)
    first = again.read()
    assert first.frame_index > last.frame_index
    assert first.timestamp_s > last.timestamp_s
    again.close()


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
    monkeypatch.setattr(live, "list_cameras", lambda: (CameraInfo(2, "Webcam Pro"),))
    with pytest.raises(SourceError, match=r"cannot be opened: found 2 \(Webcam Pro\)"):
        open_fake(FakeCamera(opens=False))


def test_a_driver_that_raises_is_a_sentence():
    def broken():
        raise cv2.error("the driver fell over")

    with pytest.raises(SourceError, match="Camera 9 failed"):
        LiveSource("Camera 9", broken, timing=QUICK)


def test_an_absent_camera_is_refused_with_the_ones_there_are(monkeypatch):
    monkeypatch.setattr(
        live, "list_cameras", lambda: (CameraInfo(0, "Webcam"), CameraInfo(2, "Capture card"))
    )
    with pytest.raises(SourceError, match=r"Camera 5 does not exist: found 0 \(Webcam\), 2 \(Capture card\)"):
        camera_source(5)
    monkeypatch.setattr(live, "list_cameras", tuple)
    with pytest.raises(SourceError, match="no camera was found"):
        camera_source(0)
