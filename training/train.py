"""`python -m training.train --recipe NAME [--set key=value ...]`: one leg of a run."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from training.checkpoint import load_run_state, load_weights, save_run_state, save_shards
from training.config import with_changes
from training.logging import RunLog
from training.recipes import RECIPES
from training.trainer import Trainer
from zipmap_model import MODEL_CONFIGS, ZipMap, save_model

_LOG = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one leg and write its state, weights and log."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    config = with_changes(RECIPES[options.recipe](), options.set)
    device = torch.device(options.device if options.device != "auto" else _best_device())
    # TF32 is precise enough for the float32 heads and several times faster.
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(config.seed)
    output = Path(options.output)
    trainer = Trainer(
        config, ZipMap(MODEL_CONFIGS[config.model]), device, RunLog(output / "training_log.csv")
    )
    state_path = output / "state.pt"
    if options.resume and state_path.is_file():
        trainer.resume(load_run_state(state_path, device))
        _LOG.info("resumed at step %d", trainer.step_count)
    elif options.init is not None:
        trainer.start_from(load_weights(Path(options.init)))
    trainer.run()
    save_run_state(state_path, trainer.state())
    model = trainer.averaged_model()
    notes = {"recipe": options.recipe, "steps": str(trainer.step_count), "licence": "Apache-2.0"}
    save_model(model, output / "model.safetensors", notes=notes)
    if options.shards is not None:
        save_shards(Path(options.shards), model.state_dict(), int(options.shard_mb * 2**20))
    return 0


def _best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


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
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
