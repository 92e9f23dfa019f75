import threading
import time

import pytest

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
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.sources.base import SourceStalledError
from zipmap_app.state.messages import FrameResult, ModelLoaded, PipelineFault, StreamEnded
from zipmap_app.state.queries import QueryResult


def test_a_file_goes_through_in_order_and_without_loss(runner, engine):
    source = ListSource(20)
    runner.start(source)
    messages = take_all(runner)
    assert isinstance(messages[0], ModelLoaded)
    assert [frame.frame_index for frame in of_kind(messages, FrameResult)] == list(range(20))
    ended = messages[-1]
    assert (ended.n_frames, ended.n_read, ended.n_dropped, ended.was_stopped) == (20, 20, 0, False)
    assert ended.notes == ("that was all",)
    assert source.is_closed
    assert not runner.is_running
    assert engine.thread_names == {"inference"}


def test_the_frame_that_comes_next_is_announced(runner, engine):
    engine.gate.clear()
    source = ListSource(4)
    runner.start(source)
    assert engine.entered.wait(PATIENCE_S)
    wait_for(lambda: source.n_read >= 4)  # 3 is read once 2 lies there, so 1 and 2 wait when 0 is done
    engine.gate.set()
    take_all(runner)
    assert engine.seen == [0, 1, 2, 3]
    assert 2 in engine.announced
    assert engine.announced == sorted(set(engine.announced) & {1, 2, 3})


def test_a_live_source_drops_frames_and_says_how_many(runner, engine):
    engine.gate.clear()
    source = ListSource(50, is_live=True)
    runner.start(source)
    assert engine.entered.wait(PATIENCE_S)
    wait_for(lambda: source.is_closed)
    engine.gate.set()
    messages = take_all(runner)
    results = of_kind(messages, FrameResult)
    assert results[-1].frame_index == 49
    ended = messages[-1]
    assert ended.n_read == 50
    assert ended.n_frames + ended.n_dropped == 50
    assert ended.n_dropped >= 40


def test_a_slow_consumer_slows_a_file_down_and_loses_nothing(runner, engine):
    source = ListSource(40)
    runner.start(source)
    wait_for(lambda: len(engine.seen) >= 4)
    time.sleep(0.05)
    assert source.n_read < 12  # a few in every queue, and no more
    assert len(of_kind(take_all(runner), FrameResult)) == 40


def test_pause_step_and_resume(runner, engine):
    runner.pause()
    assert runner.is_paused
    runner.start(ListSource(6))
    assert not runner.is_paused  # a new run starts running
    take_until(runner, StreamEnded)
    engine.gate.clear()
    engine.entered.clear()
    runner.start(ListSource(6))
    assert engine.entered.wait(PATIENCE_S)
    runner.pause()
    engine.gate.set()
    take_until(runner, FrameResult)
    assert runner.outbox.take(9, 0.05) == []
    runner.step()
    assert take_until(runner, FrameResult)[-1].frame_index == 1
    assert runner.outbox.take(9, 0.05) == []
    assert runner.is_running
    runner.resume()
    assert [frame.frame_index for frame in of_kind(take_all(runner), FrameResult)] == [2, 3, 4, 5]


def test_a_query_is_answered_while_paused_and_after_the_end(runner, engine):
    runner.start(ListSource(3))
    take_all(runner)
    runner.query(make_request(7))
    result = take_until(runner, QueryResult)[-1]
    assert (result.query_id, result.n_frames_in_state) == (7, 3)


def test_of_several_queries_only_the_newest_is_answered(runner, engine):
    engine.gate.clear()
    runner.start(ListSource(1))
    assert engine.entered.wait(PATIENCE_S)
    for query_id in range(10):
        runner.query(make_request(query_id))
    engine.gate.set()
    messages = take_until(runner, QueryResult)
    assert messages[-1].query_id == 9
    assert of_kind(runner.outbox.take(9, 0.05), QueryResult) == []


def test_a_query_without_a_scene_is_a_fault_that_is_not_fatal(runner):
    runner.query(make_request())
    fault = take_until(runner, PipelineFault)[-1]
    assert not fault.fatal
    assert fault.origin == "query"
    assert "no scene" in fault.sentence


def test_stop_ends_at_once_and_keeps_the_scene_for_queries(runner, engine):
    engine.gate.clear()
    source = ListSource(1000)
    runner.start(source)
    assert engine.entered.wait(PATIENCE_S)
    start_s = time.monotonic()
    runner.stop()
    assert time.monotonic() - start_s < 1.0  # it does not wait for the frame
    assert not runner.is_running
    engine.gate.set()
    messages = take_all(runner)
    assert messages[-1].was_stopped
    assert of_kind(messages, FrameResult) == []
    wait_for(lambda: engine.seen == [0])
    assert of_kind(runner.outbox.take(9, 0.05), FrameResult) == []  # nothing slips in behind the end
    runner.query(make_request())
    assert take_until(runner, QueryResult)[-1].n_frames_in_state == 1
    wait_for(lambda: source.is_closed)


def test_a_new_run_replaces_the_old_one_and_its_unread_results(runner, engine):
    first = ListSource(1000)
    runner.start(first)
    wait_for(lambda: len(engine.seen) >= 4)
    runner.start(ListSource(3))
    results = of_kind(take_all(runner), FrameResult)
    assert [frame.frame_index for frame in results] == [0, 1, 2]
    assert engine.n_resets == 2
    wait_for(lambda: first.is_closed)


def test_a_lost_source_is_a_fault_and_its_frames_are_kept(runner):
    runner.start(ListSource(3, failure="The camera is gone: plug it in again."))
    messages = take_all(runner)
    assert len(of_kind(messages, FrameResult)) == 3
    (fault,) = of_kind(messages, PipelineFault)
    assert (fault.sentence, fault.origin, fault.fatal) == (
        "The camera is gone: plug it in again.",
        "source",
        True,
    )


def test_a_note_along_the_way_is_told_when_it_happens(runner, engine):
    source = ListSource(4)
    source.notes = ("skipped a photo: x.jpg is damaged",)
    runner.start(source)
    messages = take_all(runner)
    (fault,) = of_kind(messages, PipelineFault)
    assert fault.sentence == "Skipped a photo: x.jpg is damaged."
    assert not fault.fatal
    assert messages[-1].notes == ("that was all",)


def test_a_failing_step_ends_the_run_with_the_traceback_and_the_next_run_works(caplog):
    engine = FakeEngine(fails_at=2)
    runner = Runner(RunOptions(), lambda: None, engine)
    runner.start(ListSource(5))
    messages = take_all(runner)
    (fault,) = of_kind(messages, PipelineFault)
    assert fault.fatal
    assert fault.origin == "inference"
    assert "Traceback" in fault.details
    assert "the tensor fell over" in fault.sentence
    assert messages[-1].n_frames == 2
    runner.start(ListSource(2))
    assert len(of_kind(take_all(runner), FrameResult)) == 2
    assert runner.close()


def test_a_model_that_cannot_be_loaded_ends_the_run_and_is_tried_again():
    runner = Runner(RunOptions(), lambda: None, FakeEngine(load_error="There is no such model."))
    take_until(runner, PipelineFault)
    source = ListSource(3)
    runner.start(source)
    messages = take_all(runner)
    (fault,) = of_kind(messages, PipelineFault)
    assert (fault.sentence, fault.origin) == ("There is no such model.", "model")
    assert messages[-1].n_frames == 0
    assert runner.close()
    assert source.is_closed


def test_closing_in_the_middle_joins_every_thread(engine):
    before = set(threading.enumerate())
    runner = Runner(RunOptions(), lambda: None, engine)
    source = ListSource(10_000)
    runner.start(source)
    assert engine.entered.wait(PATIENCE_S)  # the outbox is full soon, and nobody takes
    assert runner.close()
    assert source.is_closed
    assert set(threading.enumerate()) == before
    with pytest.raises(RuntimeError, match="closed"):
        runner.start(ListSource(1))


def test_a_hundred_starts_and_stops_leave_nothing_behind(runner):
    for _ in range(100):
        runner.start(ListSource(50))
        runner.stop()
    runner.start(ListSource(2))
    assert len(of_kind(take_all(runner), FrameResult)) == 2
    wait_for(lambda: not any(t.name == "capture" for t in threading.enumerate()))


@pytest.mark.parametrize("options", [{"window": 0}, {"device": "tpu"}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match="want"):
        RunOptions(**options)


class FlakyCamera(ListSource):
    """A camera that is gone for three reads after its second picture."""

    def __init__(self):
        super().__init__(6, is_live=True)
        self._n_silent = 3

    def read(self):
        if self.n_read == 2 and self._n_silent:
            self._n_silent -= 1
            raise SourceStalledError("The camera sends no pictures: waiting for it.")
        if self.n_read == 3:
            self.notes = ("camera is back",)
        return super().read()


def test_a_run_survives_a_camera_that_goes_and_comes_back(runner):
    runner.start(FlakyCamera())
    messages = take_all(runner)
    faults = of_kind(messages, PipelineFault)
    assert [fault.sentence for fault in faults] == [
        "The camera sends no pictures: waiting for it.",
        "Camera is back.",
    ]
    assert not any(fault.fatal for fault in faults)
    assert of_kind(messages, FrameResult)[-1].frame_index == 5
