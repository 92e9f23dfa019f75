"""Compiled twins of the model's busiest part, for training only."""

from __future__ import annotations

import torch
from torch import Tensor

from zipmap_model import ZipMap
from zipmap_model.layers.fast_weights import (
    Arithmetic,
    FastWeightLayer,
    FastWeights,
    Projections,
    window_step,
)


def compile_fast_weights(model: ZipMap) -> None:
    """Fuse the window step of every fast-weight layer: eager, every operation is a pass over memory."""
    fused = torch.compile(window_step, dynamic=False, fullgraph=True)

    def step(
        weights: FastWeights, tokens: Projections, norms: FastWeights, steps: int, arithmetic: Arithmetic
    ) -> tuple[Tensor, FastWeights]:
        # One memory layout for every window and length of clip, so that a size is compiled once.
        q, k, v = tokens.q.contiguous(), tokens.k.contiguous(), tokens.v.contiguous()
        r0, r1, r2 = (rate.contiguous() for rate in tokens.rates)
        packed = FastWeights(*(w.contiguous() for w in weights))
        return fused(packed, Projections(q, k, v, (r0, r1, r2)), norms, steps, arithmetic)

    for layer in model.modules():
        if isinstance(layer, FastWeightLayer):
            layer.window_step = step
