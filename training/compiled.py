"""Compiled twins of the model's parts, for training only: eager, every operation is a pass over memory.

Parts are compiled, not the whole model: equal blocks share one compilation, and the loop over windows stays
out of it. Every new shape is compiled anew, so a recipe should have few of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch._functorch.config
from torch import Tensor, nn

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
    # PyTorch 2.11 dies of a segmentation fault when it pickles an entry of this cache in the thread of the
    # backward pass. The cache of compiled kernels below it is another one and stays.
    torch._functorch.config.enable_autograd_cache = False
    replacements: dict[type[nn.Module], tuple[tuple[str, Callable[..., Any]], ...]] = {
        AttentionBlock: (("forward", _compiled(AttentionBlock.forward)),),
        FastWeightBlock: (
            ("enter", _compiled(FastWeightBlock.enter)),
            ("leave", _compiled(FastWeightBlock.leave)),
        ),
        MotionCue: (("forward", _compiled(MotionCue.forward)),),
        ConvStem: (("fine", _compiled(ConvStem.fine)),),
        DenseHead: (("forward", _in_bfloat16(_compiled(DenseHead.forward))),),
        # Not solve_and_chain: PyTorch 2.11 returns a named tuple that `_replace` made with entries missing.
        MotionHead: (("solve_all", _compiled(MotionHead.solve_all)),),
    }
    step = _packed_window_step()
    for module in model.modules():
        for name, function in replacements.get(type(module), ()):
            setattr(module, name, partial(function, module))
        if isinstance(module, FastWeightLayer):
            module.window_step = step


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
