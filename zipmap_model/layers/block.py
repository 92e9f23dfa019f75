"""The residual blocks of the trunk: attention inside a view, fast weights across views."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zipmap_model.layers.attention import Attention
from zipmap_model.layers.fast_weights import FastWeightLayer, FastWeights, Operation, Projections
from zipmap_model.layers.rope import GridRope


class Mlp(nn.Module):
    """Two linear layers with the exact (erf) GELU between them."""

    def __init__(self, dim: int, hidden: int, out: int | None = None) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim if out is None else out)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """A trained gain per channel on a residual branch."""

    def __init__(self, dim: int, init: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((dim,), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma

    def add_to(self, x: Tensor, branch: Tensor) -> Tensor:
        """x + gain * branch in one pass."""
        return torch.addcmul(x, branch, self.gamma)


class AttentionBlock(nn.Module):
    """Pre-norm transformer block: encoder, frame blocks and camera trunk (spec/model.md 3, 5, 8.1)."""

    def __init__(
        self,
        dim: int,
        num_heads: int,
        mlp_ratio: float,
        *,
        qk_norm: bool = False,
        eps: float = 1e-5,
        layer_scale: float = 0.01,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = Attention(dim, num_heads, qk_norm=qk_norm)
        self.ls1 = LayerScale(dim, layer_scale)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = Mlp(dim, int(dim * mlp_ratio))
        self.ls2 = LayerScale(dim, layer_scale)

    def forward(self, x: Tensor, rope: GridRope | None = None) -> Tensor:
        """x (batch, P, C) -> (batch, P, C)."""
        x = self.ls1.add_to(x, self.attn(self.norm1(x), rope))
        return self.ls2.add_to(x, self.mlp(self.norm2(x)))


class FastWeightBlock(nn.Module):
    """Global block: the fast-weight layer over the tokens of all views, then an MLP (spec/model.md 6)."""

    def __init__(
        self, dim: int, mlp_ratio: float, ttt: FastWeightLayer, *, layer_scale: float = 0.01
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.ttt_block = ttt
        self.ls1 = LayerScale(dim, layer_scale)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, int(dim * mlp_ratio))
        self.ls2 = LayerScale(dim, layer_scale)

    def forward(
        self, x: Tensor, program: Sequence[Operation], weights: FastWeights | None
    ) -> tuple[Tensor, FastWeights]:
        """x (B, L, C) and the fast weights before -> (B, L, C) and the fast weights after ``program``."""
        u, tokens = self.enter(x)
        out, weights = self.ttt_block.run_program(tokens, program, weights)
        return self.leave(x, u, out), weights

    def enter(self, x: Tensor) -> tuple[Tensor, Projections]:
        """Everything before the loop over windows: normalised tokens (B, L, C) and their projections."""
        u = self.norm1(x)
        return u, self.ttt_block.project(u)

    def leave(self, x: Tensor, u: Tensor, out: Tensor) -> Tensor:
        """Everything after it: residuals (B, L, C) of what was read (B*h, L, d)."""
        x = self.ls1.add_to(x, self.ttt_block.merge(u, out))
        return self.ls2.add_to(x, self.mlp(self.norm2(x)))
