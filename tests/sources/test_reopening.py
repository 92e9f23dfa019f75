"""Sources that are opened again go on exactly where they were left, and samplers with them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from zipmap_app.sources import video as video_module
from zipmap_app.sources.base import ReopenableSource, SourceError, SourceIdleError
from zipmap_app.sources.opencv import cv2
from zipmap_app.sources.opening import open_source
from zipmap_app.sources.sampling import SampledSource
from zipmap_app.sources.synthetic import SyntheticSource

N_FRAMES = 10


def read_all(source):
    """All frames, however often the source wants to be asked."""
    frames = []
    while True:
        try:
            frame = source.read()
        except SourceIdleError:
            continue
        if frame is None:
            source.close()
            return frames
        frames.append(frame)


def picture(index):
    return np.full((48, 64, 3), 20 * index, np.uint8)


def make_video(folder):
    path = folder / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (64, 48))
    for index in range(N_FRAMES):
        writer.write(picture(index))
    writer.release()
    return path


def make_photos(folder):
    for index in range(N_FRAMES):
        # Not all of one size: they are fitted to the first.
        Image.fromarray(picture(index)).resize((64, 48 if index % 3 else 64)).save(folder / f"{index}.png")
    return folder


def make_animation(folder):
    path = folder / "clip.gif"
    first, *rest = (Image.fromarray(picture(index)) for index in range(N_FRAMES))
    first.save(path, save_all=True, append_images=rest, duration=100)
    return path


@pytest.mark.parametrize("make", [make_video, make_photos, make_animation])
@pytest.mark.parametrize(
    "sampling",
    [{}, {"every": 3}, {"max_fps": 10.0}, {"max_frames": 5}, {"every": 2, "max_fps": 8.0, "max_frames": 4}],
)
def test_after_any_frame_the_rest_comes_as_before(tmp_path, make, sampling):
    spec = str(make(tmp_path))
    source = open_source(spec, **sampling)
    frames = read_all(source)  # which closes it
    for n_frames in (0, 1, len(frames) // 2, len(frames)):
        after = frames[n_frames - 1].frame_index if n_frames else -1
        again = read_all(source.reopened(after))
        assert [one.frame_index for one in again] == [one.frame_index for one in frames[n_frames:]]
        for one, two in zip(again, frames[n_frames:], strict=True):
            assert (one.timestamp_s, one.name) == (two.timestamp_s, two.name)
            np.testing.assert_array_equal(one.rgb, two.rgb)


def test_a_source_can_be_opened_again_many_times():
    source = SyntheticSource(6, (48, 64)).reopened(1).reopened(3)
    assert isinstance(source, ReopenableSource)
    assert [frame.frame_index for frame in read_all(source)] == [4, 5]


def test_a_long_way_through_a_video_is_gone_in_parts(tmp_path, monkeypatch):
    source = open_source(str(make_video(tmp_path))).reopened(5)
    monkeypatch.setattr(video_module, "_SKIP_TURN_S", 0.0)
    n_idle = 0
    while True:
        try:
            frame = source.read()
            break
        except SourceIdleError:
            n_idle += 1
    assert frame.frame_index == 6
    assert n_idle >= 5
    source.close()


@pytest.mark.parametrize(
    ("max_fps", "expected"),
    [
        (500.0, list(range(10))),
        (30.0, list(range(10))),
        (20.0, [0, 2, 3, 5, 6, 8, 9]),
        (10.0, [0, 3, 6, 9]),
        (1.0, [0]),
    ],
)
def test_so_many_frames_a_second_by_their_time_stamps(max_fps, expected):
    source = SampledSource(SyntheticSource(10, (48, 64)), max_fps=max_fps)
    assert [frame.frame_index for frame in read_all(source)] == expected


class SlowCamera:
    """A camera at 100 frames a second; nothing else is asked of it."""

    name = "camera"
    is_live = True
    n_frames_hint = None
    notes = ()

    def __init__(self):
        self.n_read = 0

    def read(self):
        self.n_read += 1
        frame = SyntheticSource(1, (48, 64)).read()
        return type(frame)(self.n_read, self.n_read / 100, 0.0, frame.rgb, "frame")

    def close(self):
        pass


def test_a_live_source_that_has_nothing_due_lets_the_reader_go_on(monkeypatch):
    monkeypatch.setattr("zipmap_app.sources.sampling._TURN_S", 0.0)
    source = SampledSource(SlowCamera(), max_fps=10)
    source.read()
    with pytest.raises(SourceIdleError):
        source.read()
    frames = []
    while len(frames) < 2:
        try:
            frames.append(source.read().timestamp_s)
        except SourceIdleError:
            continue
    assert frames == pytest.approx([0.11, 0.21])
    with pytest.raises(SourceError, match="cannot be opened again"):
        source.reopened(3)


def test_senseless_rates_are_refused():
    with pytest.raises(ValueError, match="max_fps"):
        SampledSource(SyntheticSource(1), max_fps=0)
