"""The fast-weight (test-time training) layer: a small MLP trained on the tokens while they pass.

Spec/model.md section 6. The fast weights are a SwiGLU MLP ``f(x) = (silu(x w0) * (x w2)) w1`` per head. An
update takes one gradient-ascent step on the sum of <f(k), v> over tokens, each token weighted by its own rate
per matrix, with the gradient replaced by its orthogonal factor (Newton-Schulz) and the columns brought back to
their initial norms. An apply reads the weights with queries. The cost is linear in the number of tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# The odd quintic 3.4445 x - 4.7750 x^3 + 2.0315 x^5 drives singular values towards one (spec/model.md 6.4).
_QUINTIC = (3.4445, -4.7750, 2.0315)

Arithmetic = Literal["bfloat16", "mixed", "float32"]


class FastWeights(NamedTuple):
    """One layer's state for B scenes with h heads each: w0, w2 (B*h, d, m) and w1 (B*h, m, d)."""

    w0: Tensor
    w1: Tensor
    w2: Tensor


class Operation(NamedTuple):
    """One step of a layer's program on tokens [start, end)."""

    start: int
    end: int
    update: bool
    apply: bool


def offline_program(n_tokens: int) -> list[Operation]:
    """One update over everything, then one apply."""
    return [Operation(0, n_tokens, update=True, apply=True)]


def windowed_program(n_tokens: int, window_tokens: int) -> list[Operation]:
    """Update and apply window by window; the last one may be short (spec/model.md 6.6)."""
    starts = range(0, n_tokens, window_tokens)
    return [Operation(s, min(s + window_tokens, n_tokens), update=True, apply=True) for s in starts]


def joint_query_program(n_input_tokens: int, n_tokens: int) -> list[Operation]:
    """Update on the input views only, then apply to input and query views alike."""
    return [
        Operation(0, n_input_tokens, update=True, apply=False),
        Operation(0, n_tokens, update=False, apply=True),
    ]


def read_only_program(n_tokens: int) -> list[Operation]:
    """Apply a given state without changing it."""
    return [Operation(0, n_tokens, update=False, apply=True)]


def newton_schulz(gradient: Tensor, steps: int, arithmetic: Arithmetic) -> Tensor:
    """Approximate orthogonal factor of matrices (n, rows, cols), without rescaling (spec/model.md 6.4, 9).

    ``bfloat16`` keeps the whole iteration in bf16 (the official arithmetic without autocast), ``mixed`` keeps
    the iterate in float32 around bf16 products (the official arithmetic under autocast), ``float32`` is exact
    enough for tests and small models. Returns float32 for ``mixed`` and ``float32``, else bfloat16.
    """
    is_tall = gradient.shape[-2] > gradient.shape[-1]
    x = gradient.mT if is_tall else gradient
    a3, a1, a2 = _QUINTIC
    with torch.autocast(gradient.device.type, enabled=False):
        if arithmetic == "float32":
            x = x.float()
            x = x / (x.flatten(-2).norm(dim=-1)[..., None, None] + 1e-7)
            for _ in range(steps):
                a = x @ x.mT
                x = torch.baddbmm(x, torch.baddbmm(a, a, a, beta=a1, alpha=a2), x, beta=a3)
        else:
            x = x.to(torch.bfloat16)
            norm_input = x.float() if arithmetic == "mixed" else x
            x = norm_input / (norm_input.flatten(-2).norm(dim=-1)[..., None, None] + 1e-7)
            for _ in range(steps):
                low = x.to(torch.bfloat16)
                a = _bf16_product(low, low.mT)
                x = a3 * x + _bf16_product(a1 * a + _bf16_product(a2 * a, a), low)
    return x.mT if is_tall else x


def _bf16_product(a: Tensor, b: Tensor) -> Tensor:
    """Product of bf16 matrices, rounded once from a float32 sum.

    CPUs without bf16 instructions emulate these products 25 times slower than float32 ones and round partial
    sums on some layouts.
    """
    if a.device.type == "cpu":
        return (a.float() @ b.float()).to(torch.bfloat16)
    return a @ b


def column_norms(weights: FastWeights) -> FastWeights:
    """Norms over the input dimension, shapes (n, 1, cols): what every update renormalises to."""
    return FastWeights(*(_column_norm(w.float()) for w in weights))


def _column_norm(w: Tensor) -> Tensor:
    # On CPUs a sum over rows is seven times faster than ``norm`` along them.
    return w.square().sum(dim=1, keepdim=True).sqrt()


def update_gradients(weights: FastWeights, k: Tensor, v: Tensor, rates: Sequence[Tensor]) -> FastWeights:
    """Summed gradient products of w0, w1, w2 over tokens (spec/model.md 6.3).

    k, v (n, L, d); three rates (n, L, 1), one for each matrix. The sum over tokens makes chunking and sharding
    of L exact.
    """
    w0, w1, w2 = weights
    a, b, dh = k @ w0, k @ w2, v @ w1.mT
    g = F.silu(a)
    hidden = g * b
    da = _silu_gradient(dh * b, a)
    db = dh * g
    lr0, lr1, lr2 = rates
    return FastWeights((lr0 * k).mT @ da, (lr1 * hidden).mT @ v, (lr2 * k).mT @ db)


def _silu_gradient(gradient: Tensor, a: Tensor) -> Tensor:
    """gradient * silu'(a)."""
    if torch.is_grad_enabled():  # the fused operation has no derivative of its own
        s = torch.sigmoid(a)
        return gradient * s * (1 + a * (1 - s))
    return torch.ops.aten.silu_backward(gradient, a)


def apply_update(
    weights: FastWeights, gradients: FastWeights, norms: FastWeights, steps: int, arithmetic: Arithmetic
) -> FastWeights:
    """Add the orthogonalised gradients and bring the columns back to ``norms``."""
    g0, g1, g2 = gradients
    is_wide = g0.shape[-1] > g0.shape[-2]
    # w1's gradient is the transpose of the others' shape and is handled transposed: one batched call for all.
    stacked = torch.cat([g0, g1.mT if is_wide else g1, g2])
    d0, d1, d2 = newton_schulz(stacked, steps, arithmetic).chunk(3)
    moved = (weights.w0 + d0, weights.w1 + (d1.mT if is_wide else d1), weights.w2 + d2)
    return FastWeights(*(w * (n / (_column_norm(w) + 1e-5)) for w, n in zip(moved, norms, strict=True)))


def read_weights(weights: FastWeights, q: Tensor) -> Tensor:
    """f(q) for queries (n, L, d)."""
    return (F.silu(q @ weights.w0) * (q @ weights.w2)) @ weights.w1


class Projections(NamedTuple):
    """What a token offers the fast weights: q, k, v (B*h, L, d) and three rates (B*h, L, 1)."""

    q: Tensor
    k: Tensor
    v: Tensor
    rates: tuple[Tensor, Tensor, Tensor]


def window_step(
    weights: FastWeights, tokens: Projections, norms: FastWeights, steps: int, arithmetic: Arithmetic
) -> tuple[Tensor, FastWeights]:
    """Update on one window's tokens, then read them back: output (n, L, d) and the weights after the update."""
    gradients = update_gradients(weights, tokens.k, tokens.v, tokens.rates)
    weights = apply_update(weights, gradients, norms, steps, arithmetic)
    return read_weights(weights, tokens.q), weights


def _spans(tokens: Projections, program: Sequence[Operation]) -> list[Projections]:
    """The tokens of each operation.

    Where the operations follow one another, the tokens are split once: the backward pass of a split is one
    concatenation, that of many slices adds up as many full-size gradients.
    """
    follow = all(a.end == b.start for a, b in pairwise(program))
    if follow and program[0].start == 0 and program[-1].end == tokens.q.shape[1]:
        lengths = [op.end - op.start for op in program]
        parts = zip(
            *(x.split(lengths, dim=1) for x in (tokens.q, tokens.k, tokens.v, *tokens.rates)), strict=True
        )
        return [Projections(q, k, v, (r0, r1, r2)) for q, k, v, r0, r1, r2 in parts]
    slices = [slice(op.start, op.end) for op in program]
    return [
        Projections(
            tokens.q[:, s], tokens.k[:, s], tokens.v[:, s],
            (tokens.rates[0][:, s], tokens.rates[1][:, s], tokens.rates[2][:, s]),
        )
        for s in slices
    ]  # fmt: skip


class FastWeightLayer(nn.Module):
    """Projections, fast weights and gated output of one TTT layer (spec/model.md 6.1-6.5).

    The column norms that updates renormalise to are those of the learned initial weights, also when a carried
    state is given; that makes stepping frame by frame equal to one windowed run (spec/model.md 11).
    """

    def __init__(
        self,
        dim: int,
        head_dim: int,
        *,
        expansion: int = 2,
        base_lr: float = 0.01,
        gate: bool = True,
        steps: int = 5,
        newton_schulz_dtype: Literal["bfloat16", "float32"] = "bfloat16",
    ) -> None:
        super().__init__()
        self.num_heads = dim // head_dim
        self.head_dim = head_dim
        self.steps = steps
        self.newton_schulz_dtype = newton_schulz_dtype
        hidden = head_dim * expansion
        self.w0 = nn.Parameter(torch.randn(self.num_heads, head_dim, hidden) * math.sqrt(2 / head_dim))
        self.w1 = nn.Parameter(torch.randn(self.num_heads, hidden, head_dim) * math.sqrt(2 / hidden))
        self.w2 = nn.Parameter(torch.randn(self.num_heads, head_dim, hidden) * math.sqrt(2 / head_dim))
        self.to_qkv = nn.Linear(dim, 3 * dim)
        self.lr_fc = nn.Linear(dim, 3 * self.num_heads)
        self.gate_fn = nn.Sequential(nn.Linear(dim, dim)) if gate else None
        self.o_norm = nn.RMSNorm(head_dim, eps=1e-5)
        self.c_proj = nn.Linear(dim, dim)
        # Training replaces it by a compiled twin: most of a step's memory traffic is in here.
        self.window_step = window_step
        self._kept_norms: tuple[tuple[int, ...], FastWeights] | None = None
        # softplus(rate_offset) = base_lr
        self._rate_offset = base_lr + math.log(-math.expm1(-base_lr))

    def initial_weights(self, batch: int) -> FastWeights:
        """The learned start, repeated for ``batch`` scenes: index b * heads + head."""
        return FastWeights(*(w.repeat(batch, 1, 1) for w in (self.w0, self.w1, self.w2)))

    def initial_norms(self, batch: int) -> FastWeights:
        """Column norms of the learned start, repeated for ``batch`` scenes."""
        start = FastWeights(self.w0, self.w1, self.w2)
        if self.training or torch.is_grad_enabled() or self.w0.is_inference():
            norms = column_norms(start)
        else:
            # They change with the parameters only; as a share of a streamed frame they are worth keeping.
            key = tuple(n for w in start for n in (w.data_ptr(), w._version))
            if self._kept_norms is None or self._kept_norms[0] != key:
                self._kept_norms = (key, column_norms(start))
            norms = self._kept_norms[1]
        return norms if batch == 1 else FastWeights(*(n.repeat(batch, 1, 1) for n in norms))

    def train(self, mode: bool = True) -> Self:
        # A captured graph changes parameters without a trace.
        self._kept_norms = None
        return super().train(mode)

    def project(self, u: Tensor) -> Projections:
        """Normalised tokens (B, L, C) -> queries, keys, values and rates per head."""
        qkv = F.silu(self.to_qkv(u)).unflatten(-1, (3, self.num_heads, self.head_dim))
        qkv = qkv.permute(2, 0, 3, 1, 4).flatten(1, 2)
        (q, k), v = _unit(qkv[:2]).unbind(0), qkv[2]
        rates = F.softplus(self.lr_fc(u).float() + self._rate_offset)
        rates = rates.unflatten(-1, (3, self.num_heads)).permute(2, 0, 3, 1).flatten(1, 2)[..., None]
        return Projections(q, k, v, (rates[0], rates[1], rates[2]))

    def run_program(
        self, tokens: Projections, program: Sequence[Operation], weights: FastWeights | None
    ) -> tuple[Tensor, FastWeights]:
        """Run updates and applies in order; outputs of the applies (B*h, L', d), joined, and the last state."""
        batch = tokens.q.shape[0] // self.num_heads
        current = self.initial_weights(batch) if weights is None else weights
        norms = self.initial_norms(batch) if any(op.update for op in program) else None
        arithmetic = self._arithmetic(tokens.q)
        outputs = []
        for op, span in zip(program, _spans(tokens, program), strict=True):
            if op.update and op.apply:
                assert norms is not None
                out, current = self.window_step(current, span, norms, self.steps, arithmetic)
                outputs.append(out)
            elif op.update:
                assert norms is not None
                gradients = update_gradients(current, span.k, span.v, span.rates)
                current = apply_update(current, gradients, norms, self.steps, arithmetic)
            elif op.apply:
                outputs.append(read_weights(current, span.q))
        return torch.cat(outputs, dim=1) if len(outputs) > 1 else outputs[0], current

    def forward(
        self, u: Tensor, program: Sequence[Operation], weights: FastWeights | None = None
    ) -> tuple[Tensor, FastWeights]:
        """u (B, L, C) -> output (B, L, C) and the fast weights after ``program``."""
        out, weights = self.run_program(self.project(u), program, weights)
        return self.merge(u, out), weights

    def merge(self, u: Tensor, out: Tensor) -> Tensor:
        """What the heads read (B*h, L, d), normalised, gated by tokens u (B, L, C) and joined to (B, L, C)."""
        out = self.o_norm(out.float()).unflatten(0, (-1, self.num_heads)).transpose(1, 2).flatten(2)
        if self.gate_fn is not None:
            out = out * F.silu(self.gate_fn(u))
        return self.c_proj(out)

    def _arithmetic(self, tokens: Tensor) -> Arithmetic:
        if self.newton_schulz_dtype == "float32":
            return "float32"
        return "mixed" if torch.is_autocast_enabled(tokens.device.type) else "bfloat16"


def _unit(x: Tensor) -> Tensor:
    x = x.float()
    return x / (x.norm(dim=-1, keepdim=True) + 1e-5)
