"""Two-dimensional rotary position embedding (spec/model.md 5.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor


class RopeTables(NamedTuple):
    """cos and sin of the angles, (..., P, head_dim): first half turned by y, second half by x."""

    cos: Tensor
    sin: Tensor


def patch_positions(grid_h: int, grid_w: int, special_tokens: int, device: torch.device) -> Tensor:
    """Positions (P, 2) as (y, x): 0 for special tokens, 1-based grid coordinates for patches, row-major."""
    y, x = torch.meshgrid(
        torch.arange(1, grid_h + 1, device=device), torch.arange(1, grid_w + 1, device=device), indexing="ij"
    )
    patches = torch.stack([y.flatten(), x.flatten()], dim=-1)
    return torch.cat([patches.new_zeros(special_tokens, 2), patches])


def rope_tables(positions_yx: Tensor, head_dim: int, base: float, dtype: torch.dtype) -> RopeTables:
    """Tables for integer positions (..., P, 2), computed in ``dtype``, the dtype of the queries."""
    half = head_dim // 2
    exponents = torch.arange(0, half, 2, device=positions_yx.device).float() / half
    inverse_frequencies = (1.0 / base**exponents).to(dtype)
    angles = positions_yx.to(dtype)[..., None] * inverse_frequencies  # (..., P, 2, half / 2)
    angles = torch.cat([angles, angles], dim=-1).flatten(-2)
    return RopeTables(angles.cos(), angles.sin())


@lru_cache(maxsize=16)
def _grid_tables(
    grid_h: int,
    grid_w: int,
    special_tokens: int,
    head_dim: int,
    base: float,
    device: torch.device,
    dtype: torch.dtype,
) -> RopeTables:
    with torch.inference_mode(False), torch.no_grad():
        positions = patch_positions(grid_h, grid_w, special_tokens, device)
        return rope_tables(positions, head_dim, base, dtype)


class GridRope:
    """RoPE of a view's tokens; tables are made once per grid, device and dtype and need no host sync."""

    def __init__(self, grid_hw: tuple[int, int], special_tokens: int, base: float) -> None:
        self._grid_hw = grid_hw
        self._special_tokens = special_tokens
        self._base = base

    def __call__(self, x: Tensor) -> Tensor:
        """Rotate queries or keys (..., P, head_dim)."""
        tables = _grid_tables(
            *self._grid_hw, self._special_tokens, x.shape[-1], self._base, x.device, x.dtype
        )
        return apply_rope(x, tables)


def apply_rope(x: Tensor, tables: RopeTables) -> Tensor:
    """Rotate (..., P, head_dim); feature j of each half pairs with feature j + head_dim / 4."""
    pairs = x.unflatten(-1, (2, 2, -1))  # (axis, half of the axis, features)
    rotated = torch.cat([-pairs[..., 1:, :], pairs[..., :1, :]], dim=-2).flatten(-3)
    return torch.addcmul(x * tables.cos, rotated, tables.sin)
