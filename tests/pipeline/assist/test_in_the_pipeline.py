import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import zipmap_model as zm
from tests.model.conftest import MINI
from tests.pipeline_fakes import FakeEngine, ListSource, of_kind, take_all
from zipmap_app.cli import parse
from zipmap_app.pipeline.options import RunOptions
from zipmap_app.pipeline.runner import Runner
from zipmap_app.pipeline.zipmap_engine import ZipMapEngine
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.messages import PipelineFault


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "mini.safetensors"
    torch.manual_seed(0)
    zm.save_model(zm.ZipMap(MINI), path, dtype=torch.float32)
    return str(path)


def loaded(model, **options):
    engine = ZipMapEngine(RunOptions(model=model, device="cpu", **options))
    engine.load(lambda done, total: None)
    engine.reset()
    return engine


def test_it_is_on_for_the_bundled_model_only_unless_asked_for(model):
    assert RunOptions().tracking.has_assist
    assert not RunOptions(assist=False).tracking.has_assist
    assert not RunOptions(model="streaming").tracking.has_assist
    frame = SyntheticSource(1).read()
    assert loaded(model).prepare(frame, 0).grey is None
    assert loaded(model, assist=True).prepare(frame, 0).grey is not None


def test_a_rewound_run_repeats_itself_bit_by_bit(model):
    engine = loaded(model, assist=True)
    source = SyntheticSource(6)
    inputs = [engine.prepare(source.read(), 0) for _ in range(6)]
    first = [engine.step(frame)[0] for frame in inputs[:3]]
    snapshot = engine.snapshot()
    once = [engine.step(frame)[0] for frame in inputs[3:]]
    engine.restore(snapshot)
    again = [engine.step(frame)[0] for frame in inputs[3:]]
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a.world_from_camera, b.world_from_camera)
        np.testing.assert_array_equal(a.depth, b.depth)
        np.testing.assert_array_equal(a.points, b.points)
    assert snapshot.memory_bytes > engine.scene.memory_bytes
    np.testing.assert_array_equal(first[0].world_from_camera, np.eye(4))


def test_a_known_field_of_view_reaches_the_cameras(model):
    engine = loaded(model, assist=True, fov_deg=60.0)
    frame = engine.prepare(SyntheticSource(1).read(), 0)
    (result,) = engine.step(frame)
    width = result.rgb.shape[1]
    assert result.intrinsics[0, 0] == pytest.approx(0.5 * width / math.tan(math.radians(30)), rel=1e-6)
    # The user knows better than the camera, and the camera better than the model.
    told = replace(SyntheticSource(1).read(), fov_x_rad=math.radians(90))
    assert loaded(model, assist=True).prepare(told, 0).focal_px == pytest.approx(width / 2)
    assert engine.prepare(told, 0).focal_px == frame.focal_px


def test_a_notice_becomes_a_fault_that_does_not_end_the_run():
    class Noticing(FakeEngine):
        def step(self, frame):
            (result,) = super().step(frame)
            return [replace(result, notice="Lost." if frame.frame_index == 1 else None)]

    runner = Runner(RunOptions(), lambda: None, Noticing())
    try:
        runner.start(ListSource(3))
        faults = of_kind(take_all(runner), PipelineFault)
    finally:
        runner.close()
    assert [(fault.sentence, fault.fatal) for fault in faults] == [("Lost.", False)]


def test_the_command_line_switches_it():
    base = ["--headless", "in", "-o", "out"]
    assert parse(base).assist is None
    assert parse([*base, "--no-assist", "--fov", "62.5"]).assist is False
    assert parse([*base, "--assist", "--fov", "62.5"]).fov == 62.5


@pytest.mark.parametrize("fov", ["wide", "0", "170", "nan"])
def test_a_field_of_view_that_makes_no_sense_is_refused(fov, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(["--headless", "in", "-o", "out", "--fov", fov])
    assert stop.value.code == 2
    assert "5 to 150" in capsys.readouterr().err
    with pytest.raises(ValueError, match="fov_deg"):
        RunOptions(fov_deg=170.0)
