import math

import numpy as np
import pytest
from PIL import ExifTags, Image

from zipmap_app.sources.photos import photos_from_folder
from zipmap_app.sources.pictures import fov_from_picture


def write_photo(path, equivalent_mm, size_wh=(300, 200), orientation=1):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    if equivalent_mm is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = equivalent_mm
    Image.fromarray(np.full((size_wh[1], size_wh[0], 3), 90, np.uint8)).save(path, exif=exif)


def test_a_photo_says_its_field_of_view(tmp_path):
    write_photo(tmp_path / "a.jpg", 28)
    found = fov_from_picture(tmp_path / "a.jpg", (200, 300))
    assert math.degrees(found) == pytest.approx(65.5, abs=0.1)  # of 36 mm film behind 28 mm
    upright = fov_from_picture(tmp_path / "a.jpg", (300, 200))
    assert math.degrees(upright) == pytest.approx(46.4, abs=0.1)


@pytest.mark.parametrize("equivalent_mm", [None, 0, 60_000])
def test_a_camera_that_does_not_know_is_not_believed(tmp_path, equivalent_mm):
    write_photo(tmp_path / "a.jpg", equivalent_mm)
    assert fov_from_picture(tmp_path / "a.jpg", (200, 300)) is None


def test_a_file_that_is_no_picture_has_none(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    assert fov_from_picture(tmp_path / "a.jpg", (200, 300)) is None


def test_frames_carry_it_unless_they_were_cropped(tmp_path):
    write_photo(tmp_path / "1.jpg", 28)
    write_photo(tmp_path / "2.jpg", 28, orientation=6)  # upright it is 200 x 300: cropped to the first
    source = photos_from_folder(tmp_path)
    first, second = source.read(), source.read()
    source.close()
    assert first.fov_x_rad == pytest.approx(math.radians(65.5), abs=0.01)
    assert second.rgb.shape == first.rgb.shape
    assert second.fov_x_rad is None
