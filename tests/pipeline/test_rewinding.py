"""Rewind and its undo: exact, in order, and for every kind of source."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.pipeline_fakes import (
    PATIENCE_S,
    ListSource,
    make_request,
    of_kind,
    take_all,
    take_until,
    wait_for,
)
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.pipeline.zipmap_engine import ZipMapEngine
from zipmap_app.sources.opening import open_source
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.commands import CommandEnded, CommandOutcome, Rewind, RunRewound, UndoRewind
from zipmap_app.state.messages import FrameResult, PipelineFault, StreamEnded
from zipmap_app.state.queries import QueryResult


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (96, 72))
    for frame in iter(SyntheticSource(12, (72, 96)).read, None):
        writer.write(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


@pytest.fixture
def photos(tmp_path):
    for frame in iter(SyntheticSource(7, (72, 96)).read, None):
        cv2.imwrite(str(tmp_path / f"{frame.frame_index}.png"), frame.rgb)
    (tmp_path / "3.png").write_bytes(b"damaged")
    return tmp_path


def assert_same(first, second):
    assert [one.frame_index for one in first] == [two.frame_index for two in second]
    for one, two in zip(first, second, strict=True):
        assert (one.position, one.is_keyframe, one.timestamp_s) == (
            two.position,
            two.is_keyframe,
            two.timestamp_s,
        )
        for name in ("points", "world_from_camera", "intrinsics", "rgb", "depth", "confidence"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


def assert_same_state(first, second):
    assert first.n_views == second.n_views
    for one, two in zip(first.layers, second.layers, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert torch.equal(first.motion.fine, second.motion.fine)
    assert all(torch.equal(a, b) for a, b in zip(first.motion.chain, second.motion.chain, strict=True))


def run_straight(source, options):
    engine = ZipMapEngine(options)
    runner = Runner(options, lambda: None, engine)
    runner.start(source)
    results = of_kind(take_all(runner), FrameResult)
    assert runner.close(10)
    return results, engine.scene.state


def run_with_rewind(source, options, n_frames, *, after_end):
    """All results as a viewer would hold them after a rewind and going on, and the last state."""
    engine = ZipMapEngine(options)
    runner = Runner(options, lambda: None, engine)
    runner.start(source)
    results = []
    if after_end:
        results += of_kind(take_all(runner), FrameResult)
    else:
        while len(results) < n_frames + 1:
            results += of_kind(take_until(runner, FrameResult), FrameResult)
    runner.do(Rewind(1, n_frames))
    messages = take_until(runner, RunRewound)
    results += of_kind(messages, FrameResult)
    assert messages[-1] == RunRewound(n_frames, True)
    del results[n_frames:]
    assert of_kind(take_until(runner, CommandEnded), FrameResult) == []
    assert runner.is_paused
    assert runner.is_running
    runner.resume()
    results += of_kind(take_all(runner), FrameResult)
    assert runner.close(10)
    return results, engine.scene.state


@pytest.mark.parametrize("window", [1, 2])
@pytest.mark.parametrize("n_frames", [4, 9])
@pytest.mark.parametrize("after_end", [False, True])
def test_a_rewind_leaves_no_trace(model, video, window, n_frames, after_end):
    options = RunOptions(model=model, device="cpu", window=window)
    plain, plain_state = run_straight(open_source(str(video)), options)
    results, state = run_with_rewind(open_source(str(video)), options, n_frames, after_end=after_end)
    assert len(plain) == 12
    assert_same(plain, results)
    assert_same_state(plain_state, state)


@pytest.mark.parametrize("sampling", [{"every": 2}, {"max_fps": 10.0}, {"every": 2, "max_frames": 4}])
def test_a_rewind_of_a_sampled_video(model, video, sampling):
    options = RunOptions(model=model, device="cpu")
    plain, _ = run_straight(open_source(str(video), **sampling), options)
    results, _ = run_with_rewind(open_source(str(video), **sampling), options, 2, after_end=True)
    assert len(plain) >= 4
    assert_same(plain, results)


def test_a_rewind_among_photos_with_a_damaged_one(model, photos):
    options = RunOptions(model=model, device="cpu")
    plain, _ = run_straight(open_source(str(photos)), options)
    results, _ = run_with_rewind(open_source(str(photos)), options, 2, after_end=True)
    assert [result.name for result in plain] == ["0.png", "1.png", "2.png", "4.png", "5.png", "6.png"]
    assert_same(plain, results)


def test_the_bundled_model_is_rewound_exactly():
    card = Path(__file__).parents[2] / "resources" / "bundled" / "model.safetensors"
    if not card.exists():
        pytest.skip("the bundled weights are not here")
    options = RunOptions(device="cpu")
    plain, plain_state = run_straight(SyntheticSource(6, (60, 80)), options)
    results, state = run_with_rewind(SyntheticSource(6, (60, 80)), options, 3, after_end=True)
    assert_same(plain, results)
    assert_same_state(plain_state, state)


class ReopenableFrames(ListSource):
    def reopened(self, after_frame_index):
        source = ReopenableFrames(self._n_frames)
        source.n_read = after_frame_index + 1
        return source


def ended(runner):
    return take_until(runner, CommandEnded)


def test_undo_brings_the_cut_frames_back_even_after_going_on(runner, engine):
    runner.start(ReopenableFrames(20))
    take_all(runner)
    runner.do(Rewind(1, 5))
    ended(runner)
    runner.step()
    assert take_until(runner, FrameResult)[-1].position == 5
    runner.do(UndoRewind(2))
    messages = ended(runner)
    assert of_kind(messages, RunRewound) == [RunRewound(20, True)]
    assert engine.seen == list(range(20))
    runner.resume()
    messages = take_all(runner)
    assert of_kind(messages, FrameResult) == []
    assert messages[-1].n_frames == 20
    runner.do(UndoRewind(3))
    assert ended(runner)[-1].outcome is CommandOutcome.FAILED


def test_going_back_replays_from_the_nearest_snapshot_only(runner, engine):
    runner.start(ReopenableFrames(30))
    take_all(runner)
    n_steps = engine.n_steps
    runner.do(Rewind(1, 19))
    ended(runner)
    assert engine.seen == list(range(19))
    assert engine.n_steps - n_steps == 3  # the snapshot is after 16


def test_a_live_source_just_goes_on(runner, engine):
    source = ListSource(10**9, is_live=True)
    runner.start(source)
    while engine.n_steps < 10:
        runner.outbox.take(9, 0.1)
    runner.do(Rewind(1, 3))
    messages = ended(runner)
    assert of_kind(messages, RunRewound) == [RunRewound(3, True)]
    assert not source.is_closed
    assert of_kind(runner.outbox.take(9, 0.05), FrameResult) == []
    runner.resume()
    assert take_until(runner, FrameResult)[-1].position == 3
    assert len(engine.seen) >= 4


def test_a_source_that_cannot_be_opened_again_ends_the_run(runner):
    runner.start(ListSource(6))
    take_all(runner)
    runner.do(Rewind(1, 2))
    assert of_kind(ended(runner), RunRewound) == [RunRewound(2, False)]
    assert not runner.is_running
    runner.query(make_request())
    assert take_until(runner, QueryResult)[-1].n_frames_in_state == 2


@pytest.mark.parametrize("n_frames", [0, 7])
def test_frames_that_never_were_are_refused_and_nothing_changes(runner, engine, n_frames):
    runner.start(ReopenableFrames(6))
    take_all(runner)
    runner.do(Rewind(1, n_frames))
    messages = ended(runner)
    (fault,) = of_kind(messages, PipelineFault)
    assert (fault.origin, fault.fatal) == ("command", False)
    assert "cannot go back" in fault.sentence
    assert messages[-1] == CommandEnded(1, CommandOutcome.FAILED)
    assert engine.seen == list(range(6))
    assert not runner.is_running


def test_without_a_run_there_is_nothing_to_rewind(runner):
    runner.do(Rewind(1, 1))
    messages = ended(runner)
    assert "no run" in of_kind(messages, PipelineFault)[0].sentence


def test_a_model_that_works_on_all_frames_at_once_refuses(runner, engine, monkeypatch):
    monkeypatch.setattr(engine, "can_rewind", False)
    runner.start(ListSource(3))
    take_all(runner)
    runner.do(Rewind(1, 1))
    assert "all frames at once" in of_kind(ended(runner), PipelineFault)[0].sentence


def test_a_cancelled_rewind_changes_nothing(runner, engine):
    runner.start(ReopenableFrames(7))
    take_all(runner)
    engine.gate.clear()
    engine.entered.clear()
    runner.do(Rewind(1, 6))
    assert engine.entered.wait(PATIENCE_S)  # in the middle of the replay
    runner.cancel(1)
    engine.gate.set()
    messages = ended(runner)
    assert messages[-1].outcome is CommandOutcome.CANCELLED
    assert of_kind(messages, RunRewound) == []
    assert engine.seen == list(range(7))


def test_a_new_run_in_the_middle_of_a_rewind_wins(runner, engine):
    first = ReopenableFrames(7)
    runner.start(first)
    take_all(runner)
    engine.gate.clear()
    engine.entered.clear()
    runner.do(Rewind(1, 6))
    assert engine.entered.wait(PATIENCE_S)
    runner.start(ListSource(2))
    engine.gate.set()
    messages = take_until(runner, StreamEnded)
    assert of_kind(messages, CommandEnded)[0].outcome is CommandOutcome.CANCELLED
    assert of_kind(messages, RunRewound) == []
    assert [frame.position for frame in of_kind(messages, FrameResult)] == [0, 1]


def test_stopping_while_rewound_ends_the_run_again(runner):
    runner.start(ReopenableFrames(9))
    take_all(runner)
    runner.do(Rewind(1, 3))
    ended(runner)
    runner.stop()
    (end,) = of_kind(runner.outbox.take(9, 0.1), StreamEnded)
    assert (end.n_frames, end.was_stopped) == (3, True)


def test_a_model_whose_state_is_larger_than_the_budget_can_still_go_back_again_and_again(engine):
    engine.snapshot_bytes = 10**9
    runner = Runner(RunOptions(history_bytes=10**6), lambda: None, engine)
    runner.start(ReopenableFrames(20))
    take_all(runner)
    for n_frames in (15, 10, 3):
        runner.do(Rewind(n_frames, n_frames))
        assert ended(runner)[-1].outcome is CommandOutcome.DONE
        assert engine.seen == list(range(n_frames))
    runner.do(UndoRewind(1))
    ended(runner)
    assert engine.seen == list(range(10))
    assert runner.close()


def test_memory_is_told_and_stays_within_the_budget(engine):
    engine.snapshot_bytes = 1000
    options = RunOptions(history_bytes=100_000)  # 13 frames of 40 x 60
    runner = Runner(options, lambda: None, engine)
    runner.start(ReopenableFrames(60))
    take_all(runner)
    wait_for(lambda: runner.memory.history_bytes > 0)
    assert runner.memory.history_bytes <= 100_000
    runner.do(Rewind(1, 5))
    assert "not possible any more" in of_kind(ended(runner), PipelineFault)[0].sentence
    assert runner.close()
