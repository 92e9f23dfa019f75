"""`python -m training.mix BEFORE AFTER --share 0.3 --whole PART ... --output FILE`: weights between two legs.

A leg that changes the data gains in one thing and loses in another; weights on the straight line between its
start and its end often keep most of both (docs/training.md says what was measured).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from training.checkpoint import load_weights
from zipmap_model import MODEL_CONFIGS, ZipMap, save_model


def mix(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], share: float, whole: Sequence[str]
) -> dict[str, Tensor]:
    """`share` of the way from `before` to `after`; names that contain one of `whole` come from `after`.

    Names that only `after` has come from there too. Raises KeyError for names that only `before` has.
    """
    if extra := before.keys() - after.keys():
        raise KeyError(f"missing in the later weights: {sorted(extra)}")
    mixed = {}
    for name, end in after.items():
        taken = name not in before or any(part in name for part in whole)
        mixed[name] = end.float() if taken else before[name].float().lerp(end.float(), share)
    return mixed


def main(arguments: Sequence[str] | None = None) -> int:
    """Mix two files and write the result."""
    parser = argparse.ArgumentParser(prog="python -m training.mix", description="Weights between two legs.")
    parser.add_argument("before", type=Path, help="safetensors file or folder of shards")
    parser.add_argument("after", type=Path, help="the same, of the later leg")
    parser.add_argument("--model", default="bundled", choices=sorted(MODEL_CONFIGS))
    parser.add_argument("--share", type=float, required=True, help="0 is before, 1 is after")
    parser.add_argument(
        "--whole", nargs="*", default=[], metavar="PART", help="name parts taken wholly from after"
    )
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    model = ZipMap(MODEL_CONFIGS[options.model]).eval()
    model.load_state_dict(
        mix(load_weights(options.before), load_weights(options.after), options.share, options.whole)
    )
    notes = {"share": str(options.share), "whole": " ".join(options.whole), "licence": "Apache-2.0"}
    save_model(model, options.output, notes=notes)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
