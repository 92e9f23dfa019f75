"""Photos of a folder, a single picture, and moving pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from natsort import natsorted, ns

from zipmap_app.sources.base import SourceError
from zipmap_app.sources.fitting import FrameFitter
from zipmap_app.sources.pictures import fov_from_picture, frames_from_animation, rgb_from_picture
from zipmap_app.state.messages import SourceFrame

_SUFFIXES = (
    ".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .gif .bmp .dib .tif .tiff .ppm .pgm .pbm .pnm "
    ".heic .heif .hif .avif .jp2 .j2k .jpx"
)
PICTURE_SUFFIXES = frozenset(_SUFFIXES.split())
_LISTED = 3  # file names in a note before it says "and so many more"


class PhotosSource:
    """Picture files in a given order, one frame each; unreadable ones are skipped with a note.

    Time stamps count photos, one second each: photos have no common clock that could be trusted.
    """

    is_live = False

    def __init__(self, name: str, paths: Sequence[Path], notes: Sequence[str] = ()) -> None:
        """Decodes up to the first readable photo. Raises SourceError if there is none."""
        self.name = name
        self.n_frames_hint: int | None = len(paths)
        self._first_notes = tuple(notes)
        self._notes = list(notes)
        self._paths = list(paths)
        self._next = 0
        self._fitter = FrameFitter()
        self._first_refusal: SourceError | None = None
        self._waiting = self._decode_next()
        if self._waiting is None:
            self._raise_nothing_readable()

    def _raise_nothing_readable(self) -> None:
        if len(self._paths) == 1 and self._first_refusal is not None:
            raise self._first_refusal
        raise SourceError(
            f"{self.name} holds no picture that can be read ({len(self._paths)} tried; {self._first_refusal}); "
            "choose another folder."
        ) from self._first_refusal

    @property
    def notes(self) -> tuple[str, ...]:
        fitted = self._fitter.note
        # Only known for good at the end; before that it would change with every photo.
        is_done = self._next >= len(self._paths) and self._waiting is None
        return (*self._notes, fitted) if fitted and is_done else tuple(self._notes)

    def read(self) -> SourceFrame | None:
        frame, self._waiting = self._waiting, None
        if frame is None:
            frame = self._decode_next()
        return frame

    def skip(self) -> bool:
        if self._waiting is not None:
            self._waiting = None
            return True
        self._next += 1
        return self._next <= len(self._paths)

    def close(self) -> None:
        self._next = len(self._paths)
        self._waiting = None

    def reopened(self, after_frame_index: int) -> PhotosSource:
        """The same photos from the one after this on, fitted to the first as before."""
        source = PhotosSource(self.name, self._paths, self._first_notes)
        if after_frame_index >= 0:
            source._waiting = None
            source._next = after_frame_index + 1
        return source

    def _decode_next(self) -> SourceFrame | None:
        while self._next < len(self._paths):
            index = self._next
            self._next += 1
            path = self._paths[index]
            try:
                rgb = rgb_from_picture(path)
            except SourceError as refusal:
                self._first_refusal = self._first_refusal or refusal
                self._notes.append(f"skipped a photo: {refusal}")
                continue
            fitted = self._fitter.fit(rgb)
            # A picture that was cropped does not show what its camera says any more.
            fov_x_rad = fov_from_picture(path, (rgb.shape[0], rgb.shape[1])) if fitted is rgb else None
            return SourceFrame(index, float(index), time.monotonic(), fitted, path.name, fov_x_rad)
        return None


class AnimationSource:
    """A GIF, WebP or PNG that moves, as a short video."""

    is_live = False

    def __init__(self, path: Path) -> None:
        """Decodes the first frame. Raises SourceError if that fails."""
        self.name = path.name
        self._path = path
        self.n_frames_hint: int | None = None
        self._frames: Iterator[tuple[float, np.ndarray]] = frames_from_animation(path)
        self._notes = [f"{path.name} is a moving picture and is used as a short video"]
        self._index = 0
        self._waiting = self._decode_next()
        if self._waiting is None:
            raise SourceError(f"{path.name} holds no frames; choose another file.")

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def read(self) -> SourceFrame | None:
        frame, self._waiting = self._waiting, None
        return frame if frame is not None else self._decode_next()

    def skip(self) -> bool:
        return self.read() is not None

    def close(self) -> None:
        self._frames = iter(())
        self._waiting = None

    def reopened(self, after_frame_index: int) -> AnimationSource:
        """The same pictures from the one after this on."""
        source = AnimationSource(self._path)
        for _ in range(after_frame_index + 1):
            source.skip()
        return source

    def _decode_next(self) -> SourceFrame | None:
        try:
            item = next(self._frames, None)
        except SourceError as error:
            if self._index == 0:
                raise
            self._notes.append(f"used the {self._index} frames before a damaged one: {error}")
            return None
        if item is None:
            return None
        index, (time_s, rgb) = self._index, item
        self._index += 1
        return SourceFrame(index, time_s, time.monotonic(), rgb, f"frame_{index:06d}")


def photos_from_folder(folder: Path) -> PhotosSource:
    """The pictures directly inside a folder in natural order. Raises SourceError if none can be read."""
    try:
        files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    except OSError as error:
        raise SourceError(
            f"{folder.name} cannot be listed: {error.strerror}; check its permissions."
        ) from error
    pictures = natsorted(
        (path for path in files if path.suffix.lower() in PICTURE_SUFFIXES),
        key=lambda path: path.name,
        alg=ns.IGNORECASE,
    )
    others = sorted(path.name for path in files if path.suffix.lower() not in PICTURE_SUFFIXES)
    if not pictures:
        found = f"{len(others)} other files" if others else "nothing"
        raise SourceError(
            f"{folder.name} holds no pictures ({found} found): choose a folder of photos, or open one video."
        )
    notes = [f"skipped {_listing(others)} in {folder.name}: no pictures by their names"] if others else []
    return PhotosSource(folder.name, pictures, notes)


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"
