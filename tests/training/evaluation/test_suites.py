"""Sequences for evaluation and the tables made from them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.evaluate import evaluate_suite, judge
from training.evaluation.estimates import (
    constant_depth,
    model_estimate,
    offline_estimate,
    static_camera,
    straight_line,
)
from training.evaluation.report import Row, json_text, markdown_table, mean_row
from training.evaluation.suites import load_real_sequence, real_sequences
from zipmap_model import MODEL_CONFIGS, ZipMap, load_model

_CONFIG = MODEL_CONFIGS["bundled"]
_SHARED = Path(__file__).resolve().parents[4] / "shared" / "real"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sequence of three grey frames, 320 x 240, with depth of 1 m left and 2 m right of the middle."""
    root = tmp_path / "grey"
    (root / "frames").mkdir(parents=True)
    (root / "depth").mkdir()
    depth = np.full((240, 320), 1000, np.uint16)
    depth[:, 160:] = 2000
    for i in range(3):
        Image.new("RGB", (320, 240), (100 + i, 100, 100)).save(root / "frames" / f"{i:06d}.png")
        Image.fromarray(depth).save(root / "depth" / f"{i:06d}.png")
    K = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])
    cameras = np.tile(np.eye(4), (3, 1, 1))
    cameras[:, 0, 3] = np.arange(3)
    np.savez(root / "poses.npz", c2w=cameras, K=K)
    (root / "meta.json").write_text(json.dumps({"name": "grey"}))
    return root


def test_a_folder_is_read_at_the_models_size(folder: Path) -> None:
    sequence = load_real_sequence(folder, _CONFIG)
    assert sequence.name == "grey"
    assert sequence.images.shape == (3, 3, 144, 192)
    assert sequence.depth is not None
    assert sequence.intrinsics is not None
    assert (sequence.depth[:, :, :96] == 1).all()
    assert (sequence.depth[:, :, 96:] == 2).all()
    assert sequence.intrinsics[0, 0, 0].item() == pytest.approx(180)
    assert sequence.intrinsics[0, 0, 2].item() == pytest.approx(96)


def test_depth_with_intrinsics_of_its_own_is_looked_up_along_the_ray(folder: Path) -> None:
    truth = dict(np.load(folder / "poses.npz"))
    shifted = truth["K"].copy()
    shifted[0, 2] -= 40
    np.savez(folder / "poses.npz", **truth, K_depth=shifted)
    sequence = load_real_sequence(folder, _CONFIG)
    assert sequence.depth is not None
    assert (sequence.depth[:, :, 24:119] == 1).all()
    assert (sequence.depth[:, :, 121:] == 2).all()
    assert (sequence.depth[:, :, :23] == 0).all()


def test_baselines_get_what_they_deserve(folder: Path) -> None:
    sequence = load_real_sequence(folder, _CONFIG)
    constant = judge("s", "constant", sequence, constant_depth(sequence.images))
    assert constant.depth is not None
    assert constant.depth.abs_rel_frame == pytest.approx(0.25, abs=0.01) or constant.depth.abs_rel_frame == (
        pytest.approx(0.5, abs=0.01)
    )
    assert constant.cameras is None
    line = judge("s", "line", sequence, straight_line(sequence.images))
    still = judge("s", "still", sequence, static_camera(sequence.images))
    assert line.cameras is not None
    assert still.cameras is not None
    assert line.cameras.ate_percent == pytest.approx(0, abs=1e-4)
    assert still.cameras.ate_percent > 30


def test_the_model_is_judged_beside_the_baselines(folder: Path) -> None:
    torch.manual_seed(0)
    model = ZipMap(_CONFIG).eval()
    rows = evaluate_suite("grey", [load_real_sequence(folder, _CONFIG)], model)
    assert [row.estimator for row in rows] == [
        "model",
        "model, offline",
        "constant depth",
        "static camera",
        "straight line",
    ]
    assert rows[0].depth is not None
    assert rows[0].cameras is not None
    table = markdown_table(rows)
    assert len(table.splitlines()) == 7
    assert "| grey | model |" in table


def test_streaming_and_offline_agree_on_one_frame_and_differ_on_more() -> None:
    model = load_model("bundled", "cpu")
    images = torch.rand(3, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    for n_frames, agree in ((1, True), (3, False)):
        streamed = model_estimate(model, images[:n_frames])
        offline = offline_estimate(model, images[:n_frames])
        assert streamed.depth is not None
        assert offline.depth is not None
        assert streamed.depth.shape == offline.depth.shape == (n_frames, 48, 64)
        assert torch.allclose(streamed.depth, offline.depth, rtol=1e-3) is agree


def test_means_leave_out_what_is_not_defined() -> None:
    from training.evaluation.metrics import CameraErrors

    rows = [
        Row("s", "m", cameras=CameraErrors(1, 1, math.nan, 2, 3)),
        Row("s", "m", cameras=CameraErrors(3, 1, 4, 2, 3)),
    ]
    mean = mean_row("s", "m", rows)
    assert mean.cameras is not None
    assert mean.cameras.rotation_mean_deg == 2
    assert mean.cameras.rotation_10_deg == 4
    assert mean.depth is None
    assert json.loads(json_text(rows))[0]["cameras"]["rotation_10_deg"] is None


@pytest.mark.skipif(not _SHARED.is_dir(), reason="the real sequences are not part of the repository")
def test_a_real_sequence_is_read() -> None:
    sequence = load_real_sequence(_SHARED / "motorcycle_stereo", _CONFIG)
    assert sequence.depth is not None
    assert (sequence.depth[0] > 0).float().mean() > 0.5
    assert sequence.world_from_camera is not None
    assert sequence.world_from_camera.shape == (2, 4, 4)


def test_a_folder_without_sequences_gives_none(tmp_path: Path) -> None:
    assert real_sequences(tmp_path, _CONFIG) == []
