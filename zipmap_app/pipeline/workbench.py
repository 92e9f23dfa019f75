"""What the inference thread works with, for everything it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from zipmap_app.pipeline.companion import Companion, CompanionScene
from zipmap_app.pipeline.engine import Engine, EngineError, RunOptions, Scene
from zipmap_app.pipeline.options import CompanionOptions, TrackingOptions
from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.pipeline.run import Run
from zipmap_app.pipeline.run_memory import PipelineMemory, RunMemory
from zipmap_app.pipeline.scene_states import SceneStates
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.state.commands import CompanionChosen
from zipmap_app.state.messages import FrameResult, SourceFrame
from zipmap_app.state.queries import LIVE_STATE, QueryRequest, QueryResult


class Control(Protocol):
    """What work on the inference thread may ask of the thread itself."""

    def set_paused(self, is_paused: bool) -> None: ...

    def breathe(self, fraction: float) -> None:
        """Answer queries in the middle of long work; raises CommandCancelledError once it is not wanted."""

    def is_current(self, run: Run | None) -> bool:
        """Whether no newer run has begun."""


def fits_beside(options: RunOptions) -> bool:
    """Whether the model of these options fits into the memory that is free now."""
    from zipmap_app.pipeline.devices import model_fits  # imports torch, which takes seconds

    return model_fits(options.model, options.device)


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
        self.companion: Companion | None = None  # in use where the engine cannot answer questions
        self._is_answerless = False  # the engine, loaded or gone to make room, cannot be asked
        self._absence = "There is no model to ask: it failed to load."

    @property
    def engine(self) -> Engine:
        """The loaded engine. Raises EngineError without one."""
        if self.loaded_engine is None:
            raise EngineError(self._absence)
        return self.loaded_engine

    @property
    def looks_ahead(self) -> bool:
        """Whether ``step`` wants to know the frame after its own."""
        return self.loaded_engine is not None and self.loaded_engine.looks_ahead

    @property
    def asked(self) -> Engine | Companion:
        """Which of the two answers questions, and whose scenes can be kept. Raises EngineError for neither."""
        return self.engine if self.companion is None else self.companion

    def take_engine(self, engine: Engine) -> None:
        """Work with this engine, which is loaded, and with a companion if it needs one."""
        self.loaded_engine = engine
        self._is_answerless = not engine.can_query
        if self.companion is None:
            self.companion = self._new_companion()

    def set_companion(self, options: CompanionOptions) -> None:
        """Another model answers from now on, also for the scene there is; states stay with who kept them."""
        is_same_model = options.model == self.options.companion
        self.options = replace(self.options, companion=options.model, companion_may_unload=options.may_unload)
        if not is_same_model:
            self.companion = self._new_companion()
        elif self.companion is not None:
            self.companion.set_may_unload(options.may_unload)
        self.outbox.post(CompanionChosen(options.model))

    def unload_engine(self) -> None:
        """Make room for the companion; the next run loads the engine again."""
        self.close()
        self._absence = (
            "The streaming model made room for the one that answers questions: start a new run first."
        )

    def close(self) -> None:
        """Let go of the engine and what runs beside it."""
        if self.loaded_engine is not None:
            self.loaded_engine.close()
        self.loaded_engine = None

    def begin(self, run: Run) -> None:
        """Empty the scene for a run."""
        self.run = run
        self.memory = RunMemory(self.options.history_bytes, self.options.max_kept_frames)
        self.engine.reset()
        if self.companion is not None:
            self.companion.reset()

    def set_packing(self, options: PackingOptions) -> None:
        self.packing = options
        self.engine.set_packing(options)

    def set_tracking(self, options: TrackingOptions) -> None:
        self.engine.set_tracking(options)

    def step(
        self, frame: SourceFrame, n_dropped: int, upcoming: SourceFrame | None = None
    ) -> Sequence[FrameResult]:
        """Give the engine a frame and remember it; ``upcoming`` is the one that will probably come next."""
        engine, history = self.engine, self.memory.history
        frame_input = engine.prepare(frame, n_dropped)
        if upcoming is not None:
            engine.announce(upcoming)
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
        if state_id == LIVE_STATE:
            return self.asked.scene
        scene = self.states.scene(state_id)
        keeper = scene.model if isinstance(scene, CompanionScene) else None
        if keeper != (None if self.companion is None else self.companion.model):
            raise EngineError(
                "This state was kept by another model than the one that answers questions now: choose that one "
                "again to use it."
            )
        return scene

    def answer(self, request: QueryRequest) -> QueryResult:
        """Ask the scene that the request names. Raises EngineError."""
        return self.asked.query(request, self.scene(request.state_id))

    def _new_companion(self) -> Companion | None:
        if not self._is_answerless or self.options.companion is None:
            return None
        return Companion(self.options, self.outbox, fits_beside)

    @property
    def memory_use(self) -> PipelineMemory:
        seen = None if self.companion is None else self.companion.scene
        return PipelineMemory(
            history_bytes=self.memory.history_bytes,
            kept_bytes=self.memory.kept_bytes,
            states_bytes=self.states.memory_bytes + (0 if seen is None else seen.memory_bytes),
        )
