import numpy as np
import pytest
from PIL import Image

from zipmap_app.sources.base import SourceError
from zipmap_app.sources.pictures import (
    MAX_SIDE_PX,
    frames_from_animation,
    is_animated,
    is_picture,
    rgb_from_picture,
)


def gradient(width=64, height=48):
    """Red grows to the right, green downwards."""
    u, v = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([u, v, np.zeros_like(u)], axis=-1).astype(np.uint8)


def test_a_plain_picture_comes_back_unchanged(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "a.png")
    np.testing.assert_array_equal(rgb_from_picture(tmp_path / "a.png"), gradient())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    operation = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,  # stored turned by 90 degrees counter-clockwise
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    stored = Image.fromarray(gradient())
    if operation is not None:
        stored = stored.transpose(operation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(rgb_from_picture(tmp_path / "a.png"), gradient())


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    values = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    rgb = rgb_from_picture(tmp_path / "a.png")
    np.testing.assert_allclose(rgb[..., 0], values / 257, atol=0.51)
    assert (rgb[..., 0] == rgb[..., 2]).all()


def test_float_pictures_are_stretched(tmp_path):
    values = np.linspace(-3, 7, 64 * 48, dtype=np.float32).reshape(48, 64)
    Image.fromarray(values).save(tmp_path / "a.tif")
    rgb = rgb_from_picture(tmp_path / "a.tif")
    assert (rgb.min(), rgb.max()) == (0, 255)


def test_transparency_lies_over_white(tmp_path):
    rgba = np.zeros((48, 64, 4), np.uint8)
    rgba[:, 32:, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    rgb = rgb_from_picture(tmp_path / "a.png")
    assert (rgb[:, :32] == 255).all()
    assert (rgb[:, 32:] == 0).all()


def test_cmyk_is_not_inverted(tmp_path):
    Image.new("CMYK", (64, 48), (0, 255, 255, 0)).save(tmp_path / "red.jpg")
    red, green, blue = rgb_from_picture(tmp_path / "red.jpg").mean(axis=(0, 1))
    assert red > 200
    assert max(green, blue) < 60


def test_large_pictures_are_reduced_and_keep_their_shape(tmp_path):
    Image.new("RGB", (6000, 3000), (10, 20, 30)).save(tmp_path / "large.jpg")
    rgb = rgb_from_picture(tmp_path / "large.jpg")
    assert max(rgb.shape) <= MAX_SIDE_PX
    assert rgb.shape[1] / rgb.shape[0] == pytest.approx(2, rel=0.01)
    np.testing.assert_allclose(rgb.mean(axis=(0, 1)), (10, 20, 30), atol=2)


def test_a_picture_too_large_to_decode_is_refused_by_its_header(tmp_path):
    # A valid PNG header that claims 20000x20000 pixels, with hardly any data.
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(SourceError, match=r"bomb\.png .*pixels, more than"):
        rgb_from_picture(tmp_path / "bomb.png")


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_picture_is_refused_by_name(tmp_path, content):
    path = tmp_path / "odd name.jpg"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"odd name\.jpg"):
        rgb_from_picture(path)


def test_small_pictures_are_refused(tmp_path):
    Image.new("RGB", (31, 400)).save(tmp_path / "thin.png")
    with pytest.raises(SourceError, match=r"thin\.png is 31x400 pixels, too small"):
        rgb_from_picture(tmp_path / "thin.png")


def test_moving_pictures_have_times(tmp_path):
    frames = [Image.new("RGB", (40, 40), (60 * i, 0, 0)) for i in range(4)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], duration=250, lossless=True)
    assert is_picture(tmp_path / "a.webp")
    assert is_animated(tmp_path / "a.webp")
    times_s, pictures = zip(*frames_from_animation(tmp_path / "a.webp"), strict=True)
    assert times_s == pytest.approx((0.0, 0.25, 0.5, 0.75))
    assert [picture[0, 0, 0] for picture in pictures] == [0, 60, 120, 180]
