"""Frames to pixels and back."""

from __future__ import annotations

import pytest

from zipmap_app.ui.timeline.scale import FrameScale

FITTED = FrameScale(n_frames=100, width_px=500)


def test_all_frames_fit_and_every_pixel_finds_its_frame():
    assert FITTED.x_from_place(0) == 0
    assert FITTED.x_from_place(100) == 500
    assert [FITTED.position_at(x) for x in (-5, 0, 4.9, 5, 499, 900)] == [0, 0, 0, 1, 99, 99]


def test_zooming_keeps_the_frame_under_the_mouse():
    zoomed = FITTED.zoomed(3, x=250)
    assert zoomed.x_from_place(50) == pytest.approx(250)
    assert not zoomed.is_fitted
    assert zoomed.zoomed(1e-3, x=10) == FITTED


def test_growing_keeps_a_fitted_strip_fitted_and_a_zoomed_one_where_it_is():
    assert FITTED.resized(200, 500).x_from_place(200) == 500
    zoomed = FITTED.zoomed(3, x=250)
    assert zoomed.resized(200, 500).x_from_place(50) == pytest.approx(250)


def test_scrolling_stops_at_the_ends():
    zoomed = FITTED.zoomed(3, x=250)
    assert zoomed.scrolled(-1e6).visible.start == 0
    assert zoomed.scrolled(1e6).visible.stop == 100


@pytest.mark.parametrize("position", [0, 50, 99])
def test_showing_brings_a_frame_into_sight_and_moves_no_further(position):
    shown = FITTED.zoomed(4, x=250).showing(position)
    assert -1e-6 <= shown.x_from_place(position) <= 500 - shown.scale + 1e-6
    assert shown.showing(position) == shown


@pytest.mark.parametrize("n_frames", [1, 7, 100, 333, 10_000])
def test_pictures_have_room_without_wide_gaps(n_frames):
    scale = FrameScale(n_frames=n_frames, width_px=900)
    room = scale.picture_step(60) * scale.scale
    assert room >= 0.75 * 60
    assert room <= 1.15 * 60 or scale.picture_step(60) == 2


def test_an_empty_run_has_a_place_for_nothing():
    empty = FrameScale().resized(0, 300)
    assert list(empty.visible) == []
    assert empty.position_at(40) == 0
