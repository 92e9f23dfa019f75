"""Procedural surface patterns: each maps metric face coordinates to a mixing weight between two colours.

Coordinates u, v are metres on the surface; every pattern fades to its mean where pixels get too coarse for it,
so distant surfaces do not flicker.
"""

from __future__ import annotations

from enum import IntEnum

import torch
from torch import Tensor

from .noise import band_limit, hash_unit, value_noise


class Pattern(IntEnum):
    """What is painted on a surface. The order is that of `pattern_weight`."""

    PLAIN = 0
    TILES = 1  # thin grout lines round square tiles
    BRICKS = 2  # offset rows
    CHECKER = 3
    STRIPES = 4
    WOOD = 5  # stretched noise along u
    DOTS = 6
    WINDOWS = 7  # dark panes in a light wall, or the reverse
    MARBLE = 8
    BLOCKS = 9  # cells of random brightness: posters, books, mosaics
    PATCHES = 10  # thresholded noise: grass, rust, plaster


def _cell(x: Tensor) -> tuple[Tensor, Tensor]:
    """Integer cell and the position inside it, in [0, 1)."""
    floor = x.floor()
    return floor.to(torch.int32), x - floor


def _edge(x: Tensor, margin: float) -> Tensor:
    """1 within `margin` of a cell border, else 0."""
    return ((x < margin) | (x > 1.0 - margin)).to(x.dtype)


def pattern_weight(
    pattern: Tensor, u: Tensor, v: Tensor, frequency: Tensor, seed: Tensor, footprint: Tensor
) -> Tensor:
    """Weight in [0, 1] of the second colour.

    pattern (int32), u, v (metres), frequency (1/m), seed (int32), footprint (metres a pixel) broadcast together.
    """
    x, y = u * frequency, v * frequency
    zero = torch.zeros_like(seed)
    ix, fx = _cell(x)
    iy, fy = _cell(y)
    inside_x, inside_y = (fx - 0.5).abs(), (fy - 0.5).abs()

    brick_u = x * 0.5 + 0.5 * (iy & 1).to(x.dtype)
    brick_x, brick_fx = _cell(brick_u)
    grain = value_noise(x * 0.35, y * 6.0, x * 0.0, seed)
    swirl = value_noise(x * 0.8, y * 0.8, x * 0.0, seed)
    patch = value_noise(x, y, x * 0.0, seed) * 0.65 + value_noise(x * 2.3, y * 2.3, x * 0.0, seed + 7) * 0.35
    cell_tone = hash_unit(ix, iy, zero, seed)
    brick_tone = hash_unit(brick_x, iy, zero, seed)

    # (weight, its mean): the mean replaces the pattern below Nyquist.
    choices: tuple[tuple[Tensor, float], ...] = (
        (torch.zeros_like(x), 0.0),
        (torch.maximum(_edge(fx, 0.035), _edge(fy, 0.035)) * 0.8 + cell_tone * 0.2, 0.2),
        (torch.maximum(_edge(brick_fx, 0.03), _edge(fy, 0.06)) * 0.7 + brick_tone * 0.3, 0.25),
        (((ix + iy) & 1).to(x.dtype), 0.5),
        ((fx < 0.5).to(x.dtype), 0.5),
        (grain * 0.8 + _edge(fy, 0.03) * 0.2, 0.42),
        ((inside_x * inside_x + inside_y * inside_y < 0.07).to(x.dtype), 0.22),
        (((inside_x < 0.3) & (inside_y < 0.34)).to(x.dtype) * (0.7 + 0.3 * cell_tone), 0.35),
        (0.5 + 0.5 * torch.sin((x * 0.6 + 5.0 * swirl) * 3.0), 0.5),
        (cell_tone, 0.5),
        (((patch - 0.5) * 4.0 + 0.5).clamp(0.0, 1.0), 0.5),
    )
    weight, mean = torch.zeros_like(x), torch.zeros_like(x)
    for index, (value, average) in enumerate(choices):
        chosen = pattern == index
        weight = torch.where(chosen, value, weight)
        mean = torch.where(chosen, average, mean)
    visible = band_limit(frequency, footprint)
    return mean + (weight - mean) * visible
