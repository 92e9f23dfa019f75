"""Video files, decoded to the end whatever their headers claim."""

from __future__ import annotations

import time

import numpy as np

from zipmap_app.sources.base import SourceError, SourceIdleError, check_size
from zipmap_app.sources.fitting import FrameFitter
from zipmap_app.sources.opencv import cv2
from zipmap_app.state.messages import SourceFrame

_SUFFIXES = ".mp4 .m4v .mov .avi .mkv .webm .mpg .mpeg .m2v .ts .mts .m2ts .wmv .flv .ogv .3gp .3g2 .mxf .y4m"
VIDEO_SUFFIXES = frozenset(_SUFFIXES.split())
_MAX_CREDIBLE_FRAMES = 10_000_000
_FALLBACK_FPS = 25.0
_NETWORK_TIMEOUT_MS = 10_000
_SKIP_TURN_S = 0.5


class VideoSource:
    """A video file or address. Frames are upright (OpenCV applies rotation metadata) with square pixels."""

    is_live = False

    def __init__(self, target: str, name: str) -> None:
        """Opens and decodes the first frame. Raises SourceError if there is none."""
        self.name = name
        self._target = target
        self._n_to_skip = 0  # frames that were read before this source was opened again
        self._capture = cv2.VideoCapture(
            target,
            cv2.CAP_FFMPEG,
            [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                _NETWORK_TIMEOUT_MS,
                cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                _NETWORK_TIMEOUT_MS,
            ],
        )
        if not self._capture.isOpened():
            raise SourceError(
                f"{name} cannot be opened as a video: it is damaged, has no picture track or is no video; "
                "check that it plays, or convert it to MP4 (H.264)."
            )
        self.n_frames_hint = self._claimed_frames()
        self._claim = self.n_frames_hint
        self._clock = _FrameClock(self._capture.get(cv2.CAP_PROP_FPS))
        self._fitter = FrameFitter()
        self._pixel_aspect = self._stored_pixel_aspect()
        self._notes: list[str] = []
        self._n_decoded = 0
        try:
            self._waiting: SourceFrame | None = self._decode_first()
        except SourceError:
            self.close()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def read(self) -> SourceFrame | None:
        self._skip_ahead()
        frame, self._waiting = self._waiting, None
        return frame if frame is not None else self._decode_next()

    def skip(self) -> bool:
        self._skip_ahead()
        return self._pass_one()

    def close(self) -> None:
        self._waiting = None
        self._capture.release()

    def reopened(self, after_frame_index: int) -> VideoSource:
        """The same video from the frame after this one on.

        It is decoded up to there, because seeking is not exact in many files; ``read`` does that in parts.
        """
        source = VideoSource(self._target, self.name)
        source._n_to_skip = after_frame_index + 1
        return source

    def _skip_ahead(self) -> None:
        """Get to where a reopened video goes on. Raises SourceIdleError when that takes more than one read."""
        end_s = time.monotonic() + _SKIP_TURN_S
        while self._n_to_skip:
            self._n_to_skip -= 1
            if not self._pass_one():
                self._n_to_skip = 0
            elif time.monotonic() > end_s:
                raise SourceIdleError(f"{self.name} is being searched for the frame to go on with.")

    def _pass_one(self) -> bool:
        if self._waiting is not None:
            self._waiting = None
            return True
        return self._grab() is not None

    def _claimed_frames(self) -> int | None:
        claimed = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return int(claimed) if 0 < claimed < _MAX_CREDIBLE_FRAMES else None

    def _stored_pixel_aspect(self) -> float:
        """Width over height of one stored pixel as shown; rotation by a quarter turn swaps the two."""
        numerator = self._capture.get(cv2.CAP_PROP_SAR_NUM)
        denominator = self._capture.get(cv2.CAP_PROP_SAR_DEN)
        aspect = numerator / denominator if numerator > 0 and denominator > 0 else 1.0
        if not 0.1 < aspect < 10:
            return 1.0  # nonsense in the header
        is_on_its_side = self._capture.get(cv2.CAP_PROP_ORIENTATION_META) % 180 == 90
        return 1 / aspect if is_on_its_side else aspect

    def _decode_first(self) -> SourceFrame:
        frame = self._decode_next()
        if frame is None:
            fourcc = int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
            codec = fourcc.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ") or "unknown"
            raise SourceError(
                f"{self.name} gives no frames: its codec ({codec}) is not supported or all of it is damaged; "
                "convert it to MP4 (H.264)."
            )
        check_size(self.name, frame.rgb.shape[0], frame.rgb.shape[1])
        if abs(self._pixel_aspect - 1) > 1e-3:
            self._notes.append(
                f"the pixels of {self.name} are not square ({self._pixel_aspect:.3f}:1); "
                f"frames are scaled to {frame.rgb.shape[1]}x{frame.rgb.shape[0]}"
            )
        return frame

    def _decode_next(self) -> SourceFrame | None:
        position = self._grab()
        if position is None:
            return None
        ok, bgr = self._capture.retrieve()
        if not ok:
            self._end()
            return None
        index, time_s = position
        rgb = self._fitter.fit(_square_pixels(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), self._pixel_aspect))
        return SourceFrame(index, time_s, time.monotonic(), rgb, f"frame_{index:06d}")

    def _grab(self) -> tuple[int, float] | None:
        """Move to the next frame: its index and time, or None at the end."""
        if not self._capture.grab():
            self._end()
            return None
        index = self._n_decoded
        self._n_decoded += 1
        return index, self._clock.time_s(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)

    def _end(self) -> None:
        """Say at the end, once, what differed from the header."""
        claim, self._claim = self._claim, None
        if claim is not None and self._n_decoded != claim:
            self._notes.append(
                f"used {self._n_decoded} of the {claim} frames the header of {self.name} claims"
            )
        if self._fitter.note is not None:
            self._notes.append(self._fitter.note)
            self._fitter = FrameFitter()


class _FrameClock:
    """Stored time stamps, made to rise: damaged and joined files repeat or restart theirs."""

    def __init__(self, fps: float) -> None:
        self._step_s = 1 / fps if 0 < fps < 1000 else 1 / _FALLBACK_FPS
        self._last_s: float | None = None

    def time_s(self, stored_s: float) -> float:
        if not np.isfinite(stored_s) or stored_s < 0:
            stored_s = 0.0
        if self._last_s is not None and stored_s <= self._last_s:
            stored_s = self._last_s + self._step_s
        self._last_s = stored_s
        return stored_s


def _square_pixels(rgb: np.ndarray, pixel_aspect: float) -> np.ndarray:
    """Stretch the short direction of the pixels, so that no detail is lost."""
    if abs(pixel_aspect - 1) <= 1e-3:
        return rgb
    height, width = rgb.shape[:2]
    if pixel_aspect > 1:
        width = round(width * pixel_aspect)
    else:
        height = round(height / pixel_aspect)
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR)
