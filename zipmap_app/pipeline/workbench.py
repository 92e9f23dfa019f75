"""What the inference thread works with, for everything it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zipmap_app.pipeline.engine import Engine, EngineError, RunOptions, Scene
from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.pipeline.run import Run
from zipmap_app.pipeline.run_memory import PipelineMemory, RunMemory
from zipmap_app.pipeline.scene_states import SceneStates
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.state.messages import FrameResult, SourceFrame
from zipmap_app.state.queries import LIVE_STATE, QueryRequest, QueryResult


class Control(Protocol):
    """What work on the inference thread may ask of the thread itself."""

    def set_paused(self, is_paused: bool) -> None: ...

    def breathe(self, fraction: float) -> None:
        """Answer queries in the middle of long work; raises CommandCancelledError once it is not wanted."""

    def is_current(self, run: Run | None) -> bool:
        """Whether no newer run has begun."""


class Workbench:
    """The engine, the run with what is remembered of it, and the states kept aside. Inference thread only."""

    def __init__(self, options: RunOptions, outbox: Outbox, control: Control) -> None:
        self.options = options
        self.outbox = outbox
        self.control = control
        self.packing = options.packing
        self.run: Run | None = None
        self.memory = RunMemory(options.history_bytes, options.max_kept_frames)
        self.states = SceneStates()
        self.loaded_engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The loaded engine. Raises EngineError without one."""
        if self.loaded_engine is None:
            raise EngineError("There is no model to ask: it failed to load.")
        return self.loaded_engine

    def begin(self, run: Run) -> None:
        """Empty the scene for a run."""
        self.run = run
        self.memory = RunMemory(self.options.history_bytes, self.options.max_kept_frames)
        self.engine.reset()

    def set_packing(self, options: PackingOptions) -> None:
        self.packing = options
        self.engine.set_packing(options)

    def step(self, frame: SourceFrame, n_dropped: int) -> Sequence[FrameResult]:
        """Give the engine a frame and remember it."""
        engine, history = self.engine, self.memory.history
        frame_input = engine.prepare(frame, n_dropped)
        results = engine.step(frame_input)
        if engine.can_rewind:
            self.memory.take_input(frame_input)
            if history.wants_snapshot:
                history.add_snapshot(engine.snapshot())
        return results

    def finish(self) -> Sequence[FrameResult]:
        """Tell the engine that no more frames come."""
        results = self.engine.finish()
        if results:
            self.memory.history.mark_finished()
        return results

    def scene(self, state_id: int) -> Scene | None:
        """The live scene, None while it is empty, or one kept aside. Raises EngineError for one that is gone."""
        return self.engine.scene if state_id == LIVE_STATE else self.states.scene(state_id)

    def answer(self, request: QueryRequest) -> QueryResult:
        """Ask the scene that the request names. Raises EngineError."""
        return self.engine.query(request, self.scene(request.state_id))

    @property
    def memory_use(self) -> PipelineMemory:
        return PipelineMemory(
            history_bytes=self.memory.history_bytes,
            kept_bytes=self.memory.kept_bytes,
            states_bytes=self.states.memory_bytes,
        )
