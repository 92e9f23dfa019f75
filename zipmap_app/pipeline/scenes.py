"""Scene states that answer questions, and their files."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

import zipmap_model as zm
from zipmap_app.pipeline.devices import memory_advice
from zipmap_app.pipeline.engine import EngineError
from zipmap_app.state.queries import QueryRequest, QueryResult

_CAMERA_KEY = "camera"  # of the file's metadata: JSON with intrinsics and size_hw


@dataclass(frozen=True, slots=True, eq=False)
class ZipMapScene:
    """A scene state with the newest camera's lens, which is what a sensible question to it starts from."""

    state: zm.SceneState
    intrinsics: np.ndarray  # (3, 3) float64, pixels of ``size_hw``
    size_hw: tuple[int, int]

    @property
    def n_frames(self) -> int:
        return self.state.n_views

    @property
    def memory_bytes(self) -> int:
        return self.state.memory_bytes


def answer(
    model: zm.ZipMap, device: torch.device, request: QueryRequest, state: zm.SceneState
) -> QueryResult:
    """Ask a scene state of this model, which must be able to answer. Raises EngineError."""
    start_s = time.monotonic()
    size_hw = zm.model_size(*request.size_hw, model.config)
    intrinsics = _scaled_intrinsics(request.intrinsics, request.size_hw, size_hw)
    with memory_advice("The query", device), torch.no_grad(), zm.autocast_for(device):
        rays = zm.ray_conditions(
            torch.tensor(request.world_from_camera, dtype=torch.float32)[None, None],
            torch.tensor(intrinsics, dtype=torch.float32)[None, None],
            size_hw,
            zm.query_scale(state),
        )
        prediction = model.query(state, rays.to(device))
        rgb = (prediction.rgb[0, 0].float().clamp(0, 1) * 255).round().byte().cpu().numpy()
        depth = prediction.depth[0, 0].float().cpu().numpy()
        confidence = prediction.confidence[0, 0].float().cpu().numpy()
    return QueryResult(
        query_id=request.query_id,
        n_frames_in_state=state.n_views,
        rgb=rgb,
        depth=depth,
        confidence=confidence,
        latency_ms=(time.monotonic() - start_s) * 1000,
        world_from_camera=request.world_from_camera,
        intrinsics=intrinsics,
        state_id=request.state_id,
    )


def save_scene(scene: ZipMapScene, path: Path) -> None:
    """Write a scene as a scene state file that also tells the camera; complete or not at all."""
    camera = {"intrinsics": scene.intrinsics.tolist(), "size_hw": list(scene.size_hw)}
    scene.state.save(path, extra={_CAMERA_KEY: json.dumps(camera)})


def open_scene(path: Path, model: zm.ZipMap, device: torch.device) -> ZipMapScene:
    """Read what ``save_scene`` wrote. Raises EngineError for other files and for states of other models."""
    try:
        state = zm.SceneState.load(path, device)
        metadata = _metadata(path)
    except ValueError as error:
        raise EngineError(str(error)) from error
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EngineError(f"{path.name} cannot be read: {reason}; check the path.") from error
    if state.fingerprint != model.fingerprint():
        raise EngineError(
            f"{path.name} was made by another model than the one that is loaded, and only that model can read "
            "it: load the model that it was saved with."
        )
    try:
        camera = json.loads(metadata[_CAMERA_KEY])
        intrinsics = np.array(camera["intrinsics"], np.float64).reshape(3, 3)
        height, width = camera["size_hw"]
    except (KeyError, TypeError, ValueError):
        # A state that was saved without the application tells no camera: assume an ordinary lens.
        height, width = zm.model_size(3, 4, model.config)
        intrinsics = np.array([[width, 0, width / 2], [0, width, height / 2], [0, 0, 1.0]])
    return ZipMapScene(state, intrinsics, (int(height), int(width)))


def _metadata(path: Path) -> Mapping[str, str]:
    with safe_open(path, framework="pt") as file:
        return file.metadata() or {}


def _scaled_intrinsics(
    intrinsics: np.ndarray, from_hw: tuple[int, int], to_hw: tuple[int, int]
) -> np.ndarray:
    scale = np.diag([to_hw[1] / from_hw[1], to_hw[0] / from_hw[0], 1.0])
    scaled: np.ndarray = scale @ intrinsics
    return scaled
