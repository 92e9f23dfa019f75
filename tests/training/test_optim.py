"""The optimiser: schedule, clipping per module, and a skipped step that leaves no trace."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.config import OptimConfig
from training.ema import WeightAverage
from training.optim import ModuleOptimizer, learning_rate

_CPU = torch.device("cpu")


def _model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))


def test_learning_rate_warms_up_stays_and_falls() -> None:
    config = OptimConfig(lr=1.0, warmup_steps=10, decay_from=0.5, final_lr=0.1)
    assert learning_rate(config, 0, 0.0) == pytest.approx(0.1)
    assert learning_rate(config, 100, 0.4) == pytest.approx(1.0)
    assert learning_rate(config, 100, 0.75) == pytest.approx(0.55)
    assert learning_rate(config, 100, 1.0) == pytest.approx(0.1)


def test_a_step_with_a_bad_gradient_is_skipped_completely() -> None:
    model = _model()
    optimizer = ModuleOptimizer(model, OptimConfig(), _CPU)
    optimizer.set_lr(1000, 0.0)

    def step(scale: float) -> None:
        optimizer.adamw.zero_grad(set_to_none=True)
        (model(torch.ones(1, 4)).sum() * scale).backward()
        optimizer.step()

    step(1.0)
    before = [p.detach().clone() for p in model.parameters()]
    moment = optimizer.adamw.state[model[0].weight]["exp_avg"].clone()
    step(float("nan"))
    for old, new in zip(before, model.parameters(), strict=True):
        assert torch.equal(old, new)
    assert torch.equal(moment, optimizer.adamw.state[model[0].weight]["exp_avg"])
    assert optimizer.n_skipped.item() == 1
    step(1.0)
    assert not torch.equal(before[0], model[0].weight)


def test_every_module_is_clipped_by_itself() -> None:
    model = _model()
    optimizer = ModuleOptimizer(model, OptimConfig(clip_norm=1.0), _CPU)
    for i, parameter in enumerate(model.parameters()):
        parameter.grad = torch.full_like(parameter, 1000.0 if i < 2 else 1e-3)
    optimizer.step()
    loud = torch.cat([p.grad.flatten() for p in model[0].parameters()])  # type: ignore[union-attr]
    quiet = torch.cat([p.grad.flatten() for p in model[1].parameters()])  # type: ignore[union-attr]
    assert loud.reshape(-1).norm().item() <= 2**0.5 + 1e-3
    torch.testing.assert_close(quiet, torch.full_like(quiet, 1e-3))


def test_average_follows_slowly() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = WeightAverage(model, decay=0.9)
    nn.init.ones_(model.weight)
    average.update()
    assert average.state_dict()["weight"].item() == pytest.approx(0.1)
