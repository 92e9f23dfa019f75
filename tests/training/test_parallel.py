"""Two processes train as one: equal weights on both, and the gradient of the joined batch."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.multiprocessing import get_context

from tests.model.conftest import MINI
from training.config import LegConfig, OptimConfig, Phase, StepShape, TrainConfig
from training.data.batches import TrainingBatch
from training.data.pool import PoolConfig
from training.data.procedural import ProceduralConfig
from training.logging import RunLog
from training.losses import LossWeights, total_loss
from training.parallel import FlatGradients, Workers, join_workers
from training.trainer import Trainer
from zipmap_model import ZipMap

_TINY = dataclasses.replace(MINI, motion_radius=2, native_size=(24, 48))
_CPU = torch.device("cpu")
# The flow loss is a mean over visible cells, whose number differs between halves of a batch.
_SEPARABLE = LossWeights(flow=0.0)


def _config() -> TrainConfig:
    clips = ProceduralConfig(size=(24, 48), n_frames=3, samples=1)
    return TrainConfig(
        pools=(PoolConfig(clips=clips, n_chunks=1, chunk_clips=2, refresh_every=0, max_stride=1),),
        phases=(Phase(until=1.0, shapes=(StepShape(n_clips=1, n_views=2, n_queries=1),)),),
        leg=LegConfig(max_steps=2),
        optim=OptimConfig(warmup_steps=1),
        log_every=1,
    )


def _model(seed: int) -> ZipMap:
    torch.manual_seed(seed)
    return ZipMap(_TINY)


def _batch(clips: slice) -> TrainingBatch:
    """Rows of a fixed batch of two clips without sky."""
    draw = torch.Generator().manual_seed(3)
    cameras = torch.eye(4).repeat(2, 2, 1, 1)
    cameras[:, 1, :3, 3] = torch.rand(2, 3, generator=draw) * 0.1
    whole = TrainingBatch(
        torch.rand(2, 2, 3, 24, 48, generator=draw),
        torch.rand(2, 2, 24, 48, generator=draw) + 1,
        cameras,
        torch.tensor([40.0, 50.0]),
    )
    return TrainingBatch(*(x[clips] for x in whole.tensors()))


def _gradient(workers: Workers, batch: TrainingBatch) -> torch.Tensor:
    model = _model(0)
    gradients = FlatGradients(model)
    loss, _ = total_loss(model(batch.images, window=1), batch, _SEPARABLE)
    loss.backward()
    workers.average(gradients.flat)
    return gradients.flat


def _work(rank: int, port: int, folder: str) -> None:
    """One of two processes: a gradient of half a batch, a number to agree on, and a short run."""
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    with join_workers(_CPU) as workers:
        gradient = _gradient(workers, _batch(slice(rank, rank + 1)))
        agreed = workers.agree(10.0 + rank)
        log = RunLog(Path(folder) / "log.csv" if workers.is_first else None)
        trainer = Trainer(_config(), _model(rank), _CPU, log, workers=workers)
        trainer.run()
        # Through files: nothing is shared with a process that has ended.
        weights = nn.utils.parameters_to_vector(trainer.model.parameters()).detach()
        torch.save((gradient, agreed, weights), Path(folder) / f"{rank}.pt")


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[torch.Tensor, float, torch.Tensor]]:
    """What each of two processes found: gradient, agreed number, weights after a run."""
    folder = tmp_path_factory.mktemp("workers")
    context = get_context("spawn")
    port = 29_500 + os.getpid() % 2_000
    processes = [context.Process(target=_work, args=(rank, port, str(folder))) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0]
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def test_the_averaged_gradient_is_that_of_the_joined_batch(two_processes) -> None:
    joined = _gradient(Workers(), _batch(slice(0, 2)))
    for gradient, _, _ in two_processes:
        torch.testing.assert_close(gradient, joined, rtol=1e-3, atol=1e-5 * float(joined.abs().max()))


def test_the_clock_of_the_first_process_counts(two_processes) -> None:
    assert [agreed for _, agreed, _ in two_processes] == [10.0, 10.0]


def test_both_processes_end_with_equal_weights(two_processes) -> None:
    (_, _, first), (_, _, second) = two_processes
    assert torch.equal(first, second)


def test_gradients_stay_in_the_flat_buffer() -> None:
    model = nn.Linear(3, 2)
    gradients = FlatGradients(model)
    model(torch.ones(1, 3)).sum().backward()
    assert gradients.flat.tolist() == [1.0] * 8
    gradients.clear()
    assert model.weight.grad is not None
    assert not model.weight.grad.any()
