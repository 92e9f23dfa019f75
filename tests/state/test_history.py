"""What is kept of every frame."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

from tests.app_fakes import make_frame
from zipmap_app.state.history import FrameHistory


def filled(n_frames: int, **options: int) -> FrameHistory:
    history = FrameHistory(**options)
    for index in range(n_frames):
        history.append(make_frame(index, n_points=1))
    return history


def test_records_keep_order_and_a_small_picture() -> None:
    history = filled(3)
    assert [record.position for record in history.records] == [0, 1, 2]
    assert history[1].name == "frame_000001"
    assert history[1].thumbnail.shape == (24, 32, 3)
    detail = history.detail(1)
    assert detail is not None
    assert np.allclose(detail.depth, make_frame(1).depth, rtol=1e-3)


def test_wide_pictures_become_small_thumbnails() -> None:
    from zipmap_app.state.history import THUMBNAIL_WIDTH, _thumbnail

    rgb = np.zeros((100, 1000, 3), np.uint8)
    rgb[:, 500:] = 200
    thumbnail = _thumbnail(rgb)
    assert thumbnail.shape[1] <= THUMBNAIL_WIDTH
    assert thumbnail[0, 0, 0] == 0
    assert thumbnail[0, -1, 0] == 200


def test_details_are_thinned_evenly_within_their_memory() -> None:
    one = filled(1).detail(0)
    assert one is not None
    history = filled(400, max_bytes=round(one.memory_bytes * 100 / 0.6))
    kept = [place for place in range(400) if history.detail(place) is not None]
    assert len(kept) <= 100
    assert kept[-1] == 399
    assert len(history) == 400
    old = [place for place in kept if place < 300]
    assert max(np.diff(old)) <= 64, "the old details left a hole"


def test_a_run_of_any_length_keeps_within_its_memory() -> None:
    max_bytes = 400 * filled(1).memory_bytes
    history = FrameHistory(max_bytes)
    for index in range(2000):
        history.append(make_frame(index, n_points=1))
        assert history.memory_bytes <= max_bytes
    pictures = [id(record.thumbnail) for record in history.records]
    assert len(set(pictures[-32:])) == 32, "the newest keep their own"
    assert sorted(set(pictures), key=pictures.index) == [p for p, _ in groupby(pictures)], "neighbours share"
    longest = max(len(list(group)) for _, group in groupby(pictures))
    assert longest <= 4 * 2000 / len(set(pictures))
    kept = [place for place in range(2000) if history.detail(place) is not None]
    assert max(np.diff(kept)) <= 8 * 2000 / len(kept), "details are spread evenly, too"
    history.truncate(900)
    assert history.memory_bytes <= max_bytes


def test_a_cut_tail_can_be_put_back() -> None:
    history = filled(5)
    before = history.memory_bytes
    tail = history.truncate(2)
    assert len(history) == 2
    assert history.detail(3) is None
    history.restore(tail)
    assert [record.position for record in history.records] == [0, 1, 2, 3, 4]
    assert history.detail(3) is not None
    assert history.memory_bytes == before
    with pytest.raises(ValueError, match="starts at 2"):
        history.restore(tail)


def test_cameras_can_be_replaced_all_at_once() -> None:
    history = filled(2)
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[1, 0, 3] = 7
    history.set_cameras(poses)
    assert history[1].world_from_camera[0, 3] == 7
    with pytest.raises(ValueError, match="want 2 cameras"):
        history.set_cameras(poses[:1])


def test_depth_beyond_half_precision_stays_finite() -> None:
    from zipmap_app.state.history import _compact

    assert np.isfinite(_compact(np.array([1e9, -1e9, 1.0], np.float32))).all()
