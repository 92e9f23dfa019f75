"""Frames in memory: the model's input size and where its pixels come from."""

import numpy as np
import pytest
from PIL import Image

import zipmap_model as zm

BUNDLED = zm.MODEL_CONFIGS["bundled"]
MAIN = zm.MODEL_CONFIGS["main"]


@pytest.mark.parametrize(
    ("height", "width", "want"),
    [
        (480, 640, (144, 192)),
        (640, 480, (192, 144)),
        (1080, 1920, (128, 224)),
        (1920, 1080, (224, 128)),
        (500, 500, (160, 160)),
        (100, 1000, (112, 240)),
    ],
)
def test_the_small_model_keeps_its_pixel_count(height, width, want):
    assert zm.model_size(height, width, BUNDLED) == want


@pytest.mark.parametrize(
    ("height", "width", "want"), [(480, 640, (392, 518)), (640, 480, (518, 518)), (360, 640, (294, 518))]
)
def test_published_models_get_the_published_size(height, width, want):
    assert zm.model_size(height, width, MAIN) == want


def test_a_frame_equals_the_file_loader(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(tmp_path / "a.png")
    assert np.array_equal(zm.frame_from_rgb(rgb, MAIN).image, zm.load_images([tmp_path / "a.png"])[0])


def test_pixels_map_back_to_the_picture():
    rgb = np.zeros((500, 1200, 3), np.uint8)
    rgb[240:260, 300:320] = 255
    framed = zm.frame_from_rgb(rgb, BUNDLED)
    v, u = np.unravel_index(int(framed.image[0].argmax()), framed.image.shape[1:])
    x, y = framed.scale_x * (u + 0.5) + framed.left, framed.scale_y * (v + 0.5) + framed.top
    assert abs(x - 310) < 1.6 * framed.scale_x
    assert abs(y - 250) < 1.6 * framed.scale_y


def test_bad_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match="uint8"):
        zm.frame_from_rgb(np.zeros((4, 4, 3)), BUNDLED)
    with pytest.raises(ValueError, match="no images"):
        zm.load_images([])
    with pytest.raises(ValueError, match="mode"):
        zm.load_images(["a.png"], mode="stretch")
    Image.new("RGB", (2000, 10)).save(tmp_path / "flat.png")
    with pytest.raises(ValueError, match=r"flat\.png.*too narrow"):
        zm.load_images([tmp_path / "flat.png"])
