"""A part of the screen as a live source."""

from __future__ import annotations

import os
import re
import time

import mss
import numpy as np
from mss.exception import ScreenShotError

from zipmap_app.sources.base import MIN_SIDE_PX, SourceError
from zipmap_app.sources.live import LiveSource

_INTERVAL_S = 1 / 30  # grabbing faster costs a core and shows nothing new
_SPEC = re.compile(r"screen(?::(?:(?P<monitor>\d+)|(?P<region>-?\d+,-?\d+,\d+,\d+)))?")


def is_screen(spec: str) -> bool:
    """Whether this means the screen: "screen", "screen:NUMBER..." or something meant like it."""
    return spec == "screen" or spec.startswith("screen:")


def screen_source(spec: str) -> LiveSource:
    """The screen ("screen"), one monitor ("screen:2") or a region ("screen:LEFT,TOP,WIDTH,HEIGHT", pixels).

    Raises SourceError when there is no such region, or the system does not let programs see the screen.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise SourceError(
            f"{spec} is no part of the screen: write screen:1 for the first monitor, or "
            "screen:LEFT,TOP,WIDTH,HEIGHT in pixels."
        )
    if os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise SourceError(
            "Wayland lets no program read the screen unasked: log in with an X11 (Xorg) session, or record a "
            "video of the screen and open that."
        )
    monitor = int(match["monitor"] or 1)
    region = None if match["region"] is None else tuple(map(int, match["region"].split(",")))
    if region is not None and min(region[2:]) < MIN_SIDE_PX:
        raise SourceError(
            f"{spec} is {region[2]}x{region[3]} pixels: choose at least {MIN_SIDE_PX}x{MIN_SIDE_PX}."
        )
    name = "Screen" if match["monitor"] is None and region is None else f"Screen {spec.partition(':')[2]}"
    return LiveSource(name, lambda: _ScreenCapture(monitor, region), can_stand_still=True)


class _ScreenCapture:
    """The screen as a camera. One thread, the one that made it: the connection to the display belongs to it."""

    def __init__(self, monitor: int, region: tuple[int, ...] | None) -> None:
        try:
            self._grabber = mss.MSS()
            self._area = self._find_area(monitor, region)
            self._grab()  # so that a missing permission is told at once
        except ScreenShotError as error:
            raise SourceError(
                f"The screen cannot be read ({error}): allow this program to record the screen in the system's "
                "settings, or record a video of the screen and open that."
            ) from error
        self._next_s = time.monotonic()

    def isOpened(self) -> bool:  # noqa: N802  as in cv2.VideoCapture
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        """The screen now, (H, W, 3) uint8 BGR; at most 30 a second."""
        time.sleep(max(self._next_s - time.monotonic(), 0.0))
        self._next_s = time.monotonic() + _INTERVAL_S
        try:
            return True, self._grab()
        except ScreenShotError:
            return False, None

    def release(self) -> None:
        self._grabber.close()

    def _grab(self) -> np.ndarray:
        shot = self._grabber.grab(self._area)
        return np.frombuffer(shot.bgra, np.uint8).reshape(shot.height, shot.width, 4)[:, :, :3].copy()

    def _find_area(self, monitor: int, region: tuple[int, ...] | None) -> dict[str, int]:
        everything, *monitors = self._grabber.monitors
        if region is None:
            if not 1 <= monitor <= len(monitors):
                raise SourceError(f"There is no monitor {monitor}: choose from 1 to {len(monitors)}.")
            return dict(monitors[monitor - 1])
        left, top, width, height = region
        right, bottom = everything["left"] + everything["width"], everything["top"] + everything["height"]
        is_inside = left >= everything["left"] and top >= everything["top"]
        if not (is_inside and left + width <= right and top + height <= bottom):
            raise SourceError(
                f"The region {left},{top},{width},{height} leaves the screen, which reaches from "
                f"{everything['left']},{everything['top']} to {right},{bottom}: choose one inside it."
            )
        return {"left": left, "top": top, "width": width, "height": height}
