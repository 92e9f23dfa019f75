from dataclasses import dataclass

import numpy as np
import pytest

from zipmap_app.pipeline.engine import EngineError, FrameInput
from zipmap_app.pipeline.history import InputHistory

FRAME_BYTES = 300
SNAPSHOT_BYTES = 1000


@dataclass(frozen=True)
class Snapshot:
    n_frames: int
    memory_bytes: int = SNAPSHOT_BYTES


def frame(index):
    return FrameInput(index, index / 30, 0.0, f"{index}", np.full((10, 10, 3), index % 256, np.uint8), 0.0, 0)


def grown(n_frames, max_bytes, snapshot_bytes=SNAPSHOT_BYTES):
    history = InputHistory(max_bytes)
    for index in range(n_frames):
        history.append(frame(index))
        if history.wants_snapshot:
            history.add_snapshot(Snapshot(history.n_frames, snapshot_bytes))
        assert history.memory_bytes <= max_bytes
    return history


def reached(replay):
    """Which frames a replay leads to: those of the snapshot and those replayed after it."""
    start = 0 if replay.start is None else replay.start.n_frames
    return [*range(start), *(past.frame.frame_index for past in replay.frames)]


def test_every_frame_can_be_reached_from_the_nearest_snapshot():
    history = grown(40, 10**6)
    for n_frames in range(41):
        replay = history.way_to(n_frames)
        assert reached(replay) == list(range(n_frames))
        assert len(replay.frames) < 9


def test_with_little_memory_snapshots_thin_out_evenly_and_all_frames_stay_reachable():
    history = grown(200, 200 * FRAME_BYTES + 8 * SNAPSHOT_BYTES)
    lengths = [len(history.way_to(n_frames).frames) for n_frames in range(201)]
    assert all(reached(history.way_to(n_frames)) == list(range(n_frames)) for n_frames in range(201))
    assert 10 < max(lengths) < 80


def test_with_too_little_memory_the_oldest_frames_are_refused_and_the_others_work():
    history = grown(200, 50 * FRAME_BYTES + 4 * SNAPSHOT_BYTES)
    assert history.n_forgotten > 100
    with pytest.raises(EngineError, match="not possible any more"):
        history.way_to(50)
    for n_frames in range(history.n_forgotten, 201):
        assert reached(history.way_to(n_frames)) == list(range(n_frames))


def test_snapshots_that_are_too_large_leave_replaying_from_the_start():
    history = grown(30, 100 * FRAME_BYTES, snapshot_bytes=50 * FRAME_BYTES)
    assert history.way_to(29).start is None
    assert len(history.way_to(29).frames) == 29
    full = grown(120, 100 * FRAME_BYTES, snapshot_bytes=50 * FRAME_BYTES)
    with pytest.raises(EngineError, match="not possible any more"):
        full.way_to(119)
    assert full.memory_bytes == 0  # what cannot be replayed is not kept


def test_a_tail_that_was_cut_comes_back_in_place_of_what_came_since():
    history = grown(30, 10**6)
    before = history.memory_bytes
    tail = history.cut(12)
    assert history.n_frames == 12
    assert tail.memory_bytes + history.memory_bytes == before
    for index in range(100, 105):
        history.append(frame(index))
    history.restore(tail)
    assert history.memory_bytes == before
    for n_frames in range(31):
        assert reached(history.way_to(n_frames)) == list(range(n_frames))


def test_a_tail_outlives_the_frames_before_it():
    history = grown(20, 60 * FRAME_BYTES + 8 * SNAPSHOT_BYTES)
    tail = history.cut(10)
    for index in range(10, 200):
        history.append(frame(index))
        if history.wants_snapshot:
            history.add_snapshot(Snapshot(history.n_frames))
    assert history.n_forgotten > 10
    history.restore(tail)
    assert history.n_frames == 20
    assert reached(history.way_to(20)) == list(range(20))
    with pytest.raises(EngineError, match="not possible"):
        history.way_to(9)


@pytest.mark.parametrize("n_frames", [-1, 6])
def test_frames_that_never_were_are_refused(n_frames):
    with pytest.raises(EngineError, match="cannot go back"):
        grown(5, 10**6).way_to(n_frames)
