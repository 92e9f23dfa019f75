"""The inference thread: sole owner of the engine, and with it of the model, the scene state and the GPU."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Sequence

from zipmap_app.pipeline.engine import Engine, EngineError, RunOptions, make_engine
from zipmap_app.pipeline.run import Run
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.state.messages import FaultOrigin, FrameResult, ModelDownloading, PipelineFault
from zipmap_app.state.queries import QueryRequest

logger = logging.getLogger(__name__)

_IDLE_S = 1.0  # the longest sleep; every change wakes the thread at once
_PUT_TIMEOUT_S = 0.2
_REPORT_EVERY_S = 0.25


class _DownloadStoppedError(Exception):
    """Nobody waits for the model any more."""


class Inference:
    """A thread that loads the model, then alternates between queries and frames until closed.

    The public methods may be called from any thread; those with an underscore run on ``thread``.
    """

    def __init__(self, options: RunOptions, outbox: Outbox, engine: Engine | None) -> None:
        self._options = options
        self._outbox = outbox
        self._engine = engine
        self._is_loaded = False
        self._changed = threading.Event()
        self._is_closing = threading.Event()
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._request: QueryRequest | None = None
        self._is_paused = False
        self._n_allowed = 0  # frames that may pass while paused
        self._reported_s = 0.0  # when a download was last reported
        self.thread = threading.Thread(target=self._loop, name="inference")
        self.thread.start()

    @property
    def is_paused(self) -> bool:
        with self._lock:
            return self._is_paused

    def wake(self) -> None:
        """Something changed: look again."""
        self._changed.set()

    def begin(self, run: Run) -> None:
        """Work on this run from now on, unpaused."""
        with self._lock:
            self._run = run
            self._request = None
            self._is_paused = False
            self._n_allowed = 0
        self.wake()

    def set_paused(self, is_paused: bool) -> None:
        with self._lock:
            self._is_paused = is_paused
            self._n_allowed = 0
        self.wake()

    def allow_one_frame(self) -> None:
        with self._lock:
            self._n_allowed += self._is_paused
        self.wake()

    def ask(self, request: QueryRequest) -> None:
        with self._lock:
            self._request = request
        self.wake()

    def close(self) -> None:
        """Let the thread end after the call it is in."""
        self._is_closing.set()
        self.wake()

    def _loop(self) -> None:
        self._load()
        while not self._is_closing.is_set():
            # Cleared before looking, so that a change while looking is not lost.
            self._changed.clear()
            if not self._work():
                self._changed.wait(_IDLE_S)

    def _work(self) -> bool:
        """Do the next thing, a query before a frame; False if there is nothing to do."""
        with self._lock:
            run = self._run
        is_active = run is not None and not run.is_ended
        if run is not None and is_active and not run.is_begun:
            self._begin(run)  # first of all: a query must not be answered by the scene before
            return True
        if self._answer_newest(run):
            return True
        return run is not None and is_active and self._advance(run)

    def _load(self) -> bool:
        try:
            if self._engine is None:
                self._engine = make_engine(self._options)
            self._outbox.post(self._engine.load(self._on_download))
            self._is_loaded = True
        except _DownloadStoppedError:
            sentence = "The download was stopped; it goes on from there when you start again."
            self._outbox.post(PipelineFault(sentence, fatal=False, origin="model"))
        except Exception as error:
            self._post_fault(error, "Loading the model failed", "model")
        return self._is_loaded

    def _on_download(self, done_bytes: int, total_bytes: int) -> None:
        """Report a download now and then; stop it when the run it was for is stopped, or the program closes."""
        with self._lock:
            run = self._run
        if self._is_closing.is_set() or (run is not None and run.is_ended):
            raise _DownloadStoppedError
        now_s = time.monotonic()
        if now_s - self._reported_s >= _REPORT_EVERY_S or done_bytes >= total_bytes:
            self._reported_s = now_s
            self._outbox.post(ModelDownloading(self._options.model, done_bytes, total_bytes))

    def _begin(self, run: Run) -> None:
        """Empty the scene; a model that failed to load gets another chance with every run."""
        run.is_begun = True
        if not self._is_loaded and not self._load():
            run.end(self._outbox, was_stopped=True)
            return
        assert self._engine is not None
        self._engine.reset()

    def _advance(self, run: Run) -> bool:
        if not self._may_take_frame():
            return False
        assert self._engine is not None
        frame = run.slot.take()
        is_last = frame is None and run.slot.is_exhausted
        if run.is_ended or (frame is None and not is_last):
            return False
        with self._lock:
            self._n_allowed = max(self._n_allowed - 1, 0)
        try:
            if frame is None:
                self._deliver(run, self._engine.finish())
            else:
                self._deliver(run, self._engine.step(self._engine.prepare(frame, run.slot.n_dropped)))
        except Exception as error:
            self._post_fault(error, f"Reconstructing {run.source.name} failed", "inference")
            run.end(self._outbox, was_stopped=True)
        if is_last:
            run.end(self._outbox, was_stopped=False)
        return True

    def _may_take_frame(self) -> bool:
        with self._lock:
            return not self._is_paused or self._n_allowed > 0

    def _deliver(self, run: Run, results: Sequence[FrameResult]) -> None:
        """Hand results on; a slow consumer slows this thread down, but never keeps queries or the end waiting."""
        for result in results:
            while not run.is_ended and not self._outbox.put(result, _PUT_TIMEOUT_S, run.admit_result):
                self._answer_newest(run)

    def _answer_newest(self, run: Run | None) -> bool:
        with self._lock:
            request, self._request = self._request, None
        if request is not None:
            self._answer(request, run)
        return request is not None

    def _answer(self, request: QueryRequest, run: Run | None) -> None:
        if not self._is_loaded:
            self._post_fault(EngineError("There is no model to ask: it failed to load."), "", "query")
            return
        assert self._engine is not None
        try:
            result = self._engine.query(request, self._engine.scene)
        except Exception as error:
            self._post_fault(error, "The query failed", "query")
            return
        # A run that began meanwhile shows another scene.
        self._outbox.post(result, admit=lambda: self._run is run)

    def _post_fault(self, error: Exception, what: str, origin: FaultOrigin) -> None:
        """The top of the thread: every error becomes a message, with the traceback unless it was foreseen."""
        details = "".join(traceback.format_exception(error))
        if isinstance(error, EngineError):
            sentence = str(error)
        else:
            logger.error("%s", what, exc_info=error)
            sentence = f"{what} ({type(error).__name__}: {error}); please report this with the details."
        self._outbox.post(PipelineFault(sentence, details, fatal=origin != "query", origin=origin))
