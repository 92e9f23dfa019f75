"""`python -m training.benchmark --recipe NAME`: how fast clips are made, batches cut and steps done.

Every number is a mean over repeated work between two synchronisations, after warm-up.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from training.config import LegConfig, Phase, StepShape, TrainConfig, with_changes
from training.data.contact_sheet import save_contact_sheet
from training.data.pool import ClipPool, PoolConfig
from training.data.procedural import generate_clips
from training.logging import RunLog
from training.profiling import kernel_table
from training.recipes import RECIPES
from training.trainer import Trainer
from zipmap_model import MODEL_CONFIGS, ZipMap

_LOG = logging.getLogger(__name__)
_STEPS = 24


def main(arguments: Sequence[str] | None = None) -> int:
    """Log a table of timings."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    config = with_changes(RECIPES[options.recipe](), options.set)
    device = torch.device(options.device)
    torch.set_float32_matmul_precision("high")
    output = Path(options.output)
    pool = dataclasses.replace(config.pools[0], n_chunks=2, refresh_every=0)
    chunk = pool.chunk_clips
    started = time.monotonic()
    clips = generate_clips(pool.clips, chunk, 0, device)
    _synchronise(device)
    _LOG.info("first chunk, with compilation: %.1f s", time.monotonic() - started)
    save_contact_sheet(clips, output / "contact_sheet.png")
    seconds = _time(lambda i: generate_clips(pool.clips, chunk, i + 1, device), 4, device)
    _LOG.info(
        "generator: %.0f frames/s, %.0f ms a chunk", chunk * pool.clips.n_frames / seconds, seconds * 1e3
    )
    filled = ClipPool(pool, 1, device)
    filled.advance_to(0)
    shapes = list(dict.fromkeys(s for phase in config.phases for s in phase.shapes if s.pool == 0))
    for shape in shapes:
        seconds = _time(
            lambda i, shape=shape: filled.batch(i, shape.n_clips, shape.n_views, shape.n_queries),  # type: ignore[misc]
            10,
            device,
        )
        _LOG.info("batch of %s: %.1f ms", shape, seconds * 1e3)
        _time_steps(config, pool, shape, device, output)
        if options.profile:
            _profile(dataclasses.replace(config, use_graphs=False), pool, shape, device, output)
    return 0


def _single_shape(config: TrainConfig, pool: PoolConfig, shape: StepShape, steps: int) -> TrainConfig:
    phase = Phase(until=1.0, shapes=(shape,))
    return dataclasses.replace(
        config, pools=(pool,), phases=(phase,), leg=LegConfig(max_steps=steps), log_every=_STEPS
    )


def _time_steps(
    config: TrainConfig, pool: PoolConfig, shape: StepShape, device: torch.device, output: Path
) -> None:
    """Two rows of the run log: the first holds warm-up and capture, the second steady steps."""
    trainer = Trainer(
        _single_shape(config, pool, shape, 2 * _STEPS),
        ZipMap(MODEL_CONFIGS[config.model]),
        device,
        RunLog(output / "benchmark.csv"),
    )
    trainer.run()


def _profile(
    config: TrainConfig, pool: PoolConfig, shape: StepShape, device: torch.device, output: Path
) -> None:
    """Log the kernels of eager steps that take the most device time."""
    trainer = Trainer(
        _single_shape(config, pool, shape, 3),
        ZipMap(MODEL_CONFIGS[config.model]),
        device,
        RunLog(output / "benchmark.csv"),
    )
    trainer.run()
    _LOG.info("kernels of a leg of three steps: %s", kernel_table(trainer.run, device, repeats=1))


def _time(work: Callable[[int], object], repeats: int, device: torch.device) -> float:
    """Mean seconds of one call."""
    work(0)
    _synchronise(device)
    started = time.monotonic()
    for i in range(repeats):
        work(i + 1)
    _synchronise(device)
    return (time.monotonic() - started) / repeats


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark", description="Time a recipe's parts."
    )
    parser.add_argument("--recipe", default="bundled", choices=sorted(RECIPES))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--output", default="out/benchmark")
    parser.add_argument("--profile", action="store_true", help="also list the slowest kernels of a step")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
