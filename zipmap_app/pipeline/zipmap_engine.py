"""The engine for zipmap_model: the only module of the application that runs torch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import zipmap_model as zm
from zipmap_app.pipeline.devices import check_offline_fits, chosen_device, out_of_memory_advice
from zipmap_app.pipeline.engine import DownloadProgress, EngineError, RunOptions
from zipmap_app.pipeline.packing import pack_points
from zipmap_app.state.messages import FrameResult, FrameTimings, ModelLoaded, SourceFrame
from zipmap_app.state.queries import QueryRequest, QueryResult

_FOV_RANGE_RAD = (0.01, 3.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A frame that waits for its window to fill, ready for the model."""

    frame: SourceFrame
    image: Tensor  # (3, H, W) in [0, 1], CPU
    wait_ms: float
    n_dropped: int


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
        self._state: zm.SceneState | None = None
        self._size_hw: tuple[int, int] | None = None
        self._waiting: list[_Waiting] = []
        self._n_results = 0
        # Later views are told relative to the first, as queries and viewers expect.
        self._world_from_first: np.ndarray | None = None

    def load(self, progress: DownloadProgress) -> ModelLoaded:
        start_s = time.monotonic()
        self._device = chosen_device(self._options.device)
        if self._device.type == "cpu":
            zm.keep_freed_memory()
        try:
            with _memory_advice("Loading the model", self._device):
                self._model = zm.load_model(
                    self._options.model,
                    device=self._device,
                    accept_licence=self._options.accept_licence,
                    progress=progress,
                )
        except (zm.CheckpointError, OSError) as error:
            raise EngineError(str(error)) from error
        config = self._model.config
        self._session = zm.StreamingSession(self._model) if config.can_stream else None
        return ModelLoaded(
            self._options.model, str(self._device), config.can_query, time.monotonic() - start_s
        )

    def reset(self) -> None:
        self._state = None
        self._size_hw = None
        self._waiting = []
        self._n_results = 0
        self._world_from_first = None
        if self._session is not None:
            self._session.reset()

    def step(self, frame: SourceFrame, n_dropped: int) -> Sequence[FrameResult]:
        waiting = self._prepared(frame, n_dropped)
        self._waiting.append(waiting)
        if self._session is None or len(self._waiting) < self._window:
            return ()
        return self._infer_waiting()

    def finish(self) -> Sequence[FrameResult]:
        if not self._waiting:
            return ()
        if self._session is None:
            assert self._size_hw is not None
            check_offline_fits(self._loaded, len(self._waiting), self._size_hw, self._device)
        return self._infer_waiting()

    def query(self, request: QueryRequest) -> QueryResult:
        start_s = time.monotonic()
        model = self._loaded
        if not model.config.can_query:
            raise EngineError(
                f"The model {self._options.model} cannot answer queries: use the bundled or a state-query model."
            )
        if self._state is None:
            raise EngineError("There is no scene to ask yet: reconstruct at least one frame first.")
        size_hw = zm.model_size(*request.size_hw, model.config)
        intrinsics = _scaled_intrinsics(request.intrinsics, request.size_hw, size_hw)
        with _memory_advice("The query", self._device), torch.no_grad(), zm.autocast_for(self._device):
            rays = zm.ray_conditions(
                torch.tensor(request.world_from_camera, dtype=torch.float32)[None, None],
                torch.tensor(intrinsics, dtype=torch.float32)[None, None],
                size_hw,
                zm.query_scale(self._state),
            )
            answer = model.query(self._state, rays.to(self._device))
            rgb = (answer.rgb[0, 0].float().clamp(0, 1) * 255).round().byte().cpu().numpy()
            depth = answer.depth[0, 0].float().cpu().numpy()
            confidence = answer.confidence[0, 0].float().cpu().numpy()
        return QueryResult(
            query_id=request.query_id,
            n_frames_in_state=self._state.n_views,
            rgb=rgb,
            depth=depth,
            confidence=confidence,
            latency_ms=(time.monotonic() - start_s) * 1000,
            world_from_camera=request.world_from_camera,
            intrinsics=intrinsics,
        )

    @property
    def state(self) -> zm.SceneState | None:
        """The scene after the newest update; never modified in place."""
        return self._state

    @property
    def _loaded(self) -> zm.ZipMap:
        if self._model is None:
            raise EngineError("The model is not loaded.")
        return self._model

    @property
    def _window(self) -> int:
        return self._options.window or self._loaded.config.default_window or 1

    def _prepared(self, frame: SourceFrame, n_dropped: int) -> _Waiting:
        wait_ms = (time.monotonic() - frame.capture_time_s) * 1000
        framed = zm.frame_from_rgb(frame.rgb, self._loaded.config, self._size_hw)
        self._size_hw = (framed.image.shape[1], framed.image.shape[2])
        return _Waiting(frame, framed.image, wait_ms, n_dropped)

    def _infer_waiting(self) -> list[FrameResult]:
        """Run the model over the waiting frames, one update for all of them."""
        batch, self._waiting = self._waiting, []
        start_s = time.monotonic()
        images = torch.stack([waiting.image for waiting in batch])
        with _memory_advice(f"Reconstructing {len(batch)} frame(s)", self._device):
            prediction = self._predict(images)
            views = self._views_on_host(prediction)
        self._state = prediction.state
        infer_ms = (time.monotonic() - start_s) * 1000 / len(batch)
        return [self._result(waiting, view, infer_ms) for waiting, view in zip(batch, views, strict=True)]

    def _predict(self, images: Tensor) -> zm.Prediction:
        if self._session is not None:
            return self._session.step(images)
        with torch.no_grad(), zm.autocast_for(self._device):
            return self._loaded(images[None].to(self._device), window=self._options.window or 0)

    def _views_on_host(self, prediction: zm.Prediction) -> Iterator[_View]:
        """The views of a prediction as NumPy, cameras relative to the scene's first view."""
        if prediction.pose_encoding is None:
            raise EngineError(f"The model {self._options.model} predicts no cameras; choose another one.")
        size_hw = (prediction.depth.shape[-2], prediction.depth.shape[-1])
        pose_encoding = prediction.pose_encoding[0].float().cpu().double()
        # The published heads can answer a field of view of zero (a black picture, say): an infinite focal length.
        pose_encoding[..., 7:].clamp_(*_FOV_RANGE_RAD)
        camera_from_world, intrinsics = zm.cameras_from_pose_encoding(pose_encoding, size_hw)
        poses = zm.invert_rigid(camera_from_world).numpy()
        if not np.isfinite(poses).all() or not torch.isfinite(intrinsics).all():
            raise EngineError(
                "The model's cameras are not finite numbers any more: the scene cannot go on; start it again."
            )
        if self._world_from_first is None:
            self._world_from_first = poses[0].copy()
        first_from_world = np.linalg.inv(self._world_from_first)
        depth = prediction.depth[0].float().cpu().numpy()
        confidence = prediction.depth_confidence[0].float().cpu().numpy()
        return (
            _View(first_from_world @ pose, k, d, c)
            for pose, k, d, c in zip(poses, intrinsics.numpy(), depth, confidence, strict=True)
        )

    def _result(self, waiting: _Waiting, view: _View, infer_ms: float) -> FrameResult:
        start_s = time.monotonic()
        rgb = (waiting.image.permute(1, 2, 0) * 255).round().byte().numpy()
        points = pack_points(
            view.depth,
            view.confidence,
            rgb,
            view.world_from_camera,
            view.intrinsics,
            self._packing,
            self._n_results,
        )
        position, self._n_results = self._n_results, self._n_results + 1
        frame = waiting.frame
        return FrameResult(
            frame_index=frame.frame_index,
            timestamp_s=frame.timestamp_s,
            capture_time_s=frame.capture_time_s,
            name=frame.name,
            points=points,
            world_from_camera=view.world_from_camera,
            intrinsics=view.intrinsics,
            rgb=rgb,
            depth=view.depth,
            confidence=view.confidence,
            timings=FrameTimings(waiting.wait_ms, infer_ms, (time.monotonic() - start_s) * 1000),
            n_dropped=waiting.n_dropped,
            position=position,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """What the model says about one view, on the host."""

    world_from_camera: np.ndarray  # (4, 4) float64
    intrinsics: np.ndarray  # (3, 3) float64
    depth: np.ndarray  # (H, W) float32
    confidence: np.ndarray  # (H, W) float32


def _scaled_intrinsics(
    intrinsics: np.ndarray, from_hw: tuple[int, int], to_hw: tuple[int, int]
) -> np.ndarray:
    scale = np.diag([to_hw[1] / from_hw[1], to_hw[0] / from_hw[0], 1.0])
    return scale @ intrinsics


@contextmanager
def _memory_advice(what: str, device: torch.device) -> Iterator[None]:
    """Turn running out of memory into a sentence, and give back what can be given back."""
    try:
        yield
    except (torch.cuda.OutOfMemoryError, MemoryError) as error:
        if device.type == "cuda":
            torch.cuda.empty_cache()
        raise EngineError(out_of_memory_advice(what, device)) from error
    except RuntimeError as error:
        # The CPU and MPS allocators say so in words only.
        if "not enough memory" in str(error) or "out of memory" in str(error):
            raise EngineError(out_of_memory_advice(what, device)) from error
        raise
