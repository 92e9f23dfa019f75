"""What every test must leave behind: no thread and no running timer."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from zipmap_app.threads import calm_libraries

calm_libraries()  # as the application does, before torch and NumPy are loaded

_PATIENCE_S = 2.0


def _running_timers() -> list[str]:
    """Names of active QTimers, whoever owns them; nothing is imported for tests that know no Qt."""
    core = sys.modules.get("PySide6.QtCore")
    if core is None or core.QCoreApplication.instance() is None:
        return []
    import shiboken6

    # type(), not isinstance(): the latter wakes lazy objects of other libraries.
    timers = [found for found in gc.get_objects() if issubclass(type(found), core.QTimer)]
    return [repr(timer) for timer in timers if shiboken6.isValid(timer) and timer.isActive()]


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    """Fail a test that leaves a thread or a QTimer running."""
    threads_before = set(threading.enumerate())
    timers_before = set(_running_timers())
    yield
    deadline_s = time.monotonic() + _PATIENCE_S
    for thread in set(threading.enumerate()) - threads_before:
        thread.join(max(deadline_s - time.monotonic(), 0.0))
        if thread.is_alive():
            pytest.fail(f"the test left the thread {thread.name!r} running")
    leaked_timers = set(_running_timers()) - timers_before
    if leaked_timers:
        pytest.fail(f"the test left timers running: {sorted(leaked_timers)}")
