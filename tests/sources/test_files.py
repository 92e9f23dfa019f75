"""Folders, videos and what is asked of them, with files made on the spot."""

import numpy as np
import pytest
from PIL import Image

from zipmap_app.sources.base import SourceError
from zipmap_app.sources.opencv import cv2
from zipmap_app.sources.opening import can_open, open_source
from zipmap_app.sources.synthetic import SyntheticSource


def read_all(source):
    frames = list(iter(source.read, None))
    source.close()
    return frames


def save_photo(path, colour=(1, 2, 3), size=(64, 48)):
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def video(tmp_path):
    """Ten frames of 64x48 at 5 fps, brighter from frame to frame."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (64, 48))
    for index in range(10):
        writer.write(np.full((48, 64, 3), 20 * index, np.uint8))
    writer.release()
    return path


def test_a_folder_is_read_in_natural_order_and_the_rest_is_told(tmp_path):
    for name in ("img10.png", "img2.png", "IMG1.png", "notes.txt", ".hidden.png"):
        if name.endswith("txt"):
            (tmp_path / name).write_text("x")
        else:
            save_photo(tmp_path / name)
    source = open_source(str(tmp_path))
    assert [frame.name for frame in read_all(source)] == ["IMG1.png", "img2.png", "img10.png"]
    assert len(source.notes) == 1
    assert "notes.txt" in source.notes[0]
    assert ".hidden" not in source.notes[0]


def test_a_damaged_photo_is_skipped_with_its_name(tmp_path):
    save_photo(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    save_photo(tmp_path / "c.png")
    source = open_source(str(tmp_path))
    frames = read_all(source)
    assert [(frame.frame_index, frame.name) for frame in frames] == [(0, "a.png"), (2, "c.png")]
    assert "b.png" in source.notes[0]


def test_photos_of_other_sizes_are_fitted_to_the_first(tmp_path):
    save_photo(tmp_path / "a.png", size=(64, 48))
    tall = np.zeros((200, 100, 3), np.uint8)
    tall[60:140] = 255  # what a central crop to 4:3 keeps is white in the middle
    Image.fromarray(tall).save(tmp_path / "b.png")
    source = open_source(str(tmp_path))
    first, second = read_all(source)
    assert second.rgb.shape == first.rgb.shape == (48, 64, 3)
    assert second.rgb.mean() > 250
    assert "64x48" in source.notes[-1]


@pytest.mark.parametrize(
    ("files", "words"),
    [({}, "nothing found"), ({"a.txt": b"x"}, "no pictures"), ({"a.jpg": b"x"}, "be read")],
)
def test_a_folder_without_readable_pictures_is_refused(tmp_path, files, words):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=words):
        open_source(str(tmp_path))


def test_a_video_is_read_to_its_end_with_times(video):
    source = open_source(str(video))
    assert source.n_frames_hint == 10
    frames = read_all(source)
    assert [frame.frame_index for frame in frames] == list(range(10))
    assert [frame.timestamp_s for frame in frames] == pytest.approx(
        [index / 5 for index in range(10)], abs=1e-3
    )
    assert [frame.rgb.mean() for frame in frames] == pytest.approx([20 * index for index in range(10)], abs=4)


def test_every_and_max_frames_keep_the_true_indices(video):
    frames = read_all(open_source(str(video), every=3))
    assert [frame.frame_index for frame in frames] == [0, 3, 6, 9]
    assert frames[2].rgb.mean() == pytest.approx(120, abs=4)
    assert frames[2].timestamp_s == pytest.approx(1.2, abs=1e-3)
    source = open_source(str(video), every=2, max_frames=3)
    assert source.n_frames_hint == 3
    assert [frame.frame_index for frame in read_all(source)] == [0, 2, 4]


def test_a_photo_folder_is_sampled_without_decoding_what_is_skipped(tmp_path):
    for index in range(5):
        save_photo(tmp_path / f"{index}.png")
    (tmp_path / "1.png").write_bytes(b"damaged, but skipped")
    source = open_source(str(tmp_path), every=2)
    assert [frame.name for frame in read_all(source)] == ["0.png", "2.png", "4.png"]
    assert source.notes == ()


def test_content_counts_not_the_name(tmp_path, video):
    renamed = tmp_path / "clip.jpg"
    renamed.write_bytes(video.read_bytes())
    assert len(read_all(open_source(str(renamed)))) == 10
    picture = tmp_path / "photo.mp4"
    Image.new("RGB", (64, 48)).save(picture, format="JPEG")
    assert len(read_all(open_source(str(picture)))) == 1


@pytest.mark.parametrize("spec", ["/no/such/file.mp4", "no-such-folder/"])
def test_what_is_not_there_is_refused_by_name(spec):
    with pytest.raises(SourceError, match="does not exist"):
        open_source(spec)


def test_accented_names_and_spaces_work(tmp_path, video):
    odd = tmp_path / "Café – scène 1.avi"
    odd.write_bytes(video.read_bytes())
    assert len(read_all(open_source(str(odd)))) == 10


def test_a_glance_at_dropped_things(tmp_path, video):
    empty = tmp_path / "empty"
    empty.mkdir()
    photos = tmp_path / "photos"
    photos.mkdir()
    save_photo(photos / "a.png")
    text = tmp_path / "a.txt"
    text.write_text("x" * 500)
    unnamed = tmp_path / "clip"
    unnamed.write_bytes(video.read_bytes())
    answers = {
        path.name: can_open(path) for path in (empty, photos, text, unnamed, video, tmp_path / "none.mp4")
    }
    assert answers == {
        "empty": False, "photos": True, "a.txt": False, "clip": True, "clip.avi": True, "none.mp4": False,
    }  # fmt: skip


def test_the_synthetic_scene_is_deterministic_and_geometrically_true():
    source, again = SyntheticSource(3), SyntheticSource(3)
    frames = read_all(source)
    for frame, same in zip(frames, read_all(again), strict=True):
        np.testing.assert_array_equal(frame.rgb, same.rgb)
    # A pixel of frame 0, moved by its true depth into frame 12, shows the same surface there.
    rgb, depth = source.render(0)
    later, later_depth = source.render(12)
    k, agree = source.intrinsics, []
    later_from_first = np.linalg.inv(source.world_from_camera(12)) @ source.world_from_camera(0)
    for v, u in ((60, 80), (120, 160), (180, 240), (100, 250)):
        point = np.linalg.inv(k) @ (u + 0.5, v + 0.5, 1) * depth[v, u]
        moved = later_from_first[:3, :3] @ point + later_from_first[:3, 3]
        x, y, _ = k @ moved / moved[2]
        agree.append(abs(later_depth[int(y), int(x)] - moved[2]) < 0.05 * moved[2])
    assert sum(agree) >= 3  # one may be hidden
    assert np.abs(rgb.astype(int) - later).mean() > 1
