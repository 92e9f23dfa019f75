"""Every broken or unusual file of the shared collection does what a good program does with it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zipmap_app.sources.base import SourceError
from zipmap_app.sources.opencv import cv2
from zipmap_app.sources.opening import open_source

MEDIA = Path(__file__).parents[2] / "shared" / "media" / "malformed"
INDEX = MEDIA / "index.json"
ENTRIES = {entry["file"]: entry for entry in json.loads(INDEX.read_text())} if INDEX.is_file() else {}

pytestmark = [
    pytest.mark.skipif(not ENTRIES, reason="the shared media collection ../shared/media is not here"),
    pytest.mark.timeout(30),
    # Broken EXIF is expected; the module that reads it filters the warning, which pytest undoes.
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]

REFUSED = {
    "images/broken.png",
    "images/broken_data_stream.png",
    "images/corrupted.avif",
    "images/corrupted.heic",
    "images/crash-2020-10-test.tif",
    "images/decompression_bomb.gif",
    "images/empty.heic",
    "images/hopper.psd",
    "images/hopper.qoi",
    "images/multipage.tiff",  # 10x10
    "images/oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif",
    "images/orientation_rectangle.jpg",  # 2x1
    "images/png_decompression_dos.png",
    "images/RGB_8__29x100.png",
    "images/tRNS_null_1x1.png",
    "images/tiny.png",
    "images/truncated_end_chunk.png",
    "images/truncated_image.png",
    "images/truncated_jpeg.jpg",
    "images/ultrahdr.jpg",
    "images/unknown_compression_method.png",
    "images/zero_width.gif",
    "images/200MP.heic",
    "videos/audio_only.mp4",
    "videos/av1.mkv",
    "videos/empty.mp4",
    "videos/text.mp4",
    "videos/tiny_16x16.mp4",
    "videos/truncated_no_moov.mp4",
}

# Number of frames and size (H, W) where they differ from what the index says of other decoders.
FRAMES = {
    "images/iss634.gif": 42,
    "images/iss634.webp": 42,
    "images/iss634.apng": 41,
    "images/dispose_bgnd.gif": 5,
    "videos/animated.gif": 40,
    "videos/animated.webp": 40,
    "videos/tree_cinepak.avi": 68,
    "videos/start_offset.mp4": 167,
    "videos/size_change.ts": 60,
    "videos/jpeg_named.mp4": 1,
}
SIZES = {
    "images/arrow.heic": (2048, 1536),
    "images/pug.heic": (1536, 2048),
    "images/xiaomi.heic": (1536, 2048),
    "images/truncated.heic": (1365, 2048),
    "images/bird_burst.heic": (720, 1280),
    "images/RGB_10__128x128.heif": (128, 128),
    "videos/anamorphic_sar.mp4": (204, 698),
    "videos/carphone_176x144.mp4": (144, 193),
    "videos/odd_101x57.mp4": (57, 134),
    "videos/animated.webp": (102, 240),
    "videos/jpeg_named.mp4": (360, 480),
    "videos/rotate90.mp4": (480, 204),
    "videos/rotate270.mp4": (480, 204),
}
NOTES = {
    "videos/tree_cinepak.avi": "68 of the 444",
    "videos/truncated_faststart.mp4": "of the 250",
    "videos/start_offset.mp4": "167 of the 174",
    "videos/anamorphic_sar.mp4": "not square",
    "videos/animated.gif": "short video",
    "videos/animated.webp": "short video",
    "images/iss634.gif": "short video",
    "images/iss634.webp": "short video",
    "images/iss634.apng": "short video",
}


@dataclass(frozen=True)
class Read:
    """What a source gave."""

    n_frames: int
    first: np.ndarray
    times_s: list[float]
    notes: tuple[str, ...]


def read_all(file: str) -> Read:
    """Read a source to its end, checking on the way that all frames are alike."""
    source = open_source(str(MEDIA / file))
    first, times_s = None, []
    while (frame := source.read()) is not None:
        first = frame.rgb if first is None else first
        assert frame.rgb.shape == first.shape
        assert frame.rgb.flags.c_contiguous
        times_s.append(frame.timestamp_s)
    source.close()
    assert first is not None
    return Read(len(times_s), first, times_s, source.notes)


def expected_frames(entry: dict) -> int:
    if entry["file"] in FRAMES:
        return FRAMES[entry["file"]]
    video = entry["reference_decoders"].get("opencv_video")
    return video["decoded"] if video and video["decoded"] else 1


def expected_size(entry: dict) -> tuple[int, int]:
    file = entry["file"]
    if file in SIZES:
        return SIZES[file]
    if "exif_Landscape" in file:
        return (1200, 1800)
    if "exif_Portrait" in file:
        return (1800, 1200)
    decoders = entry["reference_decoders"]
    if decoders.get("opencv_video") and decoders["opencv_video"]["last_hw"]:
        return tuple(decoders["opencv_video"]["last_hw"])
    width, height = decoders["pillow"][2]
    return (height, width)


@pytest.mark.parametrize("file", sorted(REFUSED & ENTRIES.keys()))
def test_unusable_files_are_refused_in_one_sentence_with_their_name(file, capfd):
    with pytest.raises(SourceError) as refusal:
        read_all(file)
    sentence = str(refusal.value)
    assert Path(file).name in sentence
    assert "\n" not in sentence
    assert len(sentence) < 250
    assert capfd.readouterr().err == ""  # no chatter of decoders


@pytest.mark.parametrize("file", sorted(ENTRIES.keys() - REFUSED))
def test_usable_files_are_read_completely(file, capfd):
    entry = ENTRIES[file]
    read = read_all(file)
    assert read.n_frames == expected_frames(entry)
    assert read.first.shape == (*expected_size(entry), 3)
    assert all(later > earlier for earlier, later in zip(read.times_s, read.times_s[1:], strict=False))
    if file in NOTES:
        assert any(NOTES[file] in note for note in read.notes)
    assert capfd.readouterr().err == ""


def test_the_collection_is_the_one_this_test_knows():
    assert len(ENTRIES) == 116
    assert ENTRIES.keys() >= REFUSED


@pytest.mark.parametrize("kind", ["Landscape", "Portrait"])
def test_all_exif_orientations_show_the_same_picture(kind):
    small = [
        cv2.resize(read_all(f"images/exif_{kind}_{n}.jpg").first, (60, 60)).astype(int) for n in range(9)
    ]
    # The digit painted on each differs a little; a wrong turn differs by far more.
    for other in small[2:]:
        assert np.abs(other - small[1]).mean() < 12
        assert np.abs(other[:, ::-1] - small[1]).mean() > 20


def test_rotated_videos_are_upright():
    plain = read_all("videos/bitflips.mp4").first.shape
    assert plain == (204, 480, 3)
    upright, turned = read_all("videos/rotate90.mp4").first, read_all("videos/rotate270.mp4").first
    np.testing.assert_array_equal(upright, turned[::-1, ::-1])
    stored = read_all("videos/mp4_named.jpg").first
    np.testing.assert_array_equal(upright, np.rot90(stored, 1))
    np.testing.assert_array_equal(read_all("videos/rotate180.mp4").first, stored[::-1, ::-1])


def test_times_follow_the_stamps_not_the_index():
    times_s = read_all("videos/vfr.mp4").times_s
    assert times_s[-1] == pytest.approx(9.8, abs=0.05)
    steps = np.diff(times_s)
    assert steps.max() > 2 * steps.min()
    assert read_all("videos/fps1.mp4").times_s == pytest.approx(range(12), abs=1e-3)
    assert read_all("videos/start_offset.mp4").times_s[0] == pytest.approx(0, abs=0.05)


def test_deep_colour_is_scaled_not_clipped():
    with Image.open(MEDIA / "images/L_16__128x128.png") as image:
        stored = np.asarray(image).astype(float)
    np.testing.assert_allclose(read_all("images/L_16__128x128.png").first[..., 1], stored / 257, atol=0.51)
    for file in ("images/hopper_16bit.pgm", "images/16bit.cropped.tif"):
        deep = cv2.imread(str(MEDIA / file), cv2.IMREAD_UNCHANGED).astype(float)
        np.testing.assert_allclose(read_all(file).first[..., 0], deep / 257, atol=0.51)
    for file in ("images/RGB_16__128x128.png", "images/RGBA_16__128x128.png"):
        rgb = read_all(file).first
        assert (rgb == 255).mean() < 0.2


def test_colours_of_print_and_grey_files():
    reference = cv2.imread(str(MEDIA / "images/pil_sample_cmyk.jpg"))[..., ::-1].astype(float)
    ours = read_all("images/pil_sample_cmyk.jpg").first.astype(float)
    assert np.corrcoef(ours.ravel(), reference.ravel())[0, 1] > 0.9
    grey = read_all("images/hopper_gray.jpg").first
    assert (grey[..., 0] == grey[..., 1]).all()
    assert (grey[..., 0] == grey[..., 2]).all()


def test_high_dynamic_range_is_neither_black_nor_white():
    assert 20 < read_all("videos/hdr_pq_bt2020.mp4").first.mean() < 235


def test_a_folder_of_everything_reads_what_can_be_read(tmp_path):
    for file in ("images/flower.jpg", "images/corrupted.heic", "images/empty.heic", "images/pug.heic"):
        shutil.copy(MEDIA / file, tmp_path)
    source = open_source(str(tmp_path))
    names = [frame.name for frame in iter(source.read, None)]
    assert names == ["flower.jpg", "pug.heic"]
    for name in ("corrupted.heic", "empty.heic"):
        assert any(name in note for note in source.notes)
