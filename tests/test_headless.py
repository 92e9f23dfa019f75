"""The headless command: its files, its refusals, and that it leaves nothing half-done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import zipmap_model as zm
from tests.model.conftest import MINI
from tests.pipeline_fakes import FakeEngine
from zipmap_app import headless
from zipmap_app.cli import Arguments, parse
from zipmap_app.headless import run_headless
from zipmap_app.pipeline.packing import pack_points
from zipmap_app.run_options import options_from_arguments

ROOT = Path(__file__).parents[1]
FILES = {"cloud.ply", "trajectory.txt", "predictions.npz", "summary.json"}
MEDIA = ROOT.parent / "shared" / "media" / "malformed"
VERTEX = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3), ("confidence", "<f4")])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "mini.safetensors"
    zm.save_model(zm.ZipMap(MINI), path, dtype=torch.float32)
    return str(path)


def arguments(output, **changes):
    values = {"input": "synthetic", "headless": True, "output": output, "device": "cpu", "max_frames": 6}
    return Arguments(**{**values, **changes})


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def test_the_four_files_agree_with_each_other(tmp_path, model, capsys):
    output = tmp_path / "new" / "out"
    assert run_headless(arguments(output, model=model)) == 0
    assert capsys.readouterr().err == ""
    assert names_in(output) == FILES
    assert names_in(output.parent) == {"out"}

    with np.load(output / "predictions.npz") as archive:
        predictions = {name: archive[name] for name in archive.files}
    height, width = predictions["image_size"]
    assert predictions["depth"].shape == predictions["depth_confidence"].shape == (6, height, width)
    assert predictions["depth"].dtype == predictions["depth_confidence"].dtype == np.float32
    assert predictions["world_from_camera"].shape == (6, 4, 4)
    assert predictions["world_from_camera"].dtype == np.float64
    assert predictions["intrinsics"].shape == (6, 3, 3)
    assert predictions["frame_names"].tolist() == [f"frame_{index:06d}" for index in range(6)]
    np.testing.assert_allclose(predictions["timestamps_s"], np.arange(6) / 30)

    path = np.loadtxt(output / "trajectory.txt")
    assert path.shape == (6, 8)
    np.testing.assert_allclose(path[:, 1:4], predictions["world_from_camera"][:, :3, 3], atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(path[:, 4:], axis=1), 1, atol=1e-6)

    header, _, body = (output / "cloud.ply").read_bytes().partition(b"end_header\n")
    vertices = np.frombuffer(body, VERTEX)
    assert f"element vertex {len(vertices)}".encode() in header
    assert np.isfinite(vertices["xyz"]).all()

    summary = json.loads((output / "summary.json").read_text())
    assert summary["points"] == len(vertices) > 0
    assert summary["frames"] == {"read": 6, "dropped": 0, "processed": 6}
    assert summary["device"] == "cpu"
    assert summary["ms_per_frame"]["median"] <= summary["ms_per_frame"]["p95"]
    assert summary["peak_memory_bytes"] > 50e6
    assert summary["versions"]["torch"] == torch.__version__
    assert summary["versions"]["model_file"]["name"] == "mini.safetensors"


def test_tracked_frames_are_looked_back_over_and_the_cloud_is_that_of_the_better_depth(tmp_path, monkeypatch):
    def run(name):
        call = arguments(tmp_path / name, model="bundled", max_frames=8, every=3)
        assert run_headless(call) == 0
        with np.load(tmp_path / name / "predictions.npz") as archive:
            return call, {name: archive[name] for name in archive.files}

    call, better = run("better")
    packing = options_from_arguments(call).packing
    grey = np.zeros((*better["image_size"], 3), np.uint8)
    points = [
        pack_points(d, c, grey, pose, k, packing)["position"]
        for d, c, pose, k in zip(
            *(better[n] for n in ("depth", "depth_confidence", "world_from_camera", "intrinsics")),
            strict=True,
        )
    ]
    body = (tmp_path / "better" / "cloud.ply").read_bytes().partition(b"end_header\n")[2]
    np.testing.assert_array_equal(np.frombuffer(body, VERTEX)["xyz"], np.concatenate(points))
    monkeypatch.setattr(headless, "_look_back", lambda *_: None)
    _, streamed = run("streamed")
    np.testing.assert_array_equal(better["depth"][-1], streamed["depth"][-1])
    assert (better["depth"][0] != streamed["depth"][0]).any()
    np.testing.assert_array_equal(better["world_from_camera"], streamed["world_from_camera"])


def test_every_and_max_frames(tmp_path):
    assert run_headless(arguments(tmp_path / "o", every=4, max_frames=3), FakeEngine()) == 0
    with np.load(tmp_path / "o" / "predictions.npz") as archive:
        assert archive["frame_names"].tolist() == ["frame_000000", "frame_000004", "frame_000008"]


def test_an_old_result_is_replaced_and_other_files_stay(tmp_path):
    output = tmp_path / "out"
    for n in (4, 2):
        assert run_headless(arguments(output, max_frames=n), FakeEngine()) == 0
        (output / "notes.txt").write_text("mine")
    assert names_in(output) == FILES | {"notes.txt"}
    assert len((output / "trajectory.txt").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("changes", "engine", "status", "words"),
    [
        ({"input": "/no/such.mp4"}, FakeEngine(), 2, "does not exist"),
        ({"model": "/no/such.pt"}, None, 2, "There is no model"),
        ({}, FakeEngine(load_error="The weights are missing."), 2, "weights are missing"),
        ({}, FakeEngine(fails_at=3), 1, "the tensor fell over"),
    ],
)
def test_failures_say_one_line_and_leave_the_folder_as_it_was(
    tmp_path, capsys, caplog, changes, engine, status, words
):
    output = tmp_path / "out"
    output.mkdir()
    (output / "cloud.ply").write_text("old")
    assert run_headless(arguments(output, **changes), engine) == status
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert words in lines[0]
    assert names_in(output) == {"cloud.ply"}
    assert (output / "cloud.ply").read_text() == "old"
    assert names_in(tmp_path) == {"out"}


def test_an_output_that_is_a_file_is_refused_before_any_work(tmp_path, capsys):
    output = tmp_path / "out"
    output.write_text("a file")
    engine = FakeEngine()
    assert run_headless(arguments(output), engine) == 2
    assert "is a file" in capsys.readouterr().err
    assert engine.thread_names == set()


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, capsys, monkeypatch):
    def full(self, result):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(headless.ReconstructionWriter, "append", full)
    assert run_headless(arguments(tmp_path / "out"), FakeEngine()) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert names_in(tmp_path) == set()


def test_a_lost_source_keeps_what_came_before(tmp_path, monkeypatch):
    from tests.pipeline_fakes import ListSource

    monkeypatch.setattr(headless, "open_source", lambda *a, **k: ListSource(3, failure="The camera is gone."))
    assert run_headless(arguments(tmp_path / "out"), FakeEngine()) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["frames"]["processed"] == 3
    assert "The camera is gone." in summary["notes"]


@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
def test_an_interrupt_ends_cleanly_and_keeps_nothing(tmp_path, model, kind):
    output = tmp_path / "out"
    command = [sys.executable, str(ROOT / "main.py"), "--headless", "synthetic", "-o", str(output)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*command, "--model", model, "--device", "cpu"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline_s = time.monotonic() + 60
    while not any(tmp_path.glob(".out.partial-*/*.spool")):
        assert time.monotonic() < deadline_s
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(getattr(signal, kind))
    _, errors = process.communicate(timeout=30)
    assert process.returncode == {"SIGINT": 130, "SIGTERM": 143}[kind]
    assert len(errors.splitlines()) == 1
    assert names_in(tmp_path) == set()


@pytest.mark.skipif(not MEDIA.is_dir(), reason="the shared media collection ../shared/media is not here")
@pytest.mark.parametrize("name", ["static_black.mp4", "static_frozen.mp4", "one_frame.mp4"])
def test_degenerate_videos_finish_without_nan(tmp_path, model, name):
    output = tmp_path / "out"
    assert (
        run_headless(arguments(output, input=str(MEDIA / "videos" / name), model=model, max_frames=12)) == 0
    )
    assert np.isfinite(np.loadtxt(output / "trajectory.txt")).all()
    with np.load(output / "predictions.npz") as archive:
        assert np.isfinite(archive["depth"]).all()
        assert np.isfinite(archive["intrinsics"]).all()


@pytest.mark.parametrize(
    "line",
    [
        ["--headless"],
        ["--headless", "a.mp4"],
        ["a.mp4", "-o", "out"],
        ["--headless", "a.mp4", "-o", "out", "--every", "0"],
        ["--headless", "a.mp4", "-o", "out", "--max-frames", "x"],
        ["--device", "tpu"],
        ["a.mp4", "--max-fps", "0"],
        ["a.mp4", "--max-fps", "inf"],
        ["a.mp4", "--companion", "streaming"],
        ["a.mp4", "--companion", "missing.pt"],
        ["--headless", "a.mp4", "-o", "out", "--companion", "state_query"],
        ["--headless", "a.mp4", "-o", "out", "--one-model-at-a-time"],
        ["--nonsense"],
    ],
)
def test_a_wrong_command_line_is_one_line_and_two(line, capsys):
    with pytest.raises(SystemExit) as refusal:
        parse(line)
    assert refusal.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_command_line_of_the_contract():
    line = "--headless clip.mp4 -o out --model streaming --device cuda --max-frames 9 --every 2 --window 4"
    assert parse(line.split()) == Arguments(
        input="clip.mp4",
        headless=True,
        output=Path("out"),
        model="streaming",
        device="cuda",
        max_frames=9,
        every=2,
        window=4,
    )
    assert parse([]) == Arguments()


def test_a_rate_thins_out_by_time_stamps(tmp_path, model):
    assert run_headless(arguments(tmp_path / "out", model=model, max_fps=10, max_frames=3)) == 0
    path = np.loadtxt(tmp_path / "out" / "trajectory.txt")
    np.testing.assert_allclose(path[:, 0], [0, 0.1, 0.2], atol=1e-6)


def test_a_rate_and_a_companion_on_the_command_line(tmp_path):
    assert parse(["clip.mp4", "--max-fps", "7.5"]).max_fps == 7.5
    assert parse(["--model", "streaming", "--companion", "state_query"]).companion == "state_query"
    weights = tmp_path / "mine.safetensors"
    weights.touch()
    assert parse(["--companion", str(weights)]).companion == str(weights)
    options = options_from_arguments(parse(["--companion", "state_query", "--one-model-at-a-time"]))
    assert (options.companion, options.companion_may_unload) == ("state_query", True)
