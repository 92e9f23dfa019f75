"""A query model beside a streaming one that cannot be asked."""

from __future__ import annotations

import dataclasses
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

import zipmap_model as zm
from tests.model.conftest import MINI
from tests.pipeline_fakes import (
    PATIENCE_S,
    FakeEngine,
    ListSource,
    make_request,
    of_kind,
    take_all,
    take_until,
    wait_for,
)
from zipmap_app.pipeline import workbench
from zipmap_app.pipeline.companion import Companion
from zipmap_app.pipeline.engine import EngineError
from zipmap_app.pipeline.kept import KeptFrame
from zipmap_app.pipeline.options import CompanionOptions
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.commands import (
    CommandEnded,
    CommandOutcome,
    CompanionChosen,
    CompanionProgress,
    ForkState,
    Rewind,
    SaveState,
    StatesChanged,
)
from zipmap_app.state.messages import FrameResult, ModelLoaded, PipelineFault, StreamEnded
from zipmap_app.state.queries import LIVE_STATE, QueryResult

OPTIONS = RunOptions(model="streamer", companion="asker", device="cpu")


class AskedEngine(FakeEngine):
    """A companion's engine; its pass can be held inside by ``gate``, and notes what it was asked."""

    def __init__(self, **options):
        super().__init__(**options)
        self.asked = []
        self.n_passes = 0
        self.inside = threading.Event()

    def views_at_once(self, pictures, breathe):
        self.n_passes += 1
        while True:
            self.inside.set()
            breathe(0.5)
            if self.gate.wait(0.01):
                return super().views_at_once(pictures, breathe)

    def query(self, request, scene):
        self.asked.append(request)
        return super().query(request, scene)


def kept(n_frames):
    frames = []
    for position in range(n_frames):
        world_from_camera = np.eye(4)
        world_from_camera[0, 3] = 0.1 * position
        picture = np.full((24, 32, 3), position, np.uint8)
        frames.append(KeptFrame(position, picture, world_from_camera, 2.0))
    return tuple(frames)


def make_companion(engine, fits=lambda options: True, options=OPTIONS):
    outbox = Outbox()
    return Companion(options, outbox, fits, lambda options: engine), outbox


def still(fraction):
    """Nothing is in the way."""


def test_it_asks_in_its_own_world_and_answers_in_the_streamed_one():
    engine = AskedEngine()
    companion, outbox = make_companion(engine)
    companion.catch_up(kept(3), still)
    assert companion.scene.n_frames == 3
    request = make_request()
    world_from_camera = request.world_from_camera.copy()
    world_from_camera[:3, 3] = (0.5, 0, 0)
    request = dataclasses.replace(request, world_from_camera=world_from_camera)
    result = companion.query(request, companion.scene)
    # The fake's pass finds everything twice as large.
    np.testing.assert_allclose(engine.asked[0].world_from_camera[:3, 3], (1, 0, 0), atol=1e-9)
    np.testing.assert_allclose(result.depth, 1.0, rtol=1e-6)
    np.testing.assert_array_equal(result.world_from_camera, world_from_camera)
    progress = of_kind(outbox.take(99), CompanionProgress)
    assert progress[-1] == CompanionProgress(3, 3)


def test_while_frames_come_it_waits_for_twice_as_many():
    companion, _ = make_companion(AskedEngine())
    frames = kept(9)
    assert not companion.is_behind((), is_resting=True)
    assert companion.is_behind(frames[:1], is_resting=True)
    assert not companion.is_behind(frames[:3], is_resting=False)
    assert companion.is_behind(frames[:4], is_resting=False)
    companion.catch_up(frames[:4], still)
    assert not companion.is_behind(frames[:4], is_resting=True)
    assert not companion.is_behind(frames[:7], is_resting=False)
    assert companion.is_behind(frames[:8], is_resting=False)
    assert companion.is_behind(frames[:5], is_resting=True)
    assert companion.is_behind(frames[:2], is_resting=True)  # after a rewind
    companion.reset()
    assert companion.scene is None


def test_a_question_before_the_first_look_says_when_it_comes():
    companion, _ = make_companion(AskedEngine())
    with pytest.raises(EngineError, match="not seen the scene yet"):
        companion.query(make_request(), None)


def test_too_little_memory_is_told_once_and_tried_again_when_there_is_room():
    room = [False]
    companion, outbox = make_companion(AskedEngine(), lambda options: room[0])
    assert companion.is_behind(kept(2), is_resting=True)
    companion.catch_up(kept(2), still)
    (fault,) = outbox.take(9)
    assert (fault.origin, fault.fatal) == ("model", False)
    assert "too little memory for the query model asker" in fault.sentence
    assert not companion.is_behind(kept(2), is_resting=True)
    assert "One model at a time" in fault.sentence  # what to tick, as the window calls it
    assert not companion.wants_room  # it was not allowed to
    with pytest.raises(EngineError, match="One model at a time"):
        companion.query(make_request(), None)
    room[0] = True
    assert companion.is_behind(kept(2), is_resting=True)
    companion.catch_up(kept(2), still)
    assert companion.scene is not None


def test_a_companion_that_cannot_be_loaded_is_told_once():
    companion, outbox = make_companion(AskedEngine(load_error="There is no model named asker."))
    companion.catch_up(kept(2), still)
    (fault,) = outbox.take(9)
    assert (fault.sentence, fault.fatal) == ("There is no model named asker.", False)
    assert not companion.is_behind(kept(5), is_resting=True)
    with pytest.raises(EngineError, match="no model named asker"):
        companion.query(make_request(), None)


@pytest.fixture
def asker():
    return AskedEngine()


@pytest.fixture
def room():
    return [True]


@pytest.fixture
def start(monkeypatch, asker, room):
    """Makes runners over a streaming fake that cannot be asked, with ``asker`` for its companion."""
    monkeypatch.setattr(
        workbench,
        "Companion",
        lambda options, outbox, fits: Companion(options, outbox, fits, lambda _: asker),
    )
    monkeypatch.setattr(workbench, "fits_beside", lambda options: room[0])
    runners = []

    def make(options=OPTIONS):
        engine = FakeEngine()
        engine.can_query = False
        runners.append(Runner(options, lambda: None, engine))
        return runners[-1], engine

    yield make
    asker.gate.set()
    for runner in runners:
        assert runner.close()


def caught_up(runner, n_kept):
    while take_until(runner, CompanionProgress)[-1].n_done != n_kept:
        pass


def test_after_the_run_it_catches_up_and_answers(start, asker):
    runner, _ = start()
    runner.start(ListSource(9))
    messages = take_all(runner)
    loaded = of_kind(messages, ModelLoaded)
    assert [model.name for model in loaded] == ["fake"]  # the companion is no model of the run
    if not of_kind(messages, CompanionProgress) or messages[-1] != CompanionProgress(5, 5):
        caught_up(runner, 5)
    runner.query(make_request(3))
    result = take_until(runner, QueryResult)[-1]
    assert (result.query_id, result.n_frames_in_state, result.state_id) == (3, 5, LIVE_STATE)
    assert asker.thread_names == {"inference"}
    runner.do(ForkState(1, LIVE_STATE, "so far"))
    (info,) = of_kind(take_until(runner, CommandEnded), StatesChanged)[0].states
    assert info.n_frames == 5
    runner.do(Rewind(2, 3))
    take_until(runner, CommandEnded)


def test_a_command_or_a_new_run_goes_first(start, asker, tmp_path):
    runner, _ = start()
    asker.gate.clear()
    runner.start(ListSource(9))
    take_all(runner)
    assert asker.inside.wait(PATIENCE_S)
    runner.do(SaveState(1, LIVE_STATE, tmp_path / "state"))
    messages = take_until(runner, CommandEnded)
    assert messages[-1].outcome is CommandOutcome.FAILED
    assert "no scene to save" in of_kind(messages, PipelineFault)[0].sentence
    runner.start(ListSource(3))
    assert len(of_kind(take_until(runner, StreamEnded), FrameResult)) == 3


def test_where_both_do_not_fit_they_change_places_after_the_run(start, asker, room):
    options = dataclasses.replace(OPTIONS, companion_may_unload=True)
    runner, engine = start(options)
    room[0] = False
    runner.start(ListSource(9))
    messages = take_until(runner, PipelineFault)
    if not of_kind(messages, StreamEnded):
        take_until(runner, StreamEnded)
    assert "takes the streaming model's place" in of_kind(messages, PipelineFault)[0].sentence
    room[0] = True  # as unloading would make it
    caught_up(runner, 5)
    runner.query(make_request())
    assert take_until(runner, QueryResult)[-1].n_frames_in_state == 5
    runner.do(Rewind(1, 2))
    assert "made room" in of_kind(take_until(runner, CommandEnded), PipelineFault)[0].sentence
    room[0] = False
    runner.start(ListSource(2))
    messages = take_until(runner, StreamEnded)
    assert of_kind(messages, ModelLoaded)  # back again
    assert len(of_kind(messages, FrameResult)) == 2
    assert engine.n_resets == 2


def test_a_companion_that_is_chosen_later_sees_the_scene_there_is(start, asker):
    runner, _ = start(RunOptions(model="streamer", device="cpu"))
    runner.start(ListSource(9))
    assert not of_kind(take_all(runner), CompanionChosen)
    runner.set_companion(CompanionOptions("asker"))
    messages = take_until(runner, CompanionProgress)
    assert of_kind(messages, CompanionChosen) == [CompanionChosen("asker")]
    if messages[-1] != CompanionProgress(5, 5):
        caught_up(runner, 5)
    runner.query(make_request())
    assert take_until(runner, QueryResult)[-1].n_frames_in_state == 5


def test_leave_to_make_room_given_after_the_run_is_taken_at_once(start, room):
    runner, engine = start()
    room[0] = False
    runner.start(ListSource(9))
    messages = take_until(runner, PipelineFault)
    if not of_kind(messages, StreamEnded):
        take_until(runner, StreamEnded)
    runner.set_companion(CompanionOptions("asker", may_unload=True))
    assert "takes the streaming model's place" in take_until(runner, PipelineFault)[-1].sentence
    room[0] = True  # as unloading would make it
    caught_up(runner, 5)
    runner.do(Rewind(1, 2))
    assert "made room" in of_kind(take_until(runner, CommandEnded), PipelineFault)[0].sentence
    runner.start(ListSource(2))
    assert len(of_kind(take_until(runner, StreamEnded), FrameResult)) == 2
    assert engine.n_resets == 2


def test_another_choice_interrupts_the_companion_and_leaves_its_states_alone(start, asker):
    runner, _ = start()
    runner.start(ListSource(9))
    take_all(runner)
    caught_up(runner, 5)
    runner.do(ForkState(1, LIVE_STATE, "so far"))
    take_until(runner, CommandEnded)
    asker.gate.clear()
    runner.start(ListSource(9))
    take_until(runner, StreamEnded)
    assert asker.inside.wait(PATIENCE_S)
    runner.set_companion(CompanionOptions("another"))
    assert take_until(runner, CompanionChosen)[-1].model == "another"
    asker.gate.set()
    caught_up(runner, 5)
    runner.query(make_request(state_id=1))
    assert "kept by another model" in take_until(runner, PipelineFault)[-1].sentence
    runner.set_companion(CompanionOptions(None))
    assert take_until(runner, CompanionChosen)[-1].model is None
    runner.do(SaveState(2, 1, Path("never written")))
    messages = take_until(runner, CommandEnded)
    assert "kept by another model" in of_kind(messages, PipelineFault)[0].sentence


def test_a_model_that_can_be_asked_needs_no_companion(asker):
    runner = Runner(OPTIONS, lambda: None, FakeEngine())
    runner.start(ListSource(5))
    take_all(runner)
    runner.query(make_request())
    take_until(runner, QueryResult)
    assert asker.n_passes == 0
    assert runner.close()


def saved(config, path):
    torch.manual_seed(0)
    zm.save_model(zm.ZipMap(config), path, dtype=torch.float32)
    return str(path)


def test_two_real_models(tmp_path):
    streaming = dataclasses.replace(MINI, query_channels=0)
    asking = dataclasses.replace(
        MINI,
        camera_head="transformer",
        camera_head_heads=2,
        camera_head_depth=1,
        motion_cue=False,
        default_window=None,
        affine_invariant=False,
    )
    options = RunOptions(
        model=saved(streaming, tmp_path / "streaming.safetensors"),
        companion=saved(asking, tmp_path / "asking.safetensors"),
        device="cpu",
    )
    with closing(Runner(options, lambda: None)) as runner:
        runner.start(SyntheticSource(5))
        messages = take_all(runner)
        assert not of_kind(messages, ModelLoaded)[0].supports_query
        assert messages[0] == CompanionChosen(options.companion)
        results = of_kind(messages, FrameResult)
        n_kept = sum(result.is_keyframe for result in results)
        if CompanionProgress(n_kept, n_kept) not in messages:
            caught_up(runner, n_kept)
        runner.query(make_request())
        answer = take_until(runner, QueryResult)[-1]
        assert answer.n_frames_in_state == n_kept
        assert answer.rgb.shape == (36, 48, 3)
        assert np.isfinite(answer.depth).all()
        wait_for(lambda: runner.memory.states_bytes > 0)
