"""The image encoder: a ViT with register tokens and an interpolated position table (spec/model.md 3)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zipmap_model.layers.block import AttentionBlock
from zipmap_model.layers.stem import ConvStem


class PatchEmbed(nn.Module):
    """Non-overlapping patches through one convolution, flattened row-major."""

    def __init__(self, in_channels: int, dim: int, patch_size: int, *, norm: bool = False) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_channels, dim, kernel_size=patch_size, stride=patch_size)
        self.norm = nn.LayerNorm(dim) if norm else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, H, W) -> (n, N, C)."""
        return self.norm(self.proj(images).flatten(2).transpose(1, 2))


class Encoded(NamedTuple):
    """Encoder output: patch tokens (n, N, C), class token (n, C), fine stem features or None."""

    patches: Tensor
    class_token: Tensor
    fine: Tensor | None  # (n, stem_channels, H/4, W/4)


def interpolate_position_table(table: Tensor, grid_hw: tuple[int, int], *, is_square: bool) -> Tensor:
    """Fit a table (1, 1 + g*g, C), class row first, to another patch grid.

    Antialiased bicubic to the exact target size; a square image of the native size keeps the table unchanged.
    """
    native = table.shape[1] - 1
    if is_square and grid_hw[0] * grid_hw[1] == native:
        return table
    side = round(native**0.5)
    class_row, grid = table[:, :1], table[:, 1:].float()
    grid = grid.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=grid_hw, mode="bicubic", align_corners=False, antialias=True)
    return torch.cat([class_row, grid.flatten(2).transpose(1, 2).to(class_row.dtype)], dim=1)


class VisionEncoder(nn.Module):
    """Turns each image into patch tokens, independent of the other views."""

    def __init__(
        self,
        *,
        dim: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        patch_size: int,
        image_size: int,
        register_tokens: int = 4,
        stem_channels: int | None = None,
        stem_blocks: int = 0,
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.patch_embed: PatchEmbed | ConvStem = (
            PatchEmbed(3, dim, patch_size)
            if stem_channels is None
            else ConvStem(dim, patch_size, stem_channels, stem_blocks)
        )
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim) * 1e-6)
        self.register_tokens = nn.Parameter(torch.randn(1, register_tokens, dim) * 1e-6)
        # Part of every published file, used by no forward pass.
        self.mask_token = nn.Parameter(torch.zeros(1, dim), requires_grad=False)
        side = image_size // patch_size
        self.pos_embed = nn.Parameter(torch.randn(1, 1 + side * side, dim) * 0.02)
        self.blocks = nn.ModuleList(
            AttentionBlock(dim, num_heads, mlp_ratio, eps=1e-6, layer_scale=1.0) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, images: Tensor, cue: Tensor | None = None) -> Encoded:
        """Normalised images (n, 3, H, W), and tokens (n, N, C) to add to the patches -> Encoded."""
        height, width = images.shape[-2:]
        fine = None
        if isinstance(self.patch_embed, ConvStem):
            fine = self.patch_embed.fine(images)
            patches = self.patch_embed.tokens(fine)
        else:
            patches = self.patch_embed(images)
        return self.encode(patches, (height, width), cue, fine)

    def encode(
        self, patches: Tensor, size_hw: tuple[int, int], cue: Tensor | None, fine: Tensor | None
    ) -> Encoded:
        """Run the blocks on embedded patches (n, N, C) of images of ``size_hw``."""
        height, width = size_hw
        grid_hw = (height // self.patch_size, width // self.patch_size)
        if cue is not None:
            patches = patches + cue
        table = interpolate_position_table(self.pos_embed, grid_hw, is_square=height == width)
        n = patches.shape[0]
        x = torch.cat([self.cls_token.expand(n, -1, -1), patches], dim=1) + table
        x = torch.cat([x[:, :1], self.register_tokens.expand(n, -1, -1), x[:, 1:]], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return Encoded(x[:, 1 + self.register_tokens.shape[1] :], x[:, 0], fine)
