"""Threads that compute give way to the window's thread."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from tests.pipeline_fakes import FakeEngine
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.threads import give_way

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems favour the window by themselves"
)


def niceness(thread_id: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, thread_id)


def test_the_thread_and_what_it_starts_give_way_and_no_other():
    seen = []

    def work() -> None:
        give_way()
        inner = threading.Thread(target=lambda: seen.append(niceness(threading.get_native_id())))
        inner.start()
        inner.join()
        seen.append(niceness(threading.get_native_id()))

    before = niceness(threading.get_native_id())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert niceness(threading.get_native_id()) == before
    assert len(seen) == 2
    assert min(seen) > before


@pytest.mark.parametrize("gives_way", [False, True])
def test_the_model_gives_way_where_there_is_a_window(gives_way):
    loaded = threading.Event()
    ids = []

    class Engine(FakeEngine):
        def load(self, progress):  # type: ignore[no-untyped-def]
            ids.append(threading.get_native_id())
            loaded.set()
            return super().load(progress)

    runner = Runner(RunOptions(gives_way=gives_way), lambda: None, Engine())
    try:
        assert loaded.wait(5.0)
        assert (niceness(ids[0]) > niceness(threading.get_native_id())) == gives_way
    finally:
        runner.close()
