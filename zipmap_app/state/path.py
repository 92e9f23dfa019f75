"""The camera path of the run."""

from __future__ import annotations

import numpy as np

from zipmap_app.state.event import Event


class CameraPath:
    """One ``world_from_camera`` per processed frame, in the order they were processed. GUI thread only."""

    def __init__(self) -> None:
        self.appended: Event[[]] = Event()
        self.changed: Event[[]] = Event()  # truncated, or other cameras
        self.cleared: Event[[]] = Event()
        self._poses = np.empty((64, 4, 4))
        self._frame_indices: list[int] = []
        self._timestamps_s: list[float] = []

    def __len__(self) -> int:
        return len(self._frame_indices)

    @property
    def world_from_camera(self) -> np.ndarray:
        """(N, 4, 4) float64 view, OpenCV axes."""
        view = self._poses[: len(self)]
        view.setflags(write=False)
        return view

    @property
    def frame_indices(self) -> tuple[int, ...]:
        return tuple(self._frame_indices)

    @property
    def timestamps_s(self) -> tuple[float, ...]:
        """Media time of each frame."""
        return tuple(self._timestamps_s)

    def append(self, frame_index: int, timestamp_s: float, world_from_camera: np.ndarray) -> None:
        if world_from_camera.shape != (4, 4):
            raise ValueError(f"world_from_camera: want (4, 4), got {world_from_camera.shape}")
        if len(self) == len(self._poses):
            # Doubling keeps the cost of a long stream linear.
            self._poses = np.concatenate([self._poses, np.empty_like(self._poses)])
        self._poses[len(self)] = world_from_camera
        self._frame_indices.append(frame_index)
        self._timestamps_s.append(timestamp_s)
        self.appended.emit()

    def truncate(self, n_frames: int) -> None:
        """Keep the first ``n_frames`` cameras."""
        del self._frame_indices[n_frames:]
        del self._timestamps_s[n_frames:]
        self.changed.emit()

    def set_cameras(self, world_from_camera: np.ndarray) -> None:
        """Give every frame another camera, (N, 4, 4)."""
        if world_from_camera.shape != (len(self), 4, 4):
            raise ValueError(f"want {len(self)} cameras, got {world_from_camera.shape}")
        self._poses[: len(self)] = world_from_camera
        self.changed.emit()

    def clear(self) -> None:
        self._frame_indices.clear()
        self._timestamps_s.clear()
        self.cleared.emit()
