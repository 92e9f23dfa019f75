"""The inference thread: sole owner of the engine, and with it of the model, the scene state and the GPU."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from zipmap_app.pipeline.command_queue import CommandCancelledError, CommandQueue
from zipmap_app.pipeline.commands import SCENE_COMMANDS, work_for
from zipmap_app.pipeline.engine import Engine, RunOptions, make_engine
from zipmap_app.pipeline.faults import fault_from_error
from zipmap_app.pipeline.loading import load_engine
from zipmap_app.pipeline.options import CompanionOptions, TrackingOptions
from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.pipeline.run import Run
from zipmap_app.pipeline.run_memory import PipelineMemory
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.pipeline.workbench import Workbench
from zipmap_app.state.commands import Command, CompanionChosen
from zipmap_app.state.messages import FrameResult, PipelineFault
from zipmap_app.state.queries import QueryRequest
from zipmap_app.threads import give_way

_IDLE_S = 1.0  # the longest sleep; every change wakes the thread at once
_PUT_TIMEOUT_S = 0.2


class _NeededElsewhereError(Exception):
    """There is something better to do than to look at old frames."""


class Inference:
    """A thread that loads the model, then does queries, commands and frames, in this order, until closed.

    The public methods may be called from any thread; those with an underscore run on ``thread``, and so does
    everything that is handed the workbench.
    """

    def __init__(self, options: RunOptions, outbox: Outbox, engine: Engine | None) -> None:
        self._options = options
        self._outbox = outbox
        self._given_engine = engine
        self._bench = Workbench(options, outbox, self)
        self._commands = CommandQueue(outbox, lambda command: work_for(self._bench, command))
        self._changed = threading.Event()
        self._is_closing = threading.Event()
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._request: QueryRequest | None = None
        self._packing: PackingOptions | None = None  # new options that are not in force yet
        self._tracking: TrackingOptions | None = None
        self._companion = options.companion_options
        self._is_paused = False
        self._n_allowed = 0  # frames that may pass while paused
        self._memory_use = PipelineMemory()
        self.thread = threading.Thread(target=self._loop, name="inference")
        self.thread.start()

    @property
    def is_paused(self) -> bool:
        with self._lock:
            return self._is_paused

    @property
    def memory_use(self) -> PipelineMemory:
        """What is kept, as of the newest frame or command."""
        return self._memory_use

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
        self._commands.cancel_all(SCENE_COMMANDS)
        self.wake()

    def is_current(self, run: Run | None) -> bool:
        return self._run is run

    def set_paused(self, is_paused: bool) -> None:
        with self._lock:
            self._is_paused = is_paused
            self._n_allowed = 0
        self.wake()

    def allow_one_frame(self) -> None:
        with self._lock:
            self._n_allowed += self._is_paused
        self.wake()

    def set_packing(self, options: PackingOptions) -> None:
        with self._lock:
            self._packing = options
        self.wake()

    def set_tracking(self, options: TrackingOptions) -> None:
        with self._lock:
            self._tracking = options

    def set_companion(self, options: CompanionOptions) -> None:
        with self._lock:
            self._companion = options
        self.wake()

    def ask(self, request: QueryRequest) -> None:
        with self._lock:
            self._request = request
        self.wake()

    def submit(self, command: Command) -> None:
        self._commands.submit(command)
        self.wake()

    def cancel(self, command_id: int) -> None:
        self._commands.cancel(command_id)
        self.wake()

    def close(self) -> None:
        """Let the thread end after the call it is in."""
        self._is_closing.set()
        self._commands.close()
        self.wake()

    def breathe(self, fraction: float) -> None:
        """In the middle of a long call of the model, on the inference thread."""
        if self._is_closing.is_set():
            raise CommandCancelledError
        self._commands.breathe(fraction)
        self._answer_newest()

    def _loop(self) -> None:
        if self._options.gives_way:
            give_way()
        if self._options.companion is not None:
            self._outbox.post(CompanionChosen(self._options.companion))
        self._load()
        while not self._is_closing.is_set():
            # Cleared before looking, so that a change while looking is not lost.
            self._changed.clear()
            if not self._work():
                self._changed.wait(_IDLE_S)
        self._bench.close()

    def _work(self) -> bool:
        """Do the next thing; False if there is nothing to do."""
        with self._lock:
            run = self._run
            companion = self._companion
        if companion != self._bench.options.companion_options:
            self._bench.set_companion(companion)
        is_active = run is not None and not run.is_ended
        if run is not None and is_active and not run.is_begun:
            self._begin(run)  # first of all: a query must not be answered by the scene before
            return True
        if self._answer_newest():
            return True
        if self._commands.advance():
            self._memory_use = self._bench.memory_use
            return True
        if run is not None and is_active and self._advance(run):
            return True
        return run is not None and run.is_begun and self._serve_companion(run)

    def _load(self) -> bool:
        engine = load_engine(
            lambda: self._given_engine or make_engine(self._options),
            self._options.model,
            self._outbox,
            self._is_model_wanted,
        )
        if engine is not None:
            self._bench.take_engine(engine)
        return engine is not None

    def _is_model_wanted(self) -> bool:
        """False once the run that a download was for is stopped, or the program closes."""
        with self._lock:
            run = self._run
        return not self._is_closing.is_set() and (run is None or not run.is_ended)

    def _begin(self, run: Run) -> None:
        """Empty the scene; a model that failed to load gets another chance with every run."""
        # What was asked of the scene before is cancelled by now; saving and forking it still gets done.
        while self._commands.advance():
            pass
        run.is_begun = True
        if self._bench.loaded_engine is None:
            if self._bench.companion is not None:
                self._bench.companion.unload()  # it has taken the engine's place
            if not self._load():
                run.end(was_stopped=True)
                return
        with self._lock:
            tracking = self._tracking
        if tracking is not None:
            self._bench.set_tracking(tracking)
        self._bench.begin(run)
        self._memory_use = self._bench.memory_use

    def _advance(self, run: Run) -> bool:
        if not self._may_take_frame():
            return False
        # While paused, frame by frame: what a live source promised would be old by the time that it goes on.
        if self._bench.looks_ahead and not self.is_paused:
            frame, upcoming = run.slot.take_pair()
        else:
            frame, upcoming = run.slot.take(), None
        is_last = frame is None and run.slot.is_exhausted
        if run.is_ended or (frame is None and not is_last):
            return False
        with self._lock:
            self._n_allowed = max(self._n_allowed - 1, 0)
            packing, self._packing = self._packing, None
        try:
            if packing is not None:
                self._bench.set_packing(packing)
            if frame is None:
                self._deliver(run, self._bench.finish())
            else:
                self._deliver(run, self._bench.step(frame, run.n_dropped, upcoming))
        except Exception as error:
            # The top of the thread: the run ends, and the program goes on.
            self._outbox.post(fault_from_error(error, f"Reconstructing {run.name} failed", "inference"))
            run.end(was_stopped=True)
        self._memory_use = self._bench.memory_use
        if is_last:
            run.end(was_stopped=False)
        return True

    def _serve_companion(self, run: Run) -> bool:
        """Let the companion catch up while there is nothing else to do; False if it has nothing to do either."""
        companion, kept = self._bench.companion, self._bench.memory.kept.frames
        if companion is None:
            return False
        if companion.wants_room and run.is_ended and self._bench.loaded_engine is not None:
            self._bench.unload_engine()
        if not companion.is_behind(kept, is_resting=run.is_ended or not self._may_take_frame()):
            return False

        def breathe(fraction: float) -> None:
            with self._lock:
                is_other = self._run is not run or self._companion != self._bench.options.companion_options
            is_needed = self._may_take_frame() and run.slot.has_frame
            if is_needed or is_other or self._commands.has_command or self._is_closing.is_set():
                raise _NeededElsewhereError
            self._answer_newest()

        with suppress(_NeededElsewhereError):
            companion.catch_up(kept, breathe)
            self._memory_use = self._bench.memory_use
        return True

    def _may_take_frame(self) -> bool:
        with self._lock:
            return not self._is_paused or self._n_allowed > 0

    def _deliver(self, run: Run, results: Sequence[FrameResult]) -> None:
        """Hand results on; a slow consumer slows this thread down, but never keeps queries or the end waiting."""
        for result in results:
            if result.position < run.n_results:
                continue  # after a rewind into the middle of a window, whose first results are known
            while not run.is_ended:
                if self._outbox.put(result, _PUT_TIMEOUT_S, run.admit_result):
                    self._bench.memory.take_result(result)
                    if result.notice is not None:
                        self._outbox.post(PipelineFault(result.notice, fatal=False))
                    break
                self._answer_newest()

    def _answer_newest(self) -> bool:
        with self._lock:
            request, self._request = self._request, None
            run = self._run
        if request is None:
            return False
        try:
            result = self._bench.answer(request)
        except Exception as error:
            # The top of the thread: a failed question is told and forgotten.
            self._outbox.post(fault_from_error(error, "The query failed", "query"))
            return True
        # A run that began meanwhile shows another scene.
        self._outbox.post(result, admit=lambda: self.is_current(run))
        return True
