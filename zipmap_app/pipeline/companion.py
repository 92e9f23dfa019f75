"""A second model that answers questions about the scene of a streaming model that cannot."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zipmap_app.pipeline.engine import Breathe, Engine, EngineError, RunOptions, Scene, make_engine
from zipmap_app.pipeline.faults import fault_from_error
from zipmap_app.pipeline.kept import KeptFrame, similarity_onto
from zipmap_app.pipeline.loading import download_reporter
from zipmap_app.pipeline.similarity import Similarity
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.state.commands import CompanionProgress
from zipmap_app.state.queries import QueryRequest, QueryResult

_FIRST_FRAMES = 4  # kept frames that are worth a first pass while the stream goes on
_GROWTH = 2.0  # times as many as last time make it worth another one
_REPORT_EVERY_S = 0.1
_UNMOVED = Similarity(1.0, np.eye(3), np.zeros(3))


@dataclass(frozen=True, slots=True, eq=False)
class CompanionScene:
    """What the companion has seen, and how its world lies in the streamed one."""

    scene: Scene
    streamed_from_own: Similarity
    model: str  # that it belongs to

    @property
    def n_frames(self) -> int:
        return self.scene.n_frames

    @property
    def memory_bytes(self) -> int:
        return self.scene.memory_bytes

    @property
    def intrinsics(self) -> np.ndarray:
        return self.scene.intrinsics

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.scene.size_hw


class Companion:
    """Sees the kept keyframes again, all at once, whenever the inference thread has nothing better to do.

    While frames arrive it waits until there are twice as many keyframes as last time; when the run is paused or
    over it catches up. It is loaded when it is first needed, and refused with one sentence where memory does
    not allow both models. Then, if ``RunOptions.companion_may_unload``, the streaming model makes room once
    the run is over: questions can be asked, but going back, finalising and going on need a new run, for which
    the models change places again. Inference thread only.
    """

    def __init__(
        self,
        options: RunOptions,
        outbox: Outbox,
        fits: Callable[[RunOptions], bool],
        make: Callable[[RunOptions], Engine] = make_engine,
    ) -> None:
        assert options.companion is not None
        self._options = replace(options, model=options.companion, companion=None, assist=False)
        self._may_unload = options.companion_may_unload
        self._outbox = outbox
        self._fits = fits
        self._make = make
        self._engine: Engine | None = None
        self._seen: tuple[KeptFrame, ...] = ()
        self._scene: CompanionScene | None = None
        self._refusal = ""  # why it can never be asked
        self._is_told = False
        self._reported_s = 0.0

    @property
    def model(self) -> str:
        return self._options.model

    @property
    def scene(self) -> CompanionScene | None:
        return self._scene

    @property
    def wants_room(self) -> bool:
        """Whether it would load if the streaming model went."""
        return self._may_unload and self._is_told and not self._refusal and self._engine is None

    def set_may_unload(self, may_unload: bool) -> None:
        """Whether the streaming model may make room; said again where there is too little."""
        self._may_unload = may_unload
        self._is_told = False

    def reset(self) -> None:
        """Forget the scene; the model stays."""
        self._seen, self._scene = (), None

    def unload(self) -> None:
        """Free the model's memory; it is loaded again when it is needed."""
        self._engine = None
        self._is_told = False
        self.reset()

    def is_behind(self, kept: tuple[KeptFrame, ...], *, is_resting: bool) -> bool:
        """Whether it is time to see the kept frames again."""
        if self._refusal or not kept or kept == self._seen:
            return False
        if self._is_told and self._engine is None and not self._fits(self._options):
            return False
        return is_resting or len(kept) >= max(_FIRST_FRAMES, _GROWTH * len(self._seen))

    def catch_up(self, kept: tuple[KeptFrame, ...], breathe: Breathe) -> None:
        """See all these frames at once; ``breathe`` may raise to put it off."""
        engine = self._loaded(breathe)
        if engine is None:
            return

        def report(fraction: float) -> None:
            now_s = time.monotonic()
            if now_s - self._reported_s >= _REPORT_EVERY_S:
                self._reported_s = now_s
                self._outbox.post(CompanionProgress(int(fraction * len(kept)), len(kept)))
            breathe(fraction)

        try:
            views, scene = engine.views_at_once([frame.rgb for frame in kept], report)
        except EngineError as error:
            self._refuse(error)
            return
        self._scene = CompanionScene(scene, similarity_onto(kept, views), self.model)
        self._seen = kept
        self._outbox.post(CompanionProgress(len(kept), len(kept)))

    def query(self, request: QueryRequest, scene: Scene | None) -> QueryResult:
        """Ask in the streamed world, answer in its unit. Raises EngineError."""
        if scene is None or self._engine is None:
            raise EngineError(self._why_not)
        assert isinstance(scene, CompanionScene)
        own_from_streamed = scene.streamed_from_own.inverse()
        asked = replace(request, world_from_camera=own_from_streamed.camera(request.world_from_camera))
        result = self._engine.query(asked, scene.scene)
        depth = (scene.streamed_from_own.scale * result.depth).astype(np.float32)
        return replace(result, depth=depth, world_from_camera=request.world_from_camera)

    def save_scene(self, scene: Scene, path: Path) -> None:
        """Write what the companion knows; opened again, it is asked in the companion's own world."""
        assert isinstance(scene, CompanionScene)
        self._needed.save_scene(scene.scene, path)

    def open_scene(self, path: Path) -> Scene:
        return CompanionScene(self._needed.open_scene(path), _UNMOVED, self.model)

    @property
    def _needed(self) -> Engine:
        if self._engine is None:
            raise EngineError(f"The model {self._options.model} is not loaded yet: pause the run first.")
        return self._engine

    def _loaded(self, breathe: Breathe) -> Engine | None:
        if self._engine is not None:
            return self._engine
        if not self._fits(self._options):
            self._tell_no_room()
            return None
        report = download_reporter(self._options.model, self._outbox)

        def progress(done_bytes: int, total_bytes: int) -> None:
            breathe(0.0)
            report(done_bytes, total_bytes)

        engine = self._make(self._options)
        try:
            engine.load(progress)
        except EngineError as error:
            self._refuse(error)
            return None
        engine.reset()
        self._engine = engine
        return engine

    @property
    def _why_not(self) -> str:
        if self._refusal:
            return self._refusal
        if self._is_told and self._engine is None:
            return self._no_room
        return (
            f"The model {self._options.model} has not seen the scene yet: it looks at the keyframes when the run "
            "is paused or over."
        )

    @property
    def _no_room(self) -> str:
        advice = (
            "it takes the streaming model's place when the run is over."
            if self._may_unload
            else 'tick "One model at a time" on the Live tab, or choose the bundled model.'
        )
        what = (
            f"There is too little memory for the query model {self._options.model} beside the streaming one: "
        )
        return what + advice

    def _tell_no_room(self) -> None:
        self._is_told = True
        fault = fault_from_error(EngineError(self._no_room), "", "model")
        self._outbox.post(replace(fault, fatal=False))

    def _refuse(self, error: EngineError) -> None:
        """Say once why it cannot help, and stay out of the way."""
        self._refusal = str(error)
        self._outbox.post(replace(fault_from_error(error, "", "model"), fatal=False))
