"""Questions to a scene state and their answers. Conventions as in ``messages``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zipmap_app.state.points import seal

LIVE_STATE = 0  # ``state_id`` of the scene that is being reconstructed; opened and forked ones count from 1


@dataclass(frozen=True, slots=True, eq=False)
class QueryRequest:
    """Ask a scene state what a camera at a new pose would see."""

    query_id: int
    world_from_camera: np.ndarray  # (4, 4) float64
    intrinsics: np.ndarray  # (3, 3) float64, pixels of an image of ``size_hw``
    size_hw: tuple[int, int]
    state_id: int = LIVE_STATE

    def __post_init__(self) -> None:
        if self.world_from_camera.shape != (4, 4):
            raise ValueError(f"world_from_camera: want (4, 4), got {self.world_from_camera.shape}")
        seal(self.world_from_camera, self.intrinsics)


@dataclass(frozen=True, slots=True, eq=False)
class QueryResult:
    """The answer to one QueryRequest. Arrays are read-only."""

    query_id: int
    n_frames_in_state: int  # how many frames the state held when it answered
    rgb: np.ndarray  # (H, W, 3) uint8
    depth: np.ndarray  # (H, W) float32
    confidence: np.ndarray  # (H, W) float32
    latency_ms: float
    world_from_camera: np.ndarray  # (4, 4) float64, as asked
    intrinsics: np.ndarray  # (3, 3) float64, pixels of ``rgb``
    state_id: int = LIVE_STATE

    def __post_init__(self) -> None:
        seal(self.rgb, self.depth, self.confidence, self.world_from_camera, self.intrinsics)
