"""What cameras do to pictures: exposure, colour, vignetting, blur, noise and block compression; and passers-by.

A look (colour and exposure) belongs to a whole clip and is shared with its query views, and so does a style;
degradations hit the input views only. All draws are made on the device of the pictures from the given generator;
nothing waits for the host.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

_BLOCK = 8


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Colour treatment of B clips, each tensor (B, 1, 1, 1, 1) or (B, 1, 3, 1, 1)."""

    gamma: Tensor
    gain: Tensor
    saturation: Tensor
    lift: Tensor
    vignette: Tensor


def draw_look(batch: int, device: torch.device, generator: torch.Generator) -> Look:
    """A random look for each of B clips; one in twenty is black and white."""

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        draw = torch.rand(batch, 1, channels, 1, 1, device=device, generator=generator)
        return draw * (high - low) + low

    grey = (uniform(0.0, 1.0) < 0.05).float()
    return Look(
        gamma=uniform(-0.25, 0.25).exp(),
        gain=uniform(-0.3, 0.3).exp() * uniform(0.92, 1.08, 3),
        saturation=uniform(0.4, 1.15) * (1 - grey),
        lift=uniform(-0.02, 0.05),
        vignette=uniform(-0.25, 0.35).clamp(min=0.0),
    )


def apply_look(images_BS3HW: Tensor, look: Look) -> Tensor:
    """Colour treatment of pictures in [0, 1]; stays in [0, 1]."""
    grey = images_BS3HW.mean(2, keepdim=True)
    x = grey + (images_BS3HW - grey) * look.saturation
    x = x.clamp(min=1e-4) ** look.gamma * look.gain + look.lift
    height, width = x.shape[-2:]
    y = torch.linspace(-1, 1, height, device=x.device)[:, None]
    r2 = (y**2 + torch.linspace(-1, 1, width, device=x.device) ** 2) * 0.5
    return (x * (1 - look.vignette * r2)).clamp(0.0, 1.0)


def restyle(images_BS3HW: Tensor, n_inputs: int, n_styled: int, generator: torch.Generator) -> Tensor:
    """Mix the first `n_styled` clips with random convolutions of themselves; the others stay as they are.

    Textures and colours change, edges stay where they are. One function a clip, its brightness and contrast taken
    from the first `n_inputs` views and applied to all. Pictures stay in [0, 1].
    """
    x = images_BS3HW[:n_styled]
    device = x.device

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        draw = torch.rand(n_styled, 1, channels, 1, 1, device=device, generator=generator)
        return draw * (high - low) + low

    kernel = torch.randn(n_styled, 3, 3, 3, 3, device=device, generator=generator)
    centre = F.pad(kernel[..., 1:2, 1:2], [1] * 4)  # colours alone
    kernel = torch.where(uniform(0.0, 1.0) < 0.5, centre, kernel)
    # The views of a clip are the batch of its group of channels.
    grouped = F.pad(x.transpose(0, 1).flatten(1, 2), [1] * 4, mode="replicate")
    drawn = (
        F.conv2d(grouped, kernel.flatten(0, 1), groups=n_styled).view_as(x.transpose(0, 1)).transpose(0, 1)
    )
    std, mean = torch.std_mean(drawn[:, :n_inputs], dim=(1, 3, 4), keepdim=True)
    drawn = (drawn - mean) / std.clamp(min=1e-3) * uniform(0.12, 0.26, 3) + uniform(0.3, 0.6, 3)
    styled = torch.lerp(drawn, x, uniform(0.0, 1.0)).clamp(0.0, 1.0)
    return torch.cat((styled, images_BS3HW[n_styled:]))


def degrade(images_BS3HW: Tensor, generator: torch.Generator) -> Tensor:
    """Exposure flicker, blur, noise and block compression, drawn for each clip; stays in [0, 1]."""
    batch, views = images_BS3HW.shape[:2]
    device = images_BS3HW.device

    def uniform(low: float, high: float, views: int = 1) -> Tensor:
        return torch.rand(batch, views, 1, 1, 1, device=device, generator=generator) * (high - low) + low

    x = images_BS3HW * (1 + uniform(-0.03, 0.03, views))
    x = _blur(x, uniform(-0.6, 1.0).clamp(min=0.0))
    x = _smear(x, uniform(-1.5, 1.0, views).clamp(min=0.0), uniform(0.0, 1.0) < 0.7)
    noise = torch.randn(x.shape, device=device, generator=generator)
    x = x + noise * uniform(-0.008, 0.03).clamp(min=0.0) * (0.5 + x)
    x = _compress(x, uniform(-0.06, 0.06).clamp(min=0.0))
    return x.clamp(0.0, 1.0)


def _blur(x: Tensor, amount: Tensor) -> Tensor:
    """Mix with a binomial blur of 3x3; amount 0 sharp, 1 fully blurred."""
    flat = x.flatten(0, 1)
    padded = F.pad(flat, (1, 1, 1, 1), mode="replicate")
    rows = (padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]) / 4
    soft = ((rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 4).view_as(x)
    return x + (soft - x) * amount


def _smear(x: Tensor, amount: Tensor, sideways: Tensor) -> Tensor:
    """Mix with a mean over seven pixels along a row, or along a column: what a moving camera blurs."""
    flat = x.flatten(0, 1)
    rows = F.avg_pool2d(F.pad(flat, (3, 3, 0, 0), mode="replicate"), (1, 7), stride=1).view_as(x)
    columns = F.avg_pool2d(F.pad(flat, (0, 0, 3, 3), mode="replicate"), (7, 1), stride=1).view_as(x)
    return x + (torch.where(sideways, rows, columns) - x) * amount


@lru_cache(maxsize=8)
def _dct_matrix(device: torch.device) -> Tensor:
    """Orthonormal cosine transform of length 8; row = frequency."""
    n = torch.arange(_BLOCK, dtype=torch.float64)
    matrix = torch.cos(math.pi / _BLOCK * (n[None] + 0.5) * n[:, None]) * math.sqrt(2 / _BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix.float().to(device)


@lru_cache(maxsize=8)
def _step_sizes(device: torch.device) -> Tensor:
    """Coarser steps for higher frequencies, (8, 8)."""
    n = torch.arange(_BLOCK, dtype=torch.float32)
    return (0.35 + 0.35 * (n[:, None] + n)).to(device)


def _compress(x: Tensor, strength: Tensor) -> Tensor:
    """Quantise 8x8 cosine coefficients in steps that grow with `strength`; 0 changes nothing but rounding."""
    height, width = x.shape[-2:]
    blocks = (
        x.unflatten(-1, (width // _BLOCK, _BLOCK)).unflatten(-3, (height // _BLOCK, _BLOCK)).transpose(-3, -2)
    )
    transform = _dct_matrix(x.device)
    coefficients = transform @ blocks @ transform.T
    step = strength[..., None, None] * _step_sizes(x.device) + 1e-4
    restored = transform.T @ ((coefficients / step).round() * step) @ transform
    return restored.transpose(-3, -2).flatten(-2).flatten(-3, -2)


def add_passers_by(
    images_BS3HW: Tensor, depth_BSHW: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Put a patch of another clip, moving on its own, in front of a share of the clips.

    Returns pictures and depth, 0 (unknown) on the patch: what moves is to be distrusted, not reconstructed.
    """
    batch, views, _, height, width = images_BS3HW.shape
    device = images_BS3HW.device

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(batch, 1, 1, 1, device=device, generator=generator) * (high - low) + low

    time = torch.arange(views, device=device)[:, None, None]
    center_x = uniform(0.0, 1.0) + uniform(-0.08, 0.08) * time
    center_y = uniform(0.3, 0.9) + uniform(-0.03, 0.03) * time
    x = torch.arange(width, device=device) / width
    y = (torch.arange(height, device=device) / height)[:, None]
    across = ((x - center_x) / uniform(0.05, 0.16)).abs()
    along = ((y - center_y) / uniform(0.12, 0.4)).abs()
    round_ = uniform(0.0, 1.0) < 0.6
    inside = torch.where(round_, across**2 + along**2, torch.maximum(across, along)) < 1
    patch = inside & (uniform(0.0, 1.0) < share)
    # What shows on the patch moves as the other clip does: neither with the patch nor with the scene.
    return (
        torch.where(patch[:, :, None], images_BS3HW.roll(1, 0), images_BS3HW),
        torch.where(patch, torch.zeros_like(depth_BSHW), depth_BSHW),
    )
