"""Bilinear resizing with aligned corners, in the form that suits what follows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def resize(x: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Maps (n, C, h, w) at another size, bilinear, corners aligned."""
    if x.shape[-2:] == size_hw:
        return x
    if x.device.type == "cuda" and torch.is_grad_enabled():
        return resize_by_products(x, size_hw)
    return F.interpolate(x, size=size_hw, mode="bilinear", align_corners=True)


def resize_by_products(x: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """The same as two matrix products, columns first.

    The backward pass of ``interpolate`` adds with atomics, which was the longest kernel of a training step; that
    of a product is a product.
    """
    across = interpolation_matrix(x.shape[-1], size_hw[1], x.device)
    down = interpolation_matrix(x.shape[-2], size_hw[0], x.device)
    return torch.matmul(down, torch.matmul(x, across.mT))


def interpolation_matrix(n_from: int, n_to: int, device: torch.device) -> Tensor:
    """Weights (n_to, n_from) of linear interpolation between the first and the last of ``n_from`` samples."""
    step = (n_from - 1) / (n_to - 1) if n_to > 1 else 0.0
    place = torch.arange(n_to, device=device, dtype=torch.float32) * step
    distance = place[:, None] - torch.arange(n_from, device=device, dtype=torch.float32)
    return (1 - distance.abs()).clamp(min=0)
