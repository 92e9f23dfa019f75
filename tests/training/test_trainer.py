"""The training loop on a tiny model: it learns, and it can be interrupted."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest
import torch

from tests.model.conftest import MINI
from training.checkpoint import load_run_state, save_run_state
from training.config import LegConfig, OptimConfig, Phase, StepShape, TrainConfig
from training.data.pool import PoolConfig
from training.data.procedural import ProceduralConfig
from training.logging import RunLog
from training.trainer import Trainer
from zipmap_model import ZipMap

_TINY = dataclasses.replace(MINI, motion_radius=2, native_size=(24, 48))
_CPU = torch.device("cpu")


def _config(steps: int, log_every: int = 1) -> TrainConfig:
    clips = ProceduralConfig(size=(24, 48), n_frames=3, samples=1)
    return TrainConfig(
        pools=(PoolConfig(clips=clips, n_chunks=1, chunk_clips=2, refresh_every=0, max_stride=1),),
        phases=(Phase(until=1.0, shapes=(StepShape(n_clips=2, n_views=3, n_queries=1),)),),
        leg=LegConfig(max_steps=steps),
        optim=OptimConfig(lr=2e-3, warmup_steps=1, decay_from=1.0),
        log_every=log_every,
    )


def _trainer(steps: int, folder: Path) -> Trainer:
    torch.manual_seed(0)
    return Trainer(_config(steps), ZipMap(_TINY), _CPU, RunLog(folder / "log.csv"))


def test_loss_falls_on_the_same_few_clips(tmp_path: Path) -> None:
    _trainer(24, tmp_path).run()
    with (tmp_path / "log.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert len(losses) == 24
    assert sum(losses[-6:]) / 6 < sum(losses[:6]) / 6 - 0.1


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = _trainer(4, tmp_path)
    whole.run()
    first = _trainer(2, tmp_path)
    first.run()
    save_run_state(tmp_path / "state.pt", first.state())
    second = _trainer(2, tmp_path)
    second.resume(load_run_state(tmp_path / "state.pt", _CPU))
    second.run()
    assert second.step_count == 4
    for name, tensor in whole.state().model.items():
        assert torch.equal(tensor, second.state().model[name]), name
    for name, tensor in whole.state().average.items():
        assert torch.equal(tensor, second.state().average[name]), name


def test_the_averaged_model_is_separate_and_frozen(tmp_path: Path) -> None:
    trainer = _trainer(1, tmp_path)
    trainer.run()
    model = trainer.averaged_model()
    assert not any(p.requires_grad for p in model.parameters())
    assert model.camera_head is None
    name, live = next(iter(trainer.model.named_parameters()))
    assert dict(model.named_parameters())[name].data_ptr() != live.data_ptr()


def test_compiling_ahead_leaves_the_weights_alone(tmp_path: Path) -> None:
    trainer = _trainer(1, tmp_path)
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    trainer.compile_kernels()
    assert trainer.step_count == 0
    for name, tensor in trainer.model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        _trainer(1, tmp_path).start_from({})
