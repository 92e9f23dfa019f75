"""Multi-head self-attention with optional query/key normalisation and RoPE."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zipmap_model.layers.rope import GridRope


class Attention(nn.Module):
    """Self-attention over the second-last axis (spec/model.md 3, 5 and 8.1).

    The fused projection orders its features q, k, v and head-major inside each. With ``qk_norm``, one
    LayerNorm for queries and one for keys act on the features of a head and are shared by all heads.
    """

    def __init__(self, dim: int, num_heads: int, *, qk_norm: bool = False) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.q_norm = nn.LayerNorm(dim // num_heads) if qk_norm else nn.Identity()
        self.k_norm = nn.LayerNorm(dim // num_heads) if qk_norm else nn.Identity()
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, rope: GridRope | None = None) -> Tensor:
        """x (batch, P, C) -> (batch, P, C)."""
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        q, k = self.q_norm(q), self.k_norm(k)
        if rope is not None:
            q, k = rope(torch.stack([q, k])).unbind(0)
        # Under autocast the norms return float32 while v stays in the low precision.
        out = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v)
        return self.proj(out.transpose(1, 2).flatten(2))
