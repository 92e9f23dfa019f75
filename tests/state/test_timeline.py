"""The cursor over the run, and playing."""

from __future__ import annotations

import pytest

from zipmap_app.state.timeline import Timeline


def timeline_of(*timestamps_s: float) -> Timeline:
    timeline = Timeline()
    for timestamp_s in timestamps_s:
        timeline.append(timestamp_s)
    return timeline


def test_the_newest_frame_is_followed_until_the_user_seeks() -> None:
    timeline = timeline_of(0.0, 0.1)
    assert timeline.position == 1
    timeline.append(0.2)
    assert timeline.position == 2
    timeline.seek(0)
    timeline.append(0.3)
    assert timeline.position == 0
    timeline.seek(None)
    assert timeline.position == 3


def test_seeking_stays_within_the_run() -> None:
    timeline = timeline_of(0.0, 0.1)
    timeline.seek(99)
    assert timeline.position == 1
    timeline.step(-5)
    assert timeline.position == 0
    empty = Timeline()
    empty.seek(3)
    empty.step(1)
    empty.play()
    assert empty.position is None
    assert not empty.is_playing


def test_playing_follows_the_media_time_not_the_frame_count() -> None:
    timeline = timeline_of(0.0, 0.1, 1.0, 1.1)
    timeline.play()  # from the end: starts over
    assert timeline.position == 0
    timeline.advance(0.5)
    assert timeline.position == 1
    timeline.advance(0.5)
    assert timeline.position == 2
    timeline.advance(5.0)
    assert (timeline.position, timeline.is_playing) == (3, False)


def test_speed_scales_time() -> None:
    timeline = timeline_of(0.0, 1.0, 2.0)
    timeline.play()
    timeline.set_speed(2.0)
    timeline.advance(0.5)
    assert timeline.position == 1
    with pytest.raises(ValueError, match="speed"):
        timeline.set_speed(0)


def test_stepping_stops_playing() -> None:
    timeline = timeline_of(0.0, 1.0, 2.0)
    timeline.play()
    timeline.step(1)
    assert (timeline.position, timeline.is_playing) == (1, False)


def test_a_shorter_run_keeps_the_cursor_only_where_it_can() -> None:
    timeline = timeline_of(0.0, 1.0, 2.0)
    timeline.seek(2)
    timeline.set_timestamps([0.0, 1.0])
    assert timeline.cursor is None
    timeline.seek(0)
    timeline.set_timestamps([0.0])
    assert timeline.cursor == 0


def test_times_count_from_the_first_frame() -> None:
    timeline = timeline_of(5.0, 6.0, 8.0)
    assert (timeline.time_s, timeline.duration_s) == (3.0, 3.0)
    assert Timeline().duration_s == 0.0
