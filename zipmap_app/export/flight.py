"""A camera flight as a video or a folder of pictures."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zipmap_app.sources.opencv import cv2
from zipmap_app.state.depth_colors import depth_picture
from zipmap_app.state.flight import FlightContent
from zipmap_app.state.queries import QueryResult

_MIN_HEIGHT = 480  # players open a video at its own size, and that of a small model is a stamp
# Both codecs are in every OpenCV wheel and free of licences that would bind the application.
_CODECS = {".mp4": "mp4v", ".webm": "VP90"}


@dataclass(frozen=True, slots=True)
class FlightFile:
    """Where a flight goes and what it shows."""

    path: Path  # .mp4 or .webm: a video; anything else: a new folder of PNG files
    content: FlightContent = FlightContent.RGB
    frames_per_s: int = 24

    @property
    def is_video(self) -> bool:
        return self.path.suffix.lower() in _CODECS


def save_flight(
    file: FlightFile,
    answers: Iterable[QueryResult],
    *,
    report: Callable[[int], None] = lambda n_written: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> int | None:
    """Write the answers in order; the target appears only when complete. None if cancelled.

    Returns the number of pictures. The depth colours of the whole flight span the depths of its first view. An
    existing video is replaced, an existing folder gets a number appended. Raises OSError.
    """
    target = file.path if file.is_video else _free_folder(file.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=target.parent))
    try:
        writer = _VideoWriter(stage / target.name, file.frames_per_s) if file.is_video else _Pictures(stage)
        try:
            n_written = _write(writer, answers, file.content, report, is_cancelled)
        finally:
            writer.close()
        if n_written is None:
            return None
        if file.is_video:
            (stage / target.name).replace(target)
        else:
            stage.chmod(0o755)
            stage.rename(target)
        return n_written
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _write(
    writer: _VideoWriter | _Pictures,
    answers: Iterable[QueryResult],
    content: FlightContent,
    report: Callable[[int], None],
    is_cancelled: Callable[[], bool],
) -> int | None:
    n_written = 0
    near_far: tuple[float, float] | None = None
    for answer in answers:
        if is_cancelled():
            return None
        depth = depth_picture(answer.depth, near_far)
        near_far = depth.near, depth.far
        parts = {
            FlightContent.RGB: [answer.rgb],
            FlightContent.DEPTH: [depth.rgb],
            FlightContent.BOTH: [answer.rgb, depth.rgb],
        }[content]
        writer.append(_enlarged(np.concatenate(parts, axis=1)))
        n_written += 1
        report(n_written)
    return None if is_cancelled() else n_written


def _enlarged(rgb: np.ndarray) -> np.ndarray:
    """A whole multiple of the size, with even sides, as video codecs want them."""
    factor = max(-(-_MIN_HEIGHT // rgb.shape[0]), 1)
    factor += factor % 2 if (rgb.shape[0] % 2 or rgb.shape[1] % 2) else 0
    size = (rgb.shape[1] * factor, rgb.shape[0] * factor)
    enlarged: np.ndarray = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC)
    return enlarged


def _free_folder(path: Path) -> Path:
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.name}_{number}")
        number += 1
    return candidate


class _VideoWriter:
    """A video file that is opened with the size of its first picture."""

    def __init__(self, path: Path, frames_per_s: int) -> None:
        self._path = path
        self._frames_per_s = frames_per_s
        self._writer: cv2.VideoWriter | None = None

    def append(self, rgb: np.ndarray) -> None:
        if self._writer is None:
            code = cv2.VideoWriter.fourcc(*_CODECS[self._path.suffix.lower()])
            size = (rgb.shape[1], rgb.shape[0])
            self._writer = cv2.VideoWriter(str(self._path), code, float(self._frames_per_s), size)
            if not self._writer.isOpened():
                raise OSError(f"no video of {size[0]}x{size[1]} pixels can be written here")
        self._writer.write(rgb[..., ::-1])

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()


class _Pictures:
    """PNG files numbered from 0."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._n_written = 0

    def append(self, rgb: np.ndarray) -> None:
        path = self._folder / f"{self._n_written:06d}.png"
        if not cv2.imwrite(str(path), rgb[..., ::-1]):
            raise OSError(f"{path} could not be written")
        self._n_written += 1

    def close(self) -> None:
        """Every picture is complete already."""
