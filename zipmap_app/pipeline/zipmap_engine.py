"""The engine for zipmap_model: a model, its scene, and what the two say about frames."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import zipmap_model as zm
from zipmap_app.pipeline import scenes
from zipmap_app.pipeline.assist.pictures import focal_from_fov, tracked_picture
from zipmap_app.pipeline.assist.stage import TrackingAssist
from zipmap_app.pipeline.assist.state import AssistState
from zipmap_app.pipeline.devices import (
    check_offline_fits,
    choose_threads,
    chosen_device,
    memory_advice,
    shares_frames,
)
from zipmap_app.pipeline.engine import (
    Breathe,
    DownloadProgress,
    EngineError,
    EngineSnapshot,
    FrameInput,
    RunOptions,
    Scene,
    TrackedPicture,
    View,
)
from zipmap_app.pipeline.keyframes import Keyframe, is_keyframe, median_depth
from zipmap_app.pipeline.options import TrackingOptions
from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.pipeline.pictures import image_from_picture, picture_from_image
from zipmap_app.pipeline.results import result_from_view
from zipmap_app.pipeline.scenes import ZipMapScene
from zipmap_app.pipeline.upcoming import Upcoming
from zipmap_app.pipeline.views import breathing, views_on_host
from zipmap_app.state.messages import FrameResult, ModelLoaded, SourceFrame
from zipmap_app.state.queries import QueryRequest, QueryResult


@dataclass(frozen=True, slots=True, eq=False)
class _SceneMemory:
    """Everything that the results of the coming frames depend on. Replaced, never modified."""

    scene: ZipMapScene | None = None  # after the newest update
    waiting: tuple[FrameInput, ...] = ()  # frames of a window that is not full
    n_results: int = 0
    size_hw: tuple[int, int] | None = None  # the first frame's, for all
    # Later views are told relative to the first, as queries and viewers expect.
    world_from_first: np.ndarray | None = None
    keyframe: Keyframe | None = None
    assist: AssistState | None = None

    @property
    def memory_bytes(self) -> int:
        parts = (part for part in (self.scene, self.assist) if part is not None)
        return sum(part.memory_bytes for part in parts)


class ZipMapEngine:
    """A ZipMap model with its scene: streams where the model can, else runs once over all frames at the end.

    Inference thread only.
    """

    def __init__(self, options: RunOptions) -> None:
        self._options = options
        self._packing = options.packing
        self._model: zm.ZipMap | None = None
        self._device = torch.device("cpu")
        self._session: zm.StreamingSession | None = None
        self._tracking = options.tracking
        self._assist: TrackingAssist | None = None
        self._memory = _SceneMemory()
        self._upcoming = Upcoming()

    def load(self, progress: DownloadProgress) -> ModelLoaded:
        start_s = time.monotonic()
        self._device = chosen_device(self._options.device)
        if self._device.type == "cpu":
            zm.keep_freed_memory()
        try:
            with memory_advice("Loading the model", self._device):
                self._model = zm.load_model(
                    self._options.model,
                    device=self._device,
                    accept_licence=self._options.accept_licence,
                    progress=progress,
                )
        except (zm.CheckpointError, OSError) as error:
            raise EngineError(str(error)) from error
        config = self._model.config
        if self._device.type == "cpu":
            choose_threads(config)
        if config.can_stream:
            is_shared = shares_frames(config, self._device)
            self._session = (zm.LookaheadSession if is_shared else zm.StreamingSession)(self._model)
        return ModelLoaded(
            self._options.model, str(self._device), config.can_query, time.monotonic() - start_s
        )

    @property
    def can_rewind(self) -> bool:
        return self._session is not None

    @property
    def can_query(self) -> bool:
        return self._loaded.config.can_query

    def reset(self) -> None:
        self._memory = _SceneMemory()
        has_assist = self._tracking.has_assist and self._session is not None
        self._assist = TrackingAssist() if has_assist else None
        self._upcoming.forget()
        if self._session is not None:
            self._session.reset()

    def set_packing(self, options: PackingOptions) -> None:
        self._packing = options

    def set_tracking(self, options: TrackingOptions) -> None:
        self._tracking = options

    def prepare(self, frame: SourceFrame, n_dropped: int) -> FrameInput:
        wait_ms = (time.monotonic() - frame.capture_time_s) * 1000
        announced = self._upcoming.taken(frame, wait_ms, n_dropped)
        if announced is not None:
            return announced
        framed = zm.frame_from_rgb(frame.rgb, self._loaded.config, self._memory.size_hw)
        fov_deg = self._tracking.fov_deg
        fov_x_rad = frame.fov_x_rad if fov_deg is None else math.radians(fov_deg)
        return FrameInput(
            frame_index=frame.frame_index,
            timestamp_s=frame.timestamp_s,
            capture_time_s=frame.capture_time_s,
            name=frame.name,
            rgb=picture_from_image(framed.image),
            wait_ms=wait_ms,
            n_dropped=n_dropped,
            grey=None if self._assist is None else tracked_picture(frame.rgb, framed),
            focal_px=None if fov_x_rad is None else focal_from_fov(fov_x_rad, frame.rgb.shape[1], framed),
        )

    @property
    def looks_ahead(self) -> bool:
        # A window wants all its frames at once.
        return isinstance(self._session, zm.LookaheadSession) and self._window == 1

    def announce(self, frame: SourceFrame) -> None:
        if self.looks_ahead and self._memory.size_hw:  # the first frame of a scene decides the size of all
            with suppress(Exception):  # whatever is wrong with the frame is told in its own turn
                self._upcoming.announce(frame, self.prepare(frame, 0))

    def step(self, frame: FrameInput) -> Sequence[FrameResult]:
        memory = self._memory
        size_hw = (frame.rgb.shape[0], frame.rgb.shape[1])
        self._memory = replace(memory, waiting=(*memory.waiting, frame), size_hw=size_hw)
        if self._session is None or len(self._memory.waiting) < self._window:
            return ()
        return self._infer_waiting()

    def finish(self) -> Sequence[FrameResult]:
        waiting = self._memory.waiting
        if not waiting:
            return ()
        if self._session is None:
            size_hw = (waiting[0].rgb.shape[0], waiting[0].rgb.shape[1])
            check_offline_fits(self._loaded, len(waiting), size_hw, self._device)
        return self._infer_waiting()

    def snapshot(self) -> EngineSnapshot:
        """A reference on a CPU, where states are shared; a copy in host memory from a GPU."""
        return self._moved("cpu")

    def restore(self, snapshot: EngineSnapshot) -> None:
        assert isinstance(snapshot, _SceneMemory)
        self._upcoming.forget()
        self._memory = snapshot
        self._memory = self._moved(self._device)
        if self._session is not None:
            scene = self._memory.scene
            self._session.state = None if scene is None else scene.state

    @property
    def scene(self) -> ZipMapScene | None:
        return self._memory.scene

    def query(self, request: QueryRequest, scene: Scene | None) -> QueryResult:
        if not self.can_query:
            raise EngineError(
                f"The model {self._options.model} cannot answer queries: use the bundled or a state-query model."
            )
        if scene is None:
            raise EngineError("There is no scene to ask yet: reconstruct at least one frame first.")
        assert isinstance(scene, ZipMapScene)
        return scenes.answer(self._loaded, self._device, request, scene.state)

    def save_scene(self, scene: Scene, path: Path) -> None:
        assert isinstance(scene, ZipMapScene)
        scenes.save_scene(scene, path)

    def open_scene(self, path: Path) -> Scene:
        return scenes.open_scene(path, self._loaded, self._device)

    def views_at_once(self, pictures: Sequence[np.ndarray], breathe: Breathe) -> tuple[Sequence[View], Scene]:
        model = self._loaded
        if isinstance(self._session, zm.LookaheadSession):
            self._session.settle()  # ``breathing`` must be told of this run only
        images = torch.stack([self._image(picture) for picture in pictures])
        size_hw = (images.shape[2], images.shape[3])
        advice = "keep fewer keyframes, or close other programs"
        check_offline_fits(model, len(images), size_hw, self._device, advice)
        with (
            memory_advice(f"Running over {len(images)} frames together", self._device),
            breathing(model, len(images), breathe),
            torch.no_grad(),
            zm.autocast_for(self._device),
        ):
            prediction = model(images[None].to(self._device), window=0)
            views, _ = views_on_host(prediction, None)
        return views, ZipMapScene(prediction.state, views[-1].intrinsics, size_hw)

    def close(self) -> None:
        if isinstance(self._session, zm.LookaheadSession):
            self._session.close()

    def assisted(
        self, views: Sequence[View], pictures: Sequence[TrackedPicture], breathe: Breathe
    ) -> Sequence[View]:
        if self._assist is None:
            return views
        state, corrected = None, []
        for index, (view, picture) in enumerate(zip(views, pictures, strict=True)):
            breathe(index / len(views))
            step = self._assist.correct(view, picture.grey, picture.focal_px, state)
            state = step.state
            corrected.append(step.view)
        return corrected

    @property
    def _loaded(self) -> zm.ZipMap:
        if self._model is None:
            raise EngineError("The model is not loaded.")
        return self._model

    @property
    def _window(self) -> int:
        return self._options.window or self._loaded.config.default_window or 1

    def _moved(self, device: torch.device | str) -> _SceneMemory:
        memory = self._memory
        if memory.scene is None:
            return memory
        return replace(memory, scene=replace(memory.scene, state=memory.scene.state.to(device)))

    def _image(self, picture: np.ndarray) -> Tensor:
        """A picture for this model: as it is if it came from ``prepare``, else brought to the model's size."""
        config = self._loaded.config
        size_hw = (picture.shape[0], picture.shape[1])
        if size_hw == self._memory.size_hw:
            return image_from_picture(picture)
        return zm.frame_from_rgb(picture, config).image

    def _infer_waiting(self) -> list[FrameResult]:
        """Run the model over the waiting frames, one update for all of them."""
        batch = self._memory.waiting
        start_s = time.monotonic()
        images = [self._upcoming.image_of(frame.rgb) for frame in batch]
        with memory_advice(f"Reconstructing {len(batch)} frame(s)", self._device):
            prediction = self._predict(images)
            views, world_from_first = views_on_host(prediction, self._memory.world_from_first)
        views, notices = self._assisted(batch, views)
        size_hw = (images[0].shape[1], images[0].shape[2])
        self._memory = replace(
            self._memory,
            scene=ZipMapScene(prediction.state, views[-1].intrinsics, size_hw),
            waiting=(),
            world_from_first=world_from_first,
        )
        infer_ms = (time.monotonic() - start_s) * 1000 / len(batch)
        return [
            self._result(frame, view, infer_ms, notice)
            for frame, view, notice in zip(batch, views, notices, strict=True)
        ]

    def _assisted(
        self, batch: Sequence[FrameInput], views: list[View]
    ) -> tuple[list[View], list[str | None]]:
        """The views with tracked cameras and steadied depth, and what the user should know with each."""
        if self._assist is None:
            return views, [None] * len(views)
        steps = []
        for frame, view in zip(batch, views, strict=True):
            if frame.grey is None:
                return views, [None] * len(views)  # an input that was not made by ``prepare``
            step = self._assist.correct(view, frame.grey, frame.focal_px, self._memory.assist)
            self._memory = replace(self._memory, assist=step.state)
            steps.append(step)
        return [step.view for step in steps], [step.notice for step in steps]

    def _predict(self, images: Sequence[Tensor]) -> zm.Prediction:
        if isinstance(self._session, zm.LookaheadSession) and len(images) == 1:
            return self._session.step(images[0], self._upcoming.image)
        together = torch.stack([*images])
        if self._session is not None:
            return self._session.step(together)
        with torch.no_grad(), zm.autocast_for(self._device):
            return self._loaded(together[None].to(self._device), window=self._options.window or 0)

    def _result(self, frame: FrameInput, view: View, infer_ms: float, notice: str | None) -> FrameResult:
        position, keyframe = self._memory.n_results, self._memory.keyframe
        is_new = is_keyframe(self._options.keyframes, keyframe, position, view.world_from_camera)
        if is_new:
            keyframe = Keyframe(position, view.world_from_camera, median_depth(view.depth))
        self._memory = replace(self._memory, n_results=position + 1, keyframe=keyframe)
        return result_from_view(
            frame,
            view,
            self._packing,
            position=position,
            is_keyframe=is_new,
            infer_ms=infer_ms,
            notice=notice,
        )
