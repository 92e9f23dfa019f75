"""From what the user typed or dropped to a source of frames."""

from __future__ import annotations

import itertools
from pathlib import Path

from zipmap_app.sources.base import FrameSource, SourceError
from zipmap_app.sources.live import camera_source, stream_source
from zipmap_app.sources.photos import PICTURE_SUFFIXES, AnimationSource, PhotosSource, photos_from_folder
from zipmap_app.sources.pictures import is_animated, is_picture
from zipmap_app.sources.sampling import SampledSource
from zipmap_app.sources.screen import is_screen, screen_source
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.sources.video import VIDEO_SUFFIXES, VideoSource
from zipmap_app.state.addresses import shown_url

_GLANCE_FILES = 200  # files of a dragged folder that are looked at
_STILL_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")


def open_source(
    spec: str,
    *,
    every: int = 1,
    max_frames: int | None = None,
    max_fps: float | None = None,
    reconnects: bool = True,
) -> FrameSource:
    """Open a video, picture or folder by path, a camera by number, a stream by address, a part of the screen
    ("screen", "screen:MONITOR", "screen:LEFT,TOP,WIDTH,HEIGHT"), or "synthetic".

    Every ``every``-th frame is used, at most ``max_fps`` a second by their time stamps, and at most
    ``max_frames`` of them. ``reconnects``: a camera or stream that falls silent is waited for and opened again.
    The first frame is decoded before this returns. Raises SourceError with one sentence for the user.
    """
    source = _open(spec, reconnects)
    if every == 1 and max_frames is None and max_fps is None:
        return source
    return SampledSource(source, every=every, max_frames=max_frames, max_fps=max_fps)


def can_open(path: Path) -> bool:
    """Whether a dragged path looks like something to reconstruct. Reads a few hundred bytes at most."""
    try:
        if path.is_dir():
            glance = itertools.islice(path.iterdir(), _GLANCE_FILES)
            return any(inside.suffix.lower() in PICTURE_SUFFIXES for inside in glance)
        if path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES:
            return path.is_file()
        return path.is_file() and _is_video(path)
    except OSError:
        return False


def _open(spec: str, reconnects: bool) -> FrameSource:
    if spec == "synthetic":
        return SyntheticSource()
    if spec.isdecimal() and not Path(spec).exists():
        return camera_source(int(spec), reconnects=reconnects)
    if is_screen(spec) and not Path(spec).exists():
        return screen_source(spec)
    if "://" in spec:
        return _open_address(spec, reconnects)
    path = Path(spec).expanduser()
    try:
        if path.is_dir():
            return photos_from_folder(path)
        if not path.is_file():
            raise SourceError(
                f"{spec} does not exist: give a video, a picture, a folder, a camera number or an address."
            )
        return _open_file(path)
    except OSError as error:
        raise SourceError(f"{spec} cannot be read: {error.strerror or error}; check the path.") from error


def _open_address(url: str, reconnects: bool) -> FrameSource:
    """Addresses of video files are read like files, to the end and without loss; others are live."""
    address = url.partition("?")[0]
    if url.startswith(("http://", "https://")) and Path(address).suffix.lower() in VIDEO_SUFFIXES:
        return VideoSource(url, shown_url(address).rpartition("/")[2])
    return stream_source(url, reconnects=reconnects)


def _open_file(path: Path) -> FrameSource:
    """Decide by content, because names lie: a JPEG called .mp4, a video called .jpg."""
    path.open("rb").close()  # so that a missing permission is what gets reported
    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty (0 bytes); copy or record it again.")
    if is_picture(path):
        return AnimationSource(path) if is_animated(path) else PhotosSource(path.name, [path])
    if path.suffix.lower() in VIDEO_SUFFIXES or _is_video(path):
        return VideoSource(str(path), path.name)
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return PhotosSource(path.name, [path])  # refuses, with the reason
    raise SourceError(
        f"{path.name} is neither a picture nor a video of a known format: convert it to JPEG, PNG or MP4 (H.264)."
    )


def _is_video(path: Path) -> bool:
    """Whether the first bytes are those of a video container."""
    with path.open("rb") as file:
        head = file.read(200)
    if head[4:8] == b"ftyp":
        return head[8:12] not in _STILL_BRANDS
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return True
    if head.startswith(
        (b"\x1a\x45\xdf\xa3", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"FLV", b"OggS", b"0&\xb2u")
    ):
        return True
    if head.startswith(b"RIFF"):
        return head[8:12] == b"AVI "
    return len(head) > 188 and head[0] == head[188] == 0x47  # MPEG transport stream
