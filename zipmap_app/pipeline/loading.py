"""Loading the model, with the progress of a download, as messages."""

from __future__ import annotations

import time
from collections.abc import Callable

from zipmap_app.pipeline.engine import DownloadProgress, Engine
from zipmap_app.pipeline.faults import fault_from_error
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.state.messages import ModelDownloading, PipelineFault

_REPORT_EVERY_S = 0.25


class _DownloadStoppedError(Exception):
    """Nobody waits for the model any more."""


def load_engine(
    make_engine: Callable[[], Engine],
    model: str,
    outbox: Outbox,
    is_wanted: Callable[[], bool],
) -> Engine | None:
    """A loaded engine, or None when that failed or was not wanted any more; posts what there is to say."""
    report = download_reporter(model, outbox)

    def progress(done_bytes: int, total_bytes: int) -> None:
        if not is_wanted():
            raise _DownloadStoppedError
        report(done_bytes, total_bytes)

    try:
        engine = make_engine()
        outbox.post(engine.load(progress))
        return engine
    except _DownloadStoppedError:
        sentence = "The download was stopped; it goes on from there when you start again."
        outbox.post(PipelineFault(sentence, fatal=False, origin="model"))
    except Exception as error:
        # The top of the thread: the window stays, and the next run tries again.
        outbox.post(fault_from_error(error, "Loading the model failed", "model"))
    return None


def download_reporter(model: str, outbox: Outbox) -> DownloadProgress:
    """Posts how far a download is, a few times a second."""
    reported_s = 0.0

    def report(done_bytes: int, total_bytes: int) -> None:
        nonlocal reported_s
        now_s = time.monotonic()
        if now_s - reported_s >= _REPORT_EVERY_S or done_bytes >= total_bytes:
            reported_s = now_s
            outbox.post(ModelDownloading(model, done_bytes, total_bytes))

    return report
