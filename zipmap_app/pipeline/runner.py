"""Control of the pipeline: starts, pauses, stops, asks and shuts down, from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from zipmap_app.pipeline.engine import Engine, RunOptions
from zipmap_app.pipeline.inference import Inference
from zipmap_app.pipeline.masks import MaskOptions
from zipmap_app.pipeline.options import CompanionOptions, TrackingOptions
from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.pipeline.run import Run
from zipmap_app.pipeline.run_memory import PipelineMemory
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.sources.base import FrameSource
from zipmap_app.state.commands import Command, FlightFrame, RunRewound, SceneRefined
from zipmap_app.state.messages import FrameResult, Message, StreamEnded
from zipmap_app.state.queries import QueryRequest, QueryResult

__all__ = ["MaskOptions", "PackingOptions", "PipelineMemory", "RunOptions", "Runner"]

# What is said about one scene, and is out of date once another one begins.
_OF_ONE_RUN: tuple[type[Message], ...] = (
    FrameResult,
    QueryResult,
    StreamEnded,
    RunRewound,
    SceneRefined,
    FlightFrame,
)

# How long start() and stop() let a capture thread release its device; a camera needs a few tens of ms.
_RELEASE_S = 0.25


class Runner:
    """Owns the capture and inference threads. Thread-safe; no call waits for the model.

    Results come through ``outbox``; ``on_wake`` is called from the pipeline's threads when it becomes non-empty
    and must return at once. The model loads on the inference thread as soon as the runner exists.
    """

    def __init__(
        self, options: RunOptions, on_wake: Callable[[], None], engine: Engine | None = None
    ) -> None:
        self.outbox = Outbox(on_wake=on_wake)
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._old_captures: list[threading.Thread] = []  # of earlier runs
        self._is_closed = False
        self._inference = Inference(options, self.outbox, engine)

    @property
    def is_running(self) -> bool:
        """Whether a source is being worked on, paused or not."""
        run = self._run
        return run is not None and not run.is_ended

    @property
    def is_paused(self) -> bool:
        return self._inference.is_paused

    def start(self, source: FrameSource) -> None:
        """Work on a source with an empty scene; a running one is stopped first. The runner closes the source.

        Unread results of earlier runs are thrown away, so that all that follows belongs to this one. Raises
        RuntimeError on a closed runner.
        """
        self.stop()
        with self._lock:
            if self._is_closed:
                source.close()
                raise RuntimeError("start() on a closed Runner")
            old, run = self._run, Run(source, self.outbox, self._inference.wake)
            self._run = run
            self._inference.begin(run)
            if old is not None:
                old.retire()  # a rewind on the inference thread may have woken it since stop()
                self._old_captures = [*self._captures(), *old.threads]
            self.outbox.discard(_OF_ONE_RUN)
            run.start()

    def pause(self) -> None:
        """Take no more frames until ``resume``; a file waits, a live source drops frames."""
        self._inference.set_paused(True)

    def resume(self) -> None:
        self._inference.set_paused(False)

    def step(self) -> None:
        """Take exactly one frame while paused."""
        self._inference.allow_one_frame()

    def query(self, request: QueryRequest) -> None:
        """Ask the scene; of several unanswered requests the newest wins. The state stays as it is."""
        self._inference.ask(request)

    def do(self, command: Command) -> None:
        """Carry a command out between two frames, after those before it; it ends with one CommandEnded.

        Frames wait until it is over: a file loses none, a live source drops them and counts.
        """
        self._inference.submit(command)

    def cancel(self, command_id: int) -> None:
        """Give a command up, begun or not; harmless once it has ended."""
        self._inference.cancel(command_id)

    def set_packing(self, options: PackingOptions) -> None:
        """How frames become points, from the next one on."""
        self._inference.set_packing(options)

    def set_tracking(self, options: TrackingOptions) -> None:
        """How cameras are tracked, from the next run on: within a scene one way has to hold."""
        self._inference.set_tracking(options)

    def set_companion(self, options: CompanionOptions) -> None:
        """Which model answers where the run's cannot; at once, also for the scene there is."""
        self._inference.set_companion(options)

    @property
    def memory(self) -> PipelineMemory:
        """What the pipeline keeps for rewinding, finalising and states, as of the newest frame or command."""
        return self._inference.memory_use

    def stop(self) -> None:
        """End the run and post StreamEnded; model and scene stay for queries.

        The frame being inferred is thrown away when it is done. Waits briefly for the source to let go of its
        device, so that the same camera can be opened again.
        """
        with self._lock:
            run, captures = self._run, self._captures()
        if run is not None:
            run.end(was_stopped=True)
        _join(captures, _RELEASE_S)

    def close(self, timeout_s: float = 2.0) -> bool:
        """Shut everything down; True when every thread has ended in time. The order is written here only.

        A step of a large model cannot be interrupted: then this returns False, and the thread ends with the step.
        """
        with self._lock:
            self._is_closed = True
            run, captures = self._run, self._captures()
        if run is not None:
            run.retire()  # 1. no more frames; frees a waiting capture thread
            captures += run.threads
        self.outbox.close()  # 2. frees an inference thread that waits for the consumer
        self._inference.close()  # 3. its loop ends after the call it is in
        return _join([*captures, self._inference.thread], timeout_s)  # 4. capture also closes its source

    def _captures(self) -> list[threading.Thread]:
        """The capture threads that may still run, of this run and earlier ones. Under the lock."""
        self._old_captures = [thread for thread in self._old_captures if thread.is_alive()]
        return [*self._old_captures, *([] if self._run is None else self._run.threads)]


def _join(threads: list[threading.Thread], timeout_s: float) -> bool:
    deadline_s = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(deadline_s - time.monotonic(), 0.0))
    return not any(thread.is_alive() for thread in threads)
