import numpy as np
import pytest
from mss.exception import ScreenShotError

from zipmap_app.sources import screen
from zipmap_app.sources.base import SourceError, SourceIdleError
from zipmap_app.sources.opening import open_source


class Shot:
    def __init__(self, area, value):
        self.height, self.width = area["height"], area["width"]
        bgra = np.zeros((self.height, self.width, 4), np.uint8)
        bgra[..., 2] = value  # red
        self.bgra = bgra.tobytes()


class FakeScreen:
    """Two monitors side by side whose red grows from grab to grab."""

    monitors = (
        {"left": 0, "top": 0, "width": 300, "height": 100},
        {"left": 0, "top": 0, "width": 200, "height": 100},
        {"left": 200, "top": 0, "width": 100, "height": 80},
    )

    def __init__(self, stands_still=False, failure=None):
        self._stands_still = stands_still
        self._failure = failure
        self._n_grabs = 0
        self.areas = []

    def grab(self, area):
        if self._failure is not None:
            raise ScreenShotError(self._failure)
        self.areas.append(area)
        self._n_grabs += not self._stands_still
        return Shot(area, 10 + self._n_grabs % 200)

    def close(self):
        pass


@pytest.fixture
def show(monkeypatch):
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)

    def use(fake):
        monkeypatch.setattr(screen.mss, "MSS", lambda: fake)
        return fake

    return use


@pytest.mark.parametrize(
    ("spec", "shape", "name"),
    [
        ("screen", (100, 200, 3), "Screen"),
        ("screen:2", (80, 100, 3), "Screen 2"),
        ("screen:10,20,64,48", (48, 64, 3), "Screen 10,20,64,48"),
    ],
)
def test_monitors_and_regions_come_as_rgb_frames(show, spec, shape, name):
    show(FakeScreen())
    source = open_source(spec)
    frames = [source.read(), source.read()]
    source.close()
    assert frames[0].rgb.shape == shape
    assert frames[0].rgb[0, 0, 0] > 0
    assert frames[0].rgb[0, 0, 2] == 0
    assert frames[1].frame_index > frames[0].frame_index
    assert (source.is_live, source.name) == (True, name)


def test_a_screen_that_stands_still_is_not_a_broken_one(show):
    show(FakeScreen(stands_still=True))
    source = open_source("screen")
    source.read()
    with pytest.raises(SourceIdleError):
        source.read()
    source.close()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("screen:3", "no monitor 3"),
        ("screen:0", "no monitor 0"),
        ("screen:250,0,100,100", "leaves the screen"),
        ("screen:-1,0,100,100", "leaves the screen"),
        ("screen:0,0,100,8", "at least 32x32"),
        ("screen:left", "no part of the screen"),
    ],
)
def test_what_is_not_there_is_refused(show, spec, words):
    show(FakeScreen())
    with pytest.raises(SourceError, match=words):
        open_source(spec)


def test_a_missing_permission_is_one_sentence(show):
    show(FakeScreen(failure="XGetImage() failed"))
    with pytest.raises(SourceError, match="allow this program to record the screen"):
        open_source("screen")


def test_wayland_is_one_sentence(show, monkeypatch):
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    with pytest.raises(SourceError, match="Wayland lets no program"):
        open_source("screen")
