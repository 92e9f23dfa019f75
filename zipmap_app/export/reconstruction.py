"""The files of one headless run, written while the results come: memory does not grow with the frames."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from zipmap_app.export.npz import ArraySpool, write_npz
from zipmap_app.export.ply import PlyWriter
from zipmap_app.export.trajectory import tum_line
from zipmap_app.pipeline.engine import View
from zipmap_app.state.messages import FrameResult


class ReconstructionWriter:
    """Writes cloud.ply, trajectory.txt, predictions.npz and summary.json into a folder."""

    def __init__(self, folder: Path, *, defers_cloud: bool = False) -> None:
        """``defers_cloud``: points are not written as they come, because `write_cloud` will be called."""
        self._folder = folder
        self._defers_cloud = defers_cloud
        self._cloud = PlyWriter(folder / "cloud.ply")
        self._trajectory = (folder / "trajectory.txt").open("w", encoding="ascii")
        self._depth = ArraySpool(folder / "depth.spool", np.dtype("<f4"))
        self._confidence = ArraySpool(folder / "confidence.spool", np.dtype("<f4"))
        self._rgb = ArraySpool(folder / "rgb.spool", np.dtype(np.uint8))
        self._is_tracked: list[bool] = []
        self._has_points: list[bool] = []
        self._names: list[str] = []
        self._timestamps_s: list[float] = []
        self._cameras: list[np.ndarray] = []
        self._intrinsics: list[np.ndarray] = []

    @property
    def n_frames(self) -> int:
        return len(self._names)

    @property
    def n_points(self) -> int:
        return self._cloud.n_points

    def append(self, result: FrameResult) -> None:
        """Add one frame. Raises OSError when the disk is full, ValueError when the image size changes."""
        self._depth.append(result.depth)
        self._confidence.append(result.confidence)
        self._rgb.append(result.rgb)
        if not self._defers_cloud:
            self._cloud.append(result.points)
        self._trajectory.write(tum_line(result.timestamp_s, result.world_from_camera))
        self._names.append(result.name)
        self._timestamps_s.append(result.timestamp_s)
        self._cameras.append(result.world_from_camera)
        self._intrinsics.append(result.intrinsics)
        self._is_tracked.append(result.is_tracked)
        self._has_points.append(len(result.points) > 0)

    def view(self, index: int) -> tuple[View, np.ndarray]:
        """A frame as it was added or replaced, and its picture (H, W, 3) uint8."""
        view = View(
            self._cameras[index],
            self._intrinsics[index],
            self._depth[index],
            self._confidence[index],
            self._is_tracked[index],
        )
        return view, self._rgb[index]

    def has_points(self, index: int) -> bool:
        """Whether the frame came with points; not all do where only keyframes give some."""
        return self._has_points[index]

    def replace_depth(self, index: int, view: View) -> None:
        """Take a frame's depth and confidence from ``view``; its points are not touched."""
        self._depth[index] = view.depth
        self._confidence[index] = view.confidence

    def write_cloud(self, blocks: Iterable[np.ndarray]) -> None:
        """Write the deferred cloud, blocks of points (K,) POINT_DTYPE."""
        for points in blocks:
            self._cloud.append(points)

    def finish(self, summary: Mapping[str, object]) -> None:
        """Complete all files; the summary comes last. At least one frame must have been added."""
        self.close()
        arrays = {
            "frame_names": np.array(self._names),
            "timestamps_s": np.array(self._timestamps_s, np.float64),
            "world_from_camera": np.stack(self._cameras),
            "intrinsics": np.stack(self._intrinsics),
            "image_size": np.array(self._depth.shape[1:], np.int64),
        }
        spools = {"depth": self._depth, "depth_confidence": self._confidence}
        write_npz(self._folder / "predictions.npz", arrays, spools)
        for spool in (*spools.values(), self._rgb):
            spool.path.unlink()
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        (self._folder / "summary.json").write_text(text + "\n", encoding="utf-8")

    def close(self) -> None:
        """Let go of the files, complete or not; harmless twice."""
        self._cloud.close()
        self._trajectory.close()
        self._depth.close()
        self._confidence.close()
        self._rgb.close()
