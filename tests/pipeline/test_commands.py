"""The queue of commands, states beside the live one, and flights."""

from __future__ import annotations

import threading
import time

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
)
from zipmap_app.pipeline.command_queue import CommandCancelledError, CommandQueue
from zipmap_app.pipeline.engine import EngineError
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.commands import (
    CommandEnded,
    CommandOutcome,
    CommandProgress,
    DropState,
    FlightFrame,
    ForkState,
    OpenState,
    RenderFlight,
    Rewind,
    SaveState,
    StatesChanged,
)
from zipmap_app.state.messages import FrameResult, PipelineFault, StreamEnded
from zipmap_app.state.queries import LIVE_STATE, QueryResult


class Jobs:
    """Work for a queue: each command takes its ``n_frames`` units, and the log says what ran."""

    def __init__(self):
        self.log = []
        self.outbox = Outbox()
        self.queue = CommandQueue(self.outbox, self._work)

    def _work(self, command):
        try:
            for unit in range(command.n_frames):
                self.log.append((command.command_id, unit))
                yield unit / command.n_frames
        finally:
            self.log.append((command.command_id, "closed"))
        return f"done {command.command_id}"

    def run(self):
        while self.queue.advance():
            pass
        return self.outbox.take(99)


@pytest.fixture
def jobs():
    return Jobs()


def test_commands_run_in_order_and_each_ends_once(jobs):
    jobs.queue.submit(Rewind(1, 2))
    jobs.queue.submit(Rewind(2, 1))
    messages = jobs.run()
    assert jobs.log == [(1, 0), (1, 1), (1, "closed"), (2, 0), (2, "closed")]
    assert of_kind(messages, CommandEnded) == [
        CommandEnded(1, CommandOutcome.DONE, "done 1"),
        CommandEnded(2, CommandOutcome.DONE, "done 2"),
    ]


def test_a_unit_at_a_time(jobs):
    jobs.queue.submit(Rewind(1, 3))
    assert jobs.queue.advance()
    assert jobs.log == [(1, 0)]


def test_progress_comes_at_most_ten_times_a_second(jobs):
    jobs.queue.submit(Rewind(1, 5000))
    start_s = time.monotonic()
    messages = jobs.run()
    reports = of_kind(messages, CommandProgress)
    assert 1 <= len(reports) <= 10 * (time.monotonic() - start_s) + 1
    assert all(0 <= report.fraction <= 1 for report in reports)


def test_cancelling_waiting_begun_and_ended_commands(jobs):
    jobs.queue.submit(Rewind(1, 3))
    jobs.queue.submit(Rewind(2, 3))
    jobs.queue.advance()
    jobs.queue.cancel(1)
    jobs.queue.cancel(2)
    jobs.queue.cancel(77)
    messages = jobs.run()
    assert jobs.log == [(1, 0), (1, "closed")]  # the second one never began
    outcomes = [(ended.command_id, ended.outcome) for ended in of_kind(messages, CommandEnded)]
    assert outcomes == [(1, CommandOutcome.CANCELLED), (2, CommandOutcome.CANCELLED)]
    jobs.queue.cancel(1)
    jobs.queue.submit(Rewind(1, 1))  # an old cancel does not reach a later command
    assert of_kind(jobs.run(), CommandEnded)[0].outcome is CommandOutcome.DONE


@pytest.mark.parametrize(
    "error", [EngineError("No room."), RuntimeError("oops"), OSError(28, "No space left")]
)
def test_a_failure_is_told_and_the_next_command_runs(error, caplog):
    def work(command):
        yield 0.0
        if command.command_id == 1:
            raise error
        return "fine"

    outbox = Outbox()
    queue = CommandQueue(outbox, work)
    queue.submit(Rewind(1, 1))
    queue.submit(Rewind(2, 1))
    while queue.advance():
        pass
    messages = [message for message in outbox.take(99) if not isinstance(message, CommandProgress)]
    fault, failed, done = messages
    assert (fault.origin, fault.fatal) == ("command", False)
    assert str(error.args[-1]) in fault.sentence
    assert failed == CommandEnded(1, CommandOutcome.FAILED)
    assert done == CommandEnded(2, CommandOutcome.DONE, "fine")


def test_work_without_a_place_to_yield_can_be_cancelled_where_it_breathes():
    outbox = Outbox()

    def work(command):
        yield 0.0
        queue.cancel(command.command_id)
        with pytest.raises(CommandCancelledError):
            queue.breathe(0.5)
        queue.breathe(0.6)

    queue = CommandQueue(outbox, work)
    queue.submit(Rewind(1, 1))
    while queue.advance():
        pass
    assert outbox.take(9)[-1].outcome is CommandOutcome.CANCELLED
    queue.breathe(0.5)  # without a command it does nothing


def test_a_closed_queue_ends_commands_at_once(jobs):
    jobs.queue.close()
    jobs.queue.submit(Rewind(1, 1))
    assert jobs.run() == [CommandEnded(1, CommandOutcome.CANCELLED)]


def do(runner, command):
    runner.do(command)
    return take_until(runner, CommandEnded)


def reconstruct(runner, n_frames):
    runner.start(ListSource(n_frames))
    take_all(runner)


def test_states_are_forked_saved_opened_asked_and_dropped(runner, tmp_path):
    reconstruct(runner, 3)
    (changed,) = of_kind(do(runner, ForkState(1, LIVE_STATE, "before the turn")), StatesChanged)
    (info,) = changed.states
    assert (info.state_id, info.name, info.n_frames, info.size_hw) == (1, "before the turn", 3, (24, 32))
    assert info.intrinsics == (30.0, 30.0, 16.0, 12.0)
    assert info.memory_bytes == runner.memory.states_bytes == 1000
    reconstruct(runner, 5)  # the fork outlives the run
    path = tmp_path / "room.zipmap"
    ended = do(runner, SaveState(2, 1, path))[-1]
    assert ended.outcome is CommandOutcome.DONE
    assert "room.zipmap" in ended.sentence
    states = of_kind(do(runner, OpenState(3, path)), StatesChanged)[0].states
    assert [(state.state_id, state.name, state.n_frames) for state in states] == [
        (1, "before the turn", 3),
        (2, "room", 3),
    ]
    for state_id, n_frames in ((1, 3), (2, 3), (LIVE_STATE, 5)):
        runner.query(make_request(state_id=state_id))
        result = take_until(runner, QueryResult)[-1]
        assert (result.state_id, result.n_frames_in_state) == (state_id, n_frames)
    states = of_kind(do(runner, DropState(4, 1)), StatesChanged)[0].states
    assert [state.state_id for state in states] == [2]
    runner.query(make_request(state_id=1))
    assert "not there any more" in take_until(runner, PipelineFault)[-1].sentence


def test_what_cannot_be_done_is_a_sentence(runner, tmp_path):
    for command, words in (
        (SaveState(1, LIVE_STATE, tmp_path / "a"), "no scene to save"),
        (ForkState(2, LIVE_STATE, "a"), "no scene to keep"),
        (DropState(3, 4), "not there any more"),
        (OpenState(4, tmp_path / "none"), "does not exist"),
    ):
        messages = do(runner, command)
        assert words in of_kind(messages, PipelineFault)[0].sentence
        assert messages[-1] == CommandEnded(command.command_id, CommandOutcome.FAILED)
    reconstruct(runner, 1)
    messages = do(runner, SaveState(5, LIVE_STATE, tmp_path / "no" / "folder"))
    assert "check the path" in of_kind(messages, PipelineFault)[0].sentence


def test_saving_the_old_scene_comes_before_a_new_run(runner, engine, tmp_path):
    reconstruct(runner, 3)
    engine.gate.clear()
    engine.entered.clear()
    runner.start(ListSource(1000))
    assert engine.entered.wait(PATIENCE_S)
    path = tmp_path / "state"
    runner.do(SaveState(1, LIVE_STATE, path))
    runner.start(ListSource(2))
    engine.gate.set()
    take_until(runner, CommandEnded)
    assert path.read_text() == "(0,)"
    take_until(runner, StreamEnded)


def requests(n_views):
    return tuple(make_request(query_id) for query_id in range(n_views))


def test_a_flight_gives_every_view_in_order_however_slow_the_consumer(runner):
    reconstruct(runner, 2)
    runner.do(RenderFlight(1, requests(12)))
    frames = []
    while True:
        messages = runner.outbox.take(1, 1.0)
        frames += of_kind(messages, FlightFrame)
        if of_kind(messages, CommandEnded):
            break
        time.sleep(0.01)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.result.query_id for frame in frames] == list(range(12))
    assert {(frame.command_id, frame.n_frames) for frame in frames} == {(1, 12)}
    assert messages[-1].outcome is CommandOutcome.DONE


def test_a_flight_waits_for_its_consumer_answers_queries_meanwhile_and_can_be_cancelled(runner):
    reconstruct(runner, 2)
    runner.do(RenderFlight(1, requests(1000)))
    time.sleep(0.1)
    runner.query(make_request(77))
    messages = take_until(runner, QueryResult)
    assert len(of_kind(messages, FlightFrame)) <= 6  # those that fit into the outbox
    runner.cancel(1)
    assert take_until(runner, CommandEnded)[-1].outcome is CommandOutcome.CANCELLED


def test_a_new_run_cancels_a_flight_and_drops_its_unread_views(runner):
    reconstruct(runner, 2)
    runner.do(RenderFlight(1, requests(1000)))
    time.sleep(0.1)
    runner.start(ListSource(2))
    messages = take_until(runner, StreamEnded)
    assert of_kind(messages, CommandEnded) == [CommandEnded(1, CommandOutcome.CANCELLED)]
    assert of_kind(messages, FlightFrame) == []
    assert len(of_kind(messages, FrameResult)) == 2


def test_closing_in_the_middle_of_a_flight_joins_every_thread(engine):
    before = set(threading.enumerate())
    runner = Runner(RunOptions(), lambda: None, engine)
    reconstruct(runner, 2)
    runner.do(RenderFlight(1, requests(1000)))
    time.sleep(0.05)
    assert runner.close()
    assert set(threading.enumerate()) == before


def test_commands_without_a_model_fail_with_a_sentence():
    runner = Runner(RunOptions(), lambda: None, FakeEngine(load_error="There is no such model."))
    take_until(runner, PipelineFault)
    messages = do(runner, ForkState(1, LIVE_STATE, "a"))
    assert "no model" in of_kind(messages, PipelineFault)[0].sentence
    assert runner.close()


def saved_model(seed, path):
    torch.manual_seed(seed)
    zm.save_model(zm.ZipMap(MINI), path, dtype=torch.float32)
    return str(path)


def test_a_real_state_comes_back_from_its_file_and_answers_the_same(tmp_path):
    model = saved_model(0, tmp_path / "a.safetensors")
    path = tmp_path / "room.safetensors"
    runner = Runner(RunOptions(model=model, device="cpu"), lambda: None)
    runner.start(SyntheticSource(3))
    results = of_kind(take_all(runner), FrameResult)
    assert do(runner, SaveState(1, LIVE_STATE, path))[-1].outcome is CommandOutcome.DONE
    (info,) = of_kind(do(runner, OpenState(2, path)), StatesChanged)[0].states
    lens = results[-1].intrinsics
    assert info.intrinsics == (lens[0, 0], lens[1, 1], lens[0, 2], lens[1, 2])
    assert (info.size_hw, info.n_frames) == (results[-1].rgb.shape[:2], 3)
    answers = []
    for state_id in (LIVE_STATE, info.state_id):
        runner.query(make_request(state_id=state_id))
        answers.append(take_until(runner, QueryResult)[-1])
    assert (answers[0].depth == answers[1].depth).all()
    assert zm.SceneState.load(path).n_views == 3  # an ordinary state file
    assert runner.close(10)

    other = Runner(RunOptions(model=saved_model(1, tmp_path / "b.safetensors"), device="cpu"), lambda: None)
    messages = do(other, OpenState(1, path))
    assert "another model" in of_kind(messages, PipelineFault)[0].sentence
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"not a state")
    messages = do(other, OpenState(2, damaged))
    assert "damaged" in of_kind(messages, PipelineFault)[0].sentence
    assert other.close(10)
