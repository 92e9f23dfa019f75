"""Weights that have to be downloaded first: progress comes out, stopping and closing end the wait."""

from __future__ import annotations

import threading
import time

import pytest

from tests.pipeline_fakes import FakeEngine, ListSource, of_kind, take_all
from zipmap_app.pipeline.engine import DownloadProgress
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.state.messages import FrameResult, ModelDownloading, ModelLoaded, PipelineFault

PATIENCE_S = 5.0


class DownloadingEngine(FakeEngine):
    """Downloads ten bytes; the last one comes only once ``may_finish`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.may_finish = threading.Event()
        self.begun = threading.Event()

    def load(self, progress: DownloadProgress) -> ModelLoaded:
        done = 0
        while done < 10:
            done += done < 9 or self.may_finish.is_set()
            progress(done, 10)
            self.begun.set()
            time.sleep(0.002)
        return super().load(progress)


@pytest.fixture
def engine():
    return DownloadingEngine()


@pytest.fixture
def runner(engine):
    runner = Runner(RunOptions(), on_wake=lambda: None, engine=engine)
    yield runner
    assert runner.close(PATIENCE_S)


def test_a_download_is_reported_and_the_run_follows(runner, engine):
    engine.may_finish.set()
    runner.start(ListSource(2))
    messages = take_all(runner)
    reports = of_kind(messages, ModelDownloading)
    assert (reports[-1].done_bytes, reports[-1].total_bytes) == (10, 10)
    assert len(of_kind(messages, FrameResult)) == 2


def test_stopping_ends_the_download_and_the_next_start_tries_again(runner, engine):
    runner.start(ListSource(2))
    assert engine.begun.wait(PATIENCE_S)
    runner.stop()
    deadline_s = time.monotonic() + PATIENCE_S
    faults: list[PipelineFault] = []
    while not faults:
        assert time.monotonic() < deadline_s
        faults = of_kind(runner.outbox.take(8, 0.05), PipelineFault)
    assert "stopped" in faults[0].sentence
    assert not faults[0].fatal
    engine.may_finish.set()
    runner.start(ListSource(3))
    assert len(of_kind(take_all(runner), FrameResult)) == 3


def test_closing_does_not_wait_for_the_download(runner, engine):
    assert engine.begun.wait(PATIENCE_S)
    begin_s = time.monotonic()
    assert runner.close(2.0)
    assert time.monotonic() - begin_s < 2.0
