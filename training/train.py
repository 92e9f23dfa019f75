"""`python -m training.train --recipe NAME [--set key=value ...]`: one leg of a run; also under torchrun."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import torch

from training.checkpoint import RunState, load_run_state, load_weights, save_run_state, save_shards
from training.config import with_changes
from training.logging import RunLog
from training.parallel import device_for_process, join_workers
from training.recipes import RECIPES
from training.trainer import Trainer
from zipmap_model import MODEL_CONFIGS, ZipMap, save_model

_LOG = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one leg and write its state, weights and log."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    config = with_changes(RECIPES[options.recipe](), options.set)
    device = device_for_process(options.device)
    # TF32 is precise enough for the float32 heads and several times faster.
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(config.seed)
    output = Path(options.output)
    state_path = output / "state.pt"
    with join_workers(device) as workers, composer_processes(options.composers) as composers:
        if not workers.is_first:
            logging.getLogger().setLevel(logging.WARNING)
        log = RunLog(output / "training_log.csv" if workers.is_first else None)
        trainer = Trainer(config, ZipMap(MODEL_CONFIGS[config.model]), device, log, composers, workers)
        if options.compile_only:
            trainer.compile_kernels()
            return 0
        if options.resume and state_path.is_file():
            trainer.resume(load_run_state(state_path, device))
            _LOG.info("resumed at step %d", trainer.step_count)
        elif options.init is not None:
            trainer.start_from(load_weights(Path(options.init)))

        def save(state: RunState) -> None:
            save_run_state(state_path, state)
            _export(trainer, options)

        trainer.run(save if workers.is_first else None)
        if workers.is_first:
            save(trainer.state())
            if options.profile:
                (output / "profile.txt").write_text(trainer.profile())
    return 0


def _export(trainer: Trainer, options: argparse.Namespace) -> None:
    """Write the averaged weights, the file that ships and its shards: a later crash costs little."""
    model = trainer.averaged_model()
    notes = {"recipe": options.recipe, "steps": str(trainer.step_count), "licence": "Apache-2.0"}
    save_model(model, Path(options.output) / "model.safetensors", notes=notes)
    if options.shards is not None:
        save_shards(Path(options.shards), model.state_dict(), int(options.shard_mb * 2**20))


@contextmanager
def composer_processes(count: int) -> Iterator[Executor | None]:
    """Processes that draw scenes ahead of the training loop; None for no processes."""
    if count == 0:
        yield None
        return
    # Spawned, because a fork of a process that uses CUDA is not safe.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_use_one_thread) as executor:
        yield executor


def _use_one_thread() -> None:
    torch.set_num_threads(1)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.train", description="Train a model, leg by leg."
    )
    parser.add_argument("--recipe", required=True, choices=sorted(RECIPES))
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one setting (dotted)"
    )
    parser.add_argument("--output", default="out/training", help="folder of state, log and weights")
    parser.add_argument("--resume", action="store_true", help="go on from OUTPUT/state.pt if it is there")
    parser.add_argument("--init", help="weights to start from: a safetensors file or a folder of shards")
    parser.add_argument("--shards", help="folder for a copy of the weights in shards")
    parser.add_argument("--shard-mb", type=float, default=15.0, help="largest size of a shard in MiB")
    parser.add_argument(
        "--profile", action="store_true", help="at the end, write the kernels of a step to OUTPUT/profile.txt"
    )
    parser.add_argument(
        "--compile-only",
        action="store_true",
        help="fill the compiler's cache (TORCHINDUCTOR_CACHE_DIR) for a run that starts meanwhile, and end",
    )
    parser.add_argument("--composers", type=int, default=0, help="processes that draw scenes ahead")
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
