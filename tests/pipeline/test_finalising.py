"""Finalise: once more over the kept frames, laid onto the streamed scene, which stays as it is."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.pipeline.test_rewinding import assert_same, assert_same_state
from tests.pipeline_fakes import (
    PATIENCE_S,
    FakeEngine,
    ListSource,
    make_request,
    of_kind,
    take_all,
    take_until,
)
from zipmap_app.pipeline import devices
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.pipeline.zipmap_engine import ZipMapEngine
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.commands import CommandEnded, CommandOutcome, CommandProgress, Finalise, SceneRefined
from zipmap_app.state.messages import FrameResult, PipelineFault, StreamEnded
from zipmap_app.state.queries import QueryResult


def test_a_pass_that_agrees_but_for_its_scale_changes_nothing(runner):
    """The fake's pass gives the streamed walls twice as large: laid back, nothing may move."""
    runner.start(ListSource(9))
    streamed = of_kind(take_all(runner), FrameResult)
    runner.do(Finalise(1))
    messages = take_until(runner, CommandEnded)
    (refined,) = of_kind(messages, SceneRefined)
    assert [frame.position for frame in refined.frames] == [0, 2, 4, 6, 8]  # the fake's keyframes
    np.testing.assert_allclose(
        refined.world_from_camera, [frame.world_from_camera for frame in streamed], atol=1e-9
    )
    for frame in refined.frames:
        np.testing.assert_allclose(frame.depth, streamed[frame.position].depth, rtol=1e-5)
        np.testing.assert_array_equal(frame.points["frame"], frame.position)
        assert len(frame.points)
    assert messages[-1].outcome is CommandOutcome.DONE
    assert "5 of its 9" in messages[-1].sentence


def test_the_stream_goes_on_as_if_nothing_had_happened(model):
    def run(finalises):
        engine = ZipMapEngine(RunOptions(model=model, device="cpu", max_kept_frames=4))
        runner = Runner(RunOptions(model=model, device="cpu", max_kept_frames=4), lambda: None, engine)
        runner.start(SyntheticSource(8))
        results = of_kind(take_until(runner, FrameResult), FrameResult)
        if finalises:
            runner.do(Finalise(1))
            messages = take_until(runner, CommandEnded)
            results += of_kind(messages, FrameResult)
        results += of_kind(take_all(runner), FrameResult)
        assert runner.close(10)
        return results, engine.scene.state

    plain, plain_state = run(finalises=False)
    results, state = run(finalises=True)
    assert_same(plain, results)
    assert_same_state(plain_state, state)


def test_a_real_pass_reports_and_covers_every_camera(model):
    options = RunOptions(model=model, device="cpu", max_kept_frames=3)
    runner = Runner(options, lambda: None)
    runner.start(SyntheticSource(9))
    streamed = of_kind(take_all(runner), FrameResult)
    runner.do(Finalise(1))
    messages = take_until(runner, CommandEnded)
    (refined,) = of_kind(messages, SceneRefined)
    assert 2 <= len(refined.frames) <= 3
    assert refined.world_from_camera.shape == (9, 4, 4)
    assert of_kind(messages, CommandProgress)
    for frame in refined.frames:
        np.testing.assert_array_equal(refined.world_from_camera[frame.position], frame.world_from_camera)
        assert frame.depth.shape == streamed[0].depth.shape
        # The same unit as the streamed scene's.
        ratio = np.median(frame.depth) / np.median(streamed[frame.position].depth)
        assert 0.5 < ratio < 2
    assert runner.close(10)


class HeldEngine(FakeEngine):
    """Breathes inside its pass until the test lets it go."""

    def __init__(self):
        super().__init__()
        self.inside = threading.Event()

    def views_at_once(self, pictures, breathe):
        for _ in range(1000):
            self.inside.set()
            breathe(0.5)
            if self.gate.wait(0.01):
                break
        return super().views_at_once(pictures, breathe)


def held_runner():
    engine = HeldEngine()
    runner = Runner(RunOptions(), lambda: None, engine)
    runner.start(ListSource(4))
    take_all(runner)
    engine.gate.clear()
    runner.do(Finalise(1))
    assert engine.inside.wait(PATIENCE_S)
    return runner, engine


def test_in_the_middle_of_the_pass_queries_are_answered_and_it_can_be_cancelled():
    runner, _ = held_runner()
    runner.query(make_request(5))
    assert take_until(runner, QueryResult)[-1].query_id == 5
    runner.cancel(1)
    messages = take_until(runner, CommandEnded)
    assert messages[-1].outcome is CommandOutcome.CANCELLED
    assert of_kind(messages, SceneRefined) == []
    assert runner.close()


def test_closing_or_a_new_run_end_the_pass():
    runner, _ = held_runner()
    assert runner.close()
    runner, engine = held_runner()
    runner.start(ListSource(2))
    assert take_until(runner, CommandEnded)[-1].outcome is CommandOutcome.CANCELLED
    engine.gate.set()
    take_until(runner, StreamEnded)
    assert runner.close()


def test_a_query_inside_a_real_pass_and_cancelling_leave_the_model_as_it_was(model):
    engine = ZipMapEngine(RunOptions(model=model, device="cpu"))
    engine.load(lambda done, total: None)
    engine.reset()
    inputs = [engine.prepare(frame, 0) for frame in iter(SyntheticSource(3).read, None)]
    for frame in inputs:
        engine.step(frame)
    fractions, answers = [], []

    def ask(fraction):
        fractions.append(fraction)
        answers.append(engine.query(make_request(), engine.scene))

    pictures = [frame.rgb for frame in inputs]
    views, _ = engine.views_at_once(pictures, ask)
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] > 0.8
    np.testing.assert_array_equal(answers[0].depth, answers[-1].depth)
    np.testing.assert_array_equal(
        views[2].depth, engine.views_at_once(pictures, lambda fraction: None)[0][2].depth
    )

    def refuse(fraction):
        raise KeyError

    with pytest.raises(KeyError):
        engine.views_at_once(pictures, refuse)
    assert not any(block._forward_pre_hooks for block in engine._model.modules())


def test_what_cannot_be_refined_is_a_sentence(runner, engine, monkeypatch):
    runner.start(ListSource(1))
    take_all(runner)
    runner.do(Finalise(1))
    assert "too little" in of_kind(take_until(runner, CommandEnded), PipelineFault)[0].sentence
    monkeypatch.setattr(engine, "can_rewind", False)
    runner.do(Finalise(2))
    assert "already" in of_kind(take_until(runner, CommandEnded), PipelineFault)[0].sentence


def test_a_pass_that_cannot_fit_is_refused_before_it_starts(model, monkeypatch):
    runner = Runner(RunOptions(model=model, device="cpu"), lambda: None)
    runner.start(SyntheticSource(4))
    take_all(runner)
    monkeypatch.setattr(devices, "free_bytes", lambda device: 1000)
    runner.do(Finalise(1))
    messages = take_until(runner, CommandEnded)
    assert "keep fewer keyframes" in of_kind(messages, PipelineFault)[0].sentence
    assert messages[-1].outcome is CommandOutcome.FAILED
    assert runner.close(10)


class TrackingEngine(ZipMapEngine):
    """Remembers what was tracked."""

    tracked: tuple[int, int] | None = None

    def assisted(self, views, pictures, breathe):
        corrected = super().assisted(views, pictures, breathe)
        self.tracked = (len(pictures), sum(a is not b for a, b in zip(views, corrected, strict=True)))
        return corrected


@pytest.mark.parametrize("has_assist", [True, False])
def test_the_pass_is_assisted_if_the_stream_was(model, has_assist):
    options = RunOptions(model=model, device="cpu", max_kept_frames=4, assist=has_assist)
    engine = TrackingEngine(options)
    runner = Runner(options, lambda: None, engine)
    runner.start(SyntheticSource(8))
    take_all(runner)
    runner.do(Finalise(1))
    (refined,) = of_kind(take_until(runner, CommandEnded), SceneRefined)
    n_kept = len(refined.frames)
    assert engine.tracked == ((n_kept, n_kept) if has_assist else None)
    assert runner.close(10)
