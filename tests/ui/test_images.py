"""Array to picture conversions."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.depth_colors import TURBO, depth_picture
from zipmap_app.ui.images import qimage_from_rgb


def test_qimage_keeps_every_pixel_and_owns_them():
    rgb = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)  # rows not 4-byte aligned
    image = qimage_from_rgb(rgb)
    expected = rgb.copy()
    rgb[:] = 0
    for row in range(7):
        for column in range(5):
            color = image.pixelColor(column, row)
            assert (color.red(), color.green(), color.blue()) == tuple(expected[row, column])


def test_the_turbo_table_matches_the_reference_colour_map():
    colormap = pytest.importorskip("pyqtgraph").colormap
    reference = colormap.get("turbo").getLookupTable(nPts=256)[:, :3].astype(int)
    assert np.abs(TURBO.astype(int) - reference).max() <= 6
    assert np.abs(TURBO.astype(int) - reference).mean() <= 1.5


def test_near_is_red_far_is_blue_and_invalid_is_grey():
    depth = np.linspace(1, 10, 100, dtype=np.float32).reshape(10, 10)
    depth[5, 5] = np.nan
    depth[5, 6] = -1
    picture = depth_picture(depth)
    near, far = picture.rgb[0, 0].astype(int), picture.rgb[9, 9].astype(int)
    assert near[0] > 100 > near[2]
    assert far[2] > far[0] - 20
    assert (picture.rgb[5, 5] == picture.rgb[5, 6]).all()
    assert 1.0 <= picture.near < 1.5
    assert 9.0 < picture.far <= 10.0


def test_depth_without_valid_pixels_does_not_fail():
    picture = depth_picture(np.full((4, 6), np.inf, np.float32))
    assert picture.rgb.shape == (4, 6, 3)
    assert picture.near == picture.far == 0.0
