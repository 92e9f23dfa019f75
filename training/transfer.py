"""`python -m training.transfer OLD --pairs 0 2 4 5 --output FILE`: a start for another architecture.

Keeps some of the pairs of blocks, in their order, and resamples what depends on the size of a patch: position
table and patch kernels. All other tensors must fit as they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.checkpoint import load_weights
from zipmap_model import MODEL_CONFIGS, ZipMap, ZipMapConfig, published_shapes, save_model
from zipmap_model.layers.vit import interpolate_position_table

_PAIR_GROUPS = ("aggregator.frame_blocks", "aggregator.global_blocks")
_POSITION_TABLE = "pos_embed"


def transferred(
    weights: Mapping[str, Tensor], config: ZipMapConfig, pairs: Sequence[int]
) -> dict[str, Tensor]:
    """Float32 weights for a model of `config`, whose pairs are `pairs` of the given ones.

    Raises ValueError if the number of pairs is not the config's depth, or for a tensor that is missing or can
    only be fitted by training.
    """
    if len(pairs) != config.depth:
        raise ValueError(f"the model has {config.depth} pairs, got {len(pairs)} to keep")
    kept = _kept_pairs(weights, pairs)
    side = config.image_size // config.patch_size
    fitted = {}
    for name, shape in published_shapes(config).items():
        if name not in kept:
            raise ValueError(f"the given weights have no {name}")
        tensor = kept[name].float()
        if tensor.shape != shape and name.endswith(_POSITION_TABLE):
            tensor = interpolate_position_table(tensor, (side, side), is_square=False)
        elif tensor.ndim == 4 and tensor.shape[:2] == shape[:2] and tensor.shape != shape:
            tensor = resampled_kernel(tensor, shape[-1])
        if tensor.shape != shape:
            raise ValueError(f"{name} has {tuple(tensor.shape)}, which does not become {shape}")
        fitted[name] = tensor
    return fitted


def resampled_kernel(kernel: Tensor, size: int) -> Tensor:
    """Patch kernels (out, in, k, k) for another patch size: interpolated, each with the sum that it had."""
    # Centres of samples aligned, not corners: a kernel covers its patch from edge to edge.
    impulses = torch.eye(kernel.shape[-1])[None]
    answers = F.interpolate(impulses, size=size, mode="linear", align_corners=False)[0].T
    spread = answers / answers.sum(0)
    return torch.einsum("hi,ocij,wj->ochw", spread, kernel, spread)


def _kept_pairs(weights: Mapping[str, Tensor], pairs: Sequence[int]) -> dict[str, Tensor]:
    """The weights with the blocks of other pairs left out and the kept ones numbered anew."""
    renamed = {
        f"{group}.{old}.": f"{group}.{new}." for new, old in enumerate(pairs) for group in _PAIR_GROUPS
    }
    kept = {}
    for name, tensor in weights.items():
        if not name.startswith(_PAIR_GROUPS):
            kept[name] = tensor
        elif prefix := next((old for old in renamed if name.startswith(old)), None):
            kept[renamed[prefix] + name.removeprefix(prefix)] = tensor
    return kept


def main(arguments: Sequence[str] | None = None) -> int:
    """Transfer one file."""
    parser = argparse.ArgumentParser(
        prog="python -m training.transfer", description="A start for a new model."
    )
    parser.add_argument("old", type=Path, help="safetensors file or folder of shards")
    parser.add_argument(
        "--model", default="bundled", choices=sorted(MODEL_CONFIGS), help="the new architecture"
    )
    parser.add_argument("--pairs", type=int, nargs="+", required=True, help="pairs of blocks to keep, from 0")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    model = ZipMap(MODEL_CONFIGS[options.model]).eval()
    model.load_state_dict(transferred(load_weights(options.old), model.config, options.pairs))
    notes = {"pairs": " ".join(map(str, options.pairs)), "licence": "Apache-2.0"}
    save_model(model, options.output, dtype=torch.float32, notes=notes)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
