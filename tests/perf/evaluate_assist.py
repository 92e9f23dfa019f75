"""What the tracking assist changes on real sequences, beside classical odometry and trivial baselines.

``python tests/perf/evaluate_assist.py FOLDER [--json FILE]`` takes every sequence with meta.json, frames/ and
poses.npz (see training/evaluation/suites.py) and prints a Markdown table: about a second a frame on two cores.

A corner more or less sends a path another way, so every row with the assist is the mean of seven runs with 145 to
175 corners. "Looked back" is what files and Finalise get: the same cameras, depth refined by later frames too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

# As zipmap_app.threads.calm_libraries does, before torch and NumPy are loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch

from training.evaluation.estimates import straight_line
from training.evaluation.metrics import CameraErrors, DepthErrors, camera_errors, depth_errors
from training.evaluation.report import Row, json_text, markdown_table
from training.evaluation.suites import EvalSequence, load_real_sequence
from zipmap_app.pipeline.assist.stage import AssistOptions, TrackingAssist
from zipmap_app.pipeline.engine import FrameInput, View
from zipmap_app.pipeline.hindsight import look_back
from zipmap_app.pipeline.options import RunOptions
from zipmap_app.pipeline.zipmap_engine import ZipMapEngine
from zipmap_app.sources.opencv import cv2
from zipmap_app.sources.pictures import fov_from_picture, rgb_from_picture
from zipmap_app.state.messages import SourceFrame
from zipmap_model import MODEL_CONFIGS

_CORNERS = range(145, 176, 5)


@dataclass(frozen=True, slots=True, eq=False)
class Streamed:
    """One sequence as the application sees it."""

    inputs: list[FrameInput]
    views: list[View]  # by the model alone
    assist_ms: list[float]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", help="names of sequences")
    parser.add_argument("--json", type=Path, help="write the same numbers for programs")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(2)
    rows: list[Row] = []
    assist_ms: list[float] = []
    for root in sorted(path.parent for path in arguments.folder.glob("*/poses.npz")):
        truth = load_real_sequence(root, MODEL_CONFIGS["bundled"])
        if truth.world_from_camera is None or (arguments.only and truth.name not in arguments.only):
            continue
        streamed = stream(root, len(truth.images))
        rows += sequence_rows(truth, streamed)
        assist_ms += streamed.assist_ms
        sys.stderr.write(f"{truth.name} done\n")
    sys.stdout.write(markdown_table(rows) + "\n")
    if assist_ms:
        p95 = sorted(assist_ms)[int(0.95 * (len(assist_ms) - 1))]
        sys.stdout.write(
            f"\nAssist: median {statistics.median(assist_ms):.1f} ms, p95 {p95:.1f} ms a frame.\n"
        )
    if arguments.json:
        arguments.json.write_text(json_text(rows))
    return 0


def stream(root: Path, n_frames: int) -> Streamed:
    """Run the application's engine over the pictures of a folder."""
    # The assist is on for what ``prepare`` makes, and applied by the caller.
    preparing = ZipMapEngine(RunOptions(device="cpu", assist=True))
    plain = ZipMapEngine(RunOptions(device="cpu", assist=False))
    for engine in (preparing, plain):
        engine.load(lambda done, total: None)
        engine.reset()
    inputs, views = [], []
    for index, path in enumerate(sorted((root / "frames").iterdir())[:n_frames]):
        rgb = rgb_from_picture(path)
        fov_x_rad = fov_from_picture(path, (rgb.shape[0], rgb.shape[1]))
        source_frame = SourceFrame(index, float(index), time.monotonic(), rgb, path.name, fov_x_rad)
        frame = preparing.prepare(source_frame, 0)
        (result,) = plain.step(frame)
        inputs.append(frame)
        views.append(View(result.world_from_camera, result.intrinsics, result.depth, result.confidence))
    return Streamed(inputs, views, [])


def assisted(streamed: Streamed, focal_px: float | None, n_corners: int = 160) -> list[View]:
    """The views after the assist."""
    assist, state, views = TrackingAssist(AssistOptions(n_corners=n_corners)), None, []
    for frame, view in zip(streamed.inputs, streamed.views, strict=True):
        assert frame.grey is not None
        start_s = time.perf_counter()
        step = assist.correct(view, frame.grey, focal_px, state)
        streamed.assist_ms.append((time.perf_counter() - start_s) * 1000)
        state = step.state
        views.append(step.view)
    return views


def sequence_rows(truth: EvalSequence, streamed: Streamed) -> list[Row]:
    """All estimators on one sequence."""
    assert truth.world_from_camera is not None
    assert truth.intrinsics is not None
    K = truth.intrinsics.double().numpy()
    cameras = truth.world_from_camera.double().numpy()
    lengths = np.linalg.norm(np.diff(cameras[:, :3, 3], axis=0), axis=1)
    rows = [
        _row(truth, "network alone", streamed.views),
        *_assisted_rows(truth, "field of view unknown", streamed, None),
        *_assisted_rows(truth, "true field of view", streamed, float(K[0, 0, 0])),
    ]
    told_px = streamed.inputs[0].focal_px
    if told_px is not None:
        rows += _assisted_rows(truth, "field of view from EXIF", streamed, told_px)
    n = len(streamed.views)
    others: list[tuple[str, np.ndarray]] = [
        ("LK + essential matrix, true K, equal steps", odometry(streamed.inputs, K, np.ones(n - 1))),
        ("LK + essential matrix, true K, true steps", odometry(streamed.inputs, K, lengths)),
        ("straight line", straight_line(truth.images).world_from_camera.double().numpy()),
        ("static camera", np.tile(np.eye(4), (n, 1, 1))),
    ]
    return rows + [
        Row(truth.name, name, cameras=camera_errors(torch.from_numpy(poses), truth.world_from_camera))
        for name, poses in others
    ]


def _assisted_rows(truth: EvalSequence, lens: str, streamed: Streamed, focal_px: float | None) -> list[Row]:
    """With the assist, and looked back over afterwards where there is depth to compare."""
    name = f"with assist, {lens}"
    runs = [assisted(streamed, focal_px, n_corners) for n_corners in _CORNERS]
    rows = [_mean([_row(truth, name, views) for views in runs])]
    if truth.depth is not None:
        back = [_row(truth, f"{name}, looked back", _looked_back(streamed, views)) for views in runs]
        rows.append(replace(_mean(back), cameras=None))
    return rows


def _looked_back(streamed: Streamed, views: list[View]) -> list[View]:
    better = dict(look_back(len(views), lambda index: (views[index], streamed.inputs[index].rgb)))
    return [better[index] for index in range(len(views))]


def _mean(rows: Sequence[Row]) -> Row:
    """Field by field."""
    depths = [row.depth for row in rows if row.depth is not None]
    cameras = [row.cameras for row in rows if row.cameras is not None]
    return replace(
        rows[0],
        depth=DepthErrors(*np.mean([astuple(d) for d in depths], axis=0).tolist()) if depths else None,
        cameras=CameraErrors(*np.mean([astuple(c) for c in cameras], axis=0).tolist()) if cameras else None,
    )


def _row(truth: EvalSequence, name: str, views: list[View]) -> Row:
    depth = None
    if truth.depth is not None:
        depth = depth_errors(torch.from_numpy(np.stack([view.depth for view in views])), truth.depth)
    poses = torch.from_numpy(np.stack([view.world_from_camera for view in views]))
    assert truth.world_from_camera is not None
    return Row(truth.name, name, depth=depth, cameras=camera_errors(poses, truth.world_from_camera))


def odometry(inputs: Sequence[FrameInput], K: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """OpenCV's corners, flow and essential matrix between neighbours, on the pictures that the assist tracks.

    Monocular steps have no length of their own: they are given. (S, 4, 4) world_from_camera.
    """
    poses = [np.eye(4)]
    for index, length in enumerate(lengths):
        before, after = inputs[index].grey, inputs[index + 1].grey
        assert before is not None
        assert after is not None
        scale = before.shape[1] / inputs[index].rgb.shape[1]
        step = _essential_step(before, after, K[index] * np.array([[scale], [scale], [1.0]]))
        step[:3, 3] *= length
        poses.append(poses[-1] @ step)
    return np.stack(poses)


def _essential_step(before: np.ndarray, after: np.ndarray, K: np.ndarray) -> np.ndarray:
    """previous_from_next (4, 4), its translation of length one, or the identity where nothing is found."""
    step = np.eye(4)
    start = cv2.goodFeaturesToTrack(before, 400, 0.005, 5)
    flow: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]] = cv2.calcOpticalFlowPyrLK
    there, found, _ = flow(before, after, start, None, winSize=(15, 15), maxLevel=4)
    back, found_back, _ = flow(after, before, there, None, winSize=(15, 15), maxLevel=4)
    distance = np.linalg.norm(back - start, axis=-1)[:, 0]
    is_good = (found[:, 0] == 1) & (found_back[:, 0] == 1) & (distance < 0.7)
    if is_good.sum() < 8:
        return step
    first, second = start[is_good], there[is_good]
    essential, mask = cv2.findEssentialMat(first, second, K, cv2.RANSAC, 0.999, 0.7)
    if essential is None or essential.shape != (3, 3):
        return step
    _, rotation, direction, _ = cv2.recoverPose(essential, first, second, K, mask=mask)
    step[:3, :3], step[:3, 3] = rotation, direction[:, 0]
    return np.linalg.inv(step)


if __name__ == "__main__":
    sys.exit(main())
