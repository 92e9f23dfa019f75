"""Keyframes whose pictures stay, for whatever looks at the whole run once more."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zipmap_app.pipeline.engine import TrackedPicture, View
from zipmap_app.pipeline.keyframes import median_depth
from zipmap_app.pipeline.similarity import Similarity, similarity_from_cameras
from zipmap_app.state.messages import FrameResult


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """A keyframe of a stream with the tracking assist: what was tracked, and what came of it."""

    picture: TrackedPicture
    depth: np.ndarray  # (H, W) float32
    intrinsics: np.ndarray  # (3, 3) float64


@dataclass(frozen=True, slots=True, eq=False)
class KeptFrame:
    """One keyframe as it was streamed."""

    position: int
    rgb: np.ndarray  # (H, W, 3) uint8, as the model saw it
    world_from_camera: np.ndarray  # (4, 4) float64
    median_depth: float
    tracked: Tracked | None = None

    @property
    def picture_bytes(self) -> int:
        """Of the pictures, which the history of the run holds as well."""
        return self.rgb.nbytes + (0 if self.tracked is None else self.tracked.picture.grey.nbytes)

    @property
    def depth_bytes(self) -> int:
        return 0 if self.tracked is None else self.tracked.depth.nbytes


class KeptFrames:
    """At most so many keyframes, spread evenly over a run. Inference thread only.

    When there are too many, every second one goes, and of later ones only every second, fourth ... is taken.
    """

    def __init__(self, max_frames: int) -> None:
        self._max_frames = max_frames
        self._frames: tuple[KeptFrame, ...] = ()
        self._stride = 1
        self._n_keyframes = 0
        self._breaks: list[int] = []  # positions of frames that were not tracked from those before, in order

    @property
    def frames(self) -> tuple[KeptFrame, ...]:
        return self._frames

    def append(self, result: FrameResult, picture: TrackedPicture | None = None) -> None:
        """Keep a result if it is a keyframe whose turn it is."""
        if not result.is_tracked:
            self._breaks.append(result.position)
        if not result.is_keyframe:
            return
        if self._n_keyframes % self._stride == 0:
            depth = median_depth(result.depth)
            tracked = None if picture is None else Tracked(picture, result.depth, result.intrinsics)
            frame = KeptFrame(result.position, result.rgb, result.world_from_camera, depth, tracked)
            self._frames = (*self._frames, frame)
        self._n_keyframes += 1
        if len(self._frames) > self._max_frames:
            self._frames = self._frames[::2]
            self._stride *= 2

    def is_linked(self, frame: KeptFrame, later: KeptFrame) -> bool:
        """Whether tracking never broke on the way from one frame to a later one."""
        return bisect_right(self._breaks, frame.position) == bisect_right(self._breaks, later.position)

    def cut(self, n_frames: int) -> None:
        """Forget those that do not belong to the first ``n_frames`` frames."""
        self._frames = tuple(frame for frame in self._frames if frame.position < n_frames)
        self._n_keyframes = len(self._frames) * self._stride
        del self._breaks[bisect_left(self._breaks, n_frames) :]

    def copy(self) -> KeptFrames:
        """An independent one; the pictures are shared."""
        other = KeptFrames(self._max_frames)
        other._frames, other._stride, other._n_keyframes = self._frames, self._stride, self._n_keyframes
        other._breaks = list(self._breaks)
        return other


def similarity_onto(kept: Sequence[KeptFrame], views: Sequence[View]) -> Similarity:
    """From the world of ``views`` to that in which the same frames were streamed."""
    return similarity_from_cameras(
        [view.world_from_camera for view in views],
        [median_depth(view.depth) for view in views],
        [frame.world_from_camera for frame in kept],
        [frame.median_depth for frame in kept],
    )
