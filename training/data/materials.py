"""Palettes: materials that look like the things they are put on, drawn for N scenes at once."""

from __future__ import annotations

import torch
from torch import Tensor

from .scenes import Dice, Material, color_from_hsv
from .textures import Pattern


def make_material(
    dice: Dice,
    *,
    patterns: tuple[Pattern, ...],
    hue: tuple[float, float] = (0.0, 1.0),
    saturation: tuple[float, float] = (0.0, 0.6),
    value: tuple[float, float] = (0.2, 0.95),
    frequency: tuple[float, float] = (1.0, 8.0),
    contrast: float = 0.5,
    grain: float = 0.25,
    speckle: float = 0.15,
    gloss: float = 0.0,
    emission: tuple[float, float] = (0.0, 0.0),
) -> Material:
    """A material from ranges; `contrast` says how far the second colour may lie from the first."""
    n = dice.n
    h = dice.uniform(*hue)
    s, v = dice.uniform(*saturation), dice.uniform(*value)
    shift = dice.uniform(-contrast, contrast)
    second_v = (v + torch.where(shift.abs() < 0.1, 0.25 * contrast, shift)).clamp(0.04, 1.0)
    second_h = (h + dice.normal() * 0.08 * (contrast > 0.3)) % 1.0
    second_s = (s + dice.uniform(-0.2, 0.2)).clamp(0.0, 1.0)
    return Material(
        color_a=color_from_hsv(h % 1.0, s, v),
        color_b=color_from_hsv(second_h, second_s, second_v),
        pattern=dice.pick(tuple(int(p) for p in patterns)),
        frequency=dice.log_uniform(*frequency),
        grain=dice.uniform(0.0, 1.0) ** 2 * grain,
        speckle=dice.uniform(0.0, 1.0) ** 2 * speckle,
        emission=dice.uniform(*emission),
        gloss=torch.full((n,), gloss) * dice.uniform(0.0, 1.0),
    )


def wall_paint(dice: Dice) -> Material:
    """Mostly plain and light: the hard case of real interiors; some wallpaper, brick and panels."""
    plain = make_material(
        dice, patterns=(Pattern.PLAIN,), saturation=(0.0, 0.22), value=(0.62, 0.97), grain=0.12, speckle=0.03
    )
    papered = make_material(
        dice,
        patterns=(
            Pattern.BRICKS,
            Pattern.STRIPES,
            Pattern.WOOD,
            Pattern.TILES,
            Pattern.DOTS,
            Pattern.PATCHES,
        ),
        saturation=(0.0, 0.45),
        value=(0.35, 0.9),
        frequency=(1.5, 7.0),
        contrast=0.25,
    )
    return mix(dice.chance(0.72), plain, papered)


def floor_cover(dice: Dice) -> Material:
    """Boards, tiles, carpet."""
    wood = make_material(
        dice,
        patterns=(Pattern.WOOD,),
        hue=(0.04, 0.11),
        saturation=(0.25, 0.65),
        value=(0.25, 0.75),
        frequency=(3.0, 9.0),
        contrast=0.3,
        gloss=0.3,
    )
    other = make_material(
        dice,
        patterns=(Pattern.TILES, Pattern.PLAIN, Pattern.CHECKER, Pattern.PATCHES),
        saturation=(0.0, 0.35),
        value=(0.25, 0.85),
        frequency=(1.5, 5.0),
        contrast=0.25,
        speckle=0.3,
        gloss=0.2,
    )
    return mix(dice.chance(0.5), wood, other)


def furniture_finish(dice: Dice) -> Material:
    """Wood, paint or fabric of a piece of furniture."""
    wood = make_material(
        dice,
        patterns=(Pattern.WOOD, Pattern.PLAIN),
        hue=(0.03, 0.12),
        saturation=(0.2, 0.7),
        value=(0.2, 0.8),
        frequency=(3.0, 12.0),
        contrast=0.3,
        gloss=0.3,
    )
    paint = make_material(
        dice,
        patterns=(Pattern.PLAIN, Pattern.PLAIN, Pattern.PATCHES, Pattern.STRIPES),
        saturation=(0.0, 0.6),
        value=(0.08, 0.95),
        frequency=(4.0, 20.0),
        contrast=0.3,
        gloss=0.3,
    )
    return mix(dice.chance(0.5), wood, paint)


def object_finish(dice: Dice) -> Material:
    """Small things: saturated, printed, dotted."""
    return make_material(
        dice,
        patterns=tuple(Pattern),
        saturation=(0.0, 0.9),
        value=(0.1, 0.98),
        frequency=(8.0, 60.0),
        contrast=0.7,
        gloss=0.5,
    )


def picture(dice: Dice) -> Material:
    """Posters, pictures, screens, book spines."""
    return make_material(
        dice,
        patterns=(Pattern.BLOCKS, Pattern.PATCHES, Pattern.MARBLE, Pattern.WINDOWS, Pattern.STRIPES),
        saturation=(0.0, 0.8),
        value=(0.1, 0.95),
        frequency=(3.0, 20.0),
        contrast=0.7,
        gloss=0.2,
    )


def window_light(dice: Dice) -> Material:
    """A bright window with frames."""
    return make_material(
        dice,
        patterns=(Pattern.TILES, Pattern.WINDOWS, Pattern.PATCHES),
        hue=(0.5, 0.65),
        saturation=(0.0, 0.25),
        value=(0.75, 1.0),
        frequency=(0.8, 2.5),
        contrast=0.5,
        emission=(0.2, 1.0),
    )


def facade(dice: Dice) -> Material:
    """Rows of windows, brick, plaster."""
    return make_material(
        dice,
        patterns=(
            Pattern.WINDOWS,
            Pattern.WINDOWS,
            Pattern.WINDOWS,
            Pattern.BRICKS,
            Pattern.TILES,
            Pattern.BLOCKS,
            Pattern.PATCHES,
        ),
        hue=(0.0, 0.15),
        saturation=(0.0, 0.5),
        value=(0.3, 0.9),
        frequency=(0.25, 0.9),
        contrast=0.6,
        grain=0.35,
    )


def pavement(dice: Dice) -> Material:
    """Asphalt, slabs, cobbles."""
    return make_material(
        dice,
        patterns=(Pattern.PATCHES, Pattern.TILES, Pattern.BRICKS, Pattern.PLAIN),
        saturation=(0.0, 0.12),
        value=(0.2, 0.6),
        frequency=(0.5, 4.0),
        contrast=0.15,
        grain=0.4,
        speckle=0.5,
    )


def vegetation(dice: Dice) -> Material:
    """Leaves, grass, bushes."""
    return make_material(
        dice,
        patterns=(Pattern.PATCHES, Pattern.MARBLE),
        hue=(0.17, 0.36),
        saturation=(0.3, 0.75),
        value=(0.15, 0.6),
        frequency=(1.0, 9.0),
        contrast=0.35,
        grain=0.6,
        speckle=0.6,
    )


def rock(dice: Dice) -> Material:
    """Stone, earth, sand."""
    return make_material(
        dice,
        patterns=(Pattern.PATCHES, Pattern.MARBLE, Pattern.PLAIN),
        hue=(0.04, 0.16),
        saturation=(0.05, 0.5),
        value=(0.25, 0.8),
        frequency=(0.5, 5.0),
        contrast=0.35,
        grain=0.6,
        speckle=0.5,
    )


def mix(first: Tensor, a: Material, b: Material) -> Material:
    """Material a where `first` (N,) is true, else b."""
    where = torch.where
    return Material(
        color_a=where(first[:, None], a.color_a, b.color_a),
        color_b=where(first[:, None], a.color_b, b.color_b),
        pattern=where(first, a.pattern, b.pattern),
        frequency=where(first, a.frequency, b.frequency),
        grain=where(first, a.grain, b.grain),
        speckle=where(first, a.speckle, b.speckle),
        emission=where(first, a.emission, b.emission),
        gloss=where(first, a.gloss, b.gloss),
    )
