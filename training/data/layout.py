"""What composers share: where cameras may go, and the light of a scene. Lengths in metres."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .scenes import Dice, Lighting, SceneBatch, color_from_hsv


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the cameras of N scenes may go: an axis-aligned box, and a point worth looking at."""

    low: Tensor  # (N, 3)
    high: Tensor  # (N, 3)
    target: Tensor  # (N, 3)


Composer = Callable[[Dice], tuple[SceneBatch, Layout]]


def vector(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """(N,) three times -> (N, 3)."""
    return torch.stack((x, y, z), -1)


def make_sun(dice: Dice) -> Lighting:
    """A sun with warm or neutral light and a blue, grey or evening sky."""
    azimuth, elevation = dice.uniform(0.0, 2 * math.pi), dice.uniform(0.3, 1.3)
    direction = vector(azimuth.cos() * elevation.cos(), azimuth.sin() * elevation.cos(), elevation.sin())
    return make_light(
        dice, direction * 5e3, falloff_m=torch.full((dice.n,), 1e9), ambient=(0.25, 0.6), strength=(0.3, 1.3)
    )


def make_light(
    dice: Dice,
    position: Tensor,
    *,
    falloff_m: Tensor,
    ambient: tuple[float, float],
    strength: tuple[float, float],
) -> Lighting:
    """A shadowed light at `position` (N, 3), with ranges for the ambient light and for its own strength."""
    tint = color_from_hsv(dice.uniform(0.05, 0.16), dice.uniform(0.0, 0.3), torch.ones(dice.n))
    ambient_tint = color_from_hsv(dice.uniform(0.5, 0.7), dice.uniform(0.0, 0.15), torch.ones(dice.n))
    blue = dice.chance(0.65)
    hue = torch.where(blue, dice.uniform(0.53, 0.62), dice.uniform(0.0, 1.0))
    sky_high = color_from_hsv(
        hue, torch.where(blue, dice.uniform(0.2, 0.7), dice.uniform(0.0, 0.1)), dice.uniform(0.55, 1.0)
    )
    sky_low = color_from_hsv(hue, dice.uniform(0.0, 0.2), dice.uniform(0.75, 1.0))
    return Lighting(
        position=position,
        color=tint * dice.uniform(*strength)[:, None],
        falloff_m=falloff_m,
        ambient=ambient_tint * dice.uniform(*ambient)[:, None],
        unevenness=dice.uniform(0.1, 0.7),
        sky_low=sky_low,
        sky_high=sky_high,
        cloud=dice.uniform(-0.4, 1.0).clamp(min=0.0),
    )
