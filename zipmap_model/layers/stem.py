"""Convolutional stem of the small model: patch tokens and fine features from the same few layers."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class ConvStem(nn.Module):
    """Convolutions down to a quarter of the image ("fine"), then one to the patch grid.

    A small network trained from scratch sees edges sooner through overlapping convolutions than through one
    large patch projection; the fine features also feed the motion cue and sharpen the depth head.
    """

    def __init__(self, dim: int, patch_size: int, channels: int, blocks: int = 0) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Conv2d(3, half, kernel_size=3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(half, channels, kernel_size=3, stride=2, padding=1)
        self.norm2 = nn.GroupNorm(8, channels)
        self.conv3 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.norm3 = nn.GroupNorm(8, channels)
        self.blocks = nn.ModuleList(_ResidualBlock(channels) for _ in range(blocks))
        step = patch_size // 4
        self.proj = nn.Conv2d(channels, dim, kernel_size=step, stride=step)

    def fine(self, images: Tensor) -> Tensor:
        """(n, 3, H, W) -> (n, channels, H/4, W/4)."""
        x = F.gelu(self.conv1(images))
        x = F.gelu(self.norm2(self.conv2(x)))
        x = x + F.gelu(self.norm3(self.conv3(x)))
        for block in self.blocks:
            x = block(x)
        return x

    def tokens(self, fine: Tensor) -> Tensor:
        """(n, channels, H/4, W/4) -> (n, N, C), row-major."""
        return self.proj(fine).flatten(2).transpose(1, 2)


class _ResidualBlock(nn.Module):
    """A narrow pair of convolutions beside a skip path; changes nothing until trained."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // 2
        self.conv1 = nn.Conv2d(channels, narrow, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(narrow, channels, kernel_size=3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.gelu(self.conv1(x)))
