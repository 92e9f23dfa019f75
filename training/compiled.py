"""Compiled twins of the model's parts, for training only: eager, every operation is a pass over memory.

Parts are compiled, not the whole model: equal blocks share one compilation, and the loop over windows stays out of
it. Every new shape is compiled anew, so a recipe should have few of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from training import losses
from zipmap_model import ZipMap
from zipmap_model.heads.dense import DenseHead
from zipmap_model.heads.motion import MotionHead
from zipmap_model.layers.block import AttentionBlock, FastWeightBlock
from zipmap_model.layers.fast_weights import (
    Arithmetic,
    FastWeightLayer,
    FastWeights,
    Projections,
    window_step,
)
from zipmap_model.layers.motion import MotionCue
from zipmap_model.layers.stem import ConvStem


def compile_model(model: ZipMap) -> None:
    """Replace the methods that move most memory by compiled ones; dense heads then run in bfloat16 on a GPU."""
    attention = _compiled(AttentionBlock.forward)
    enter, leave = _compiled(FastWeightBlock.enter), _compiled(FastWeightBlock.leave)
    cue, stem, head = _compiled(MotionCue.forward), _compiled(ConvStem.fine), _compiled(DenseHead.forward)
    step = _packed_window_step()
    for module in model.modules():
        if isinstance(module, AttentionBlock):
            module.forward = partial(attention, module)
        elif isinstance(module, FastWeightBlock):
            module.enter, module.leave = partial(enter, module), partial(leave, module)
        elif isinstance(module, FastWeightLayer):
            module.window_step = step
        elif isinstance(module, MotionCue):
            module.forward = partial(cue, module)
        elif isinstance(module, ConvStem):
            module.fine = partial(stem, module)
        elif isinstance(module, DenseHead):
            module.forward = _in_bfloat16(partial(head, module))
        elif isinstance(module, MotionHead):
            module.solve_and_chain = _compiled(module.solve_and_chain)


def compiled_loss() -> Callable[..., Any]:
    """`losses.total_loss`, fused."""
    return _compiled(losses.total_loss)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    return torch.compile(function, dynamic=False, fullgraph=True)


def _in_bfloat16(head: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Full-resolution maps are most of a head's traffic; half the bytes, and float32 again at its end."""

    def forward(*arguments: Any, **keywords: Any) -> Tensor:
        with torch.autocast("cuda", torch.bfloat16):
            return head(*arguments, **keywords).float()

    return forward


def _packed_window_step() -> Callable[..., tuple[Tensor, FastWeights]]:
    fused = _compiled(window_step)

    def step(
        weights: FastWeights, tokens: Projections, norms: FastWeights, steps: int, arithmetic: Arithmetic
    ) -> tuple[Tensor, FastWeights]:
        # One memory layout for every window and length of clip, so that a size is compiled once.
        q, k, v = tokens.q.contiguous(), tokens.k.contiguous(), tokens.v.contiguous()
        r0, r1, r2 = (rate.contiguous() for rate in tokens.rates)
        packed = FastWeights(*(w.contiguous() for w in weights))
        return fused(packed, Projections(q, k, v, (r0, r1, r2)), norms, steps, arithmetic)

    return step
