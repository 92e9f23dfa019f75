"""Wide streets as a car sees them, with gardens before the houses. Metres, z up, the ground at z = 0."""

from __future__ import annotations

import torch
from torch import Tensor

from . import materials
from .layout import Layout, make_sun, vector
from .outdoors import build_house, paint_lane_line, park_car, plant_tree
from .raycast import Shape
from .scenes import Dice, SceneBatch, SceneBuilder

_N_HOUSES = 5  # on each side


def compose_suburb(dice: Dice) -> tuple[SceneBatch, Layout]:
    """A road along y with a long free view, houses 10-25 m from its middle; cameras are low."""
    build = SceneBuilder(dice)
    half_road = dice.uniform(3.5, 6.0)
    _lay_road(build, half_road)
    for side in (-1.0, 1.0):
        _build_houses(build, side, setback=dice.uniform(10.0, 22.0))
        # A hedge or a low wall in front of the gardens.
        high, long = dice.uniform(0.3, 0.9), dice.log_uniform(2.0, 14.0)
        build.add(
            Shape.BOX,
            vector(side * (half_road + dice.uniform(4.0, 6.0)), dice.uniform(0.0, 40.0), high),
            vector(dice.uniform(0.15, 0.6), long, high),
            materials.mix(dice.chance(0.7), materials.vegetation(dice), materials.wall_paint(dice)),
            present=dice.chance(0.7),
        )
    for index in range(4):
        side = -1.0 if index % 2 else 1.0
        park_car(build, side * (half_road + dice.uniform(-1.1, 3.0)), dice.uniform(-4.0, 50.0))
    for index in range(4):
        side = -1.0 if index % 2 else 1.0
        beside = half_road + dice.uniform(1.0, 7.0)
        plant_tree(
            build, side * beside, dice.uniform(2.0, 60.0), dice.uniform(0.9, 2.4), is_conical=index == 3
        )
    tall = dice.uniform(2.5, 4.0)
    thick = torch.full((dice.n,), 0.07)
    build.add(
        Shape.CYLINDER,
        vector(torch.where(dice.chance(0.5), 1.0, -1.0) * (half_road + 0.6), dice.uniform(4.0, 30.0), tall),
        vector(thick, thick, tall),
        materials.furniture_finish(dice),
        present=dice.chance(0.8),
    )
    lighting = make_sun(dice)
    return build.build(lighting), _views_along(dice, half_road)


def _lay_road(build: SceneBuilder, half_road: Tensor) -> None:
    """Ground, road, lane line and two pavements with a verge."""
    dice = build.dice
    far, zero, slab = torch.full((dice.n,), 220.0), torch.zeros(dice.n), torch.full((dice.n,), 0.5)
    grass = materials.mix(dice.chance(0.75), materials.vegetation(dice), materials.rock(dice))
    build.add(Shape.BOX, vector(zero, zero, -slab), vector(far, far, slab), grass)
    build.add(
        Shape.BOX, vector(zero, zero, zero), vector(half_road, far, zero + 0.03), materials.pavement(dice)
    )
    paint_lane_line(build, vector(zero + 0.08, far, zero + 0.04), share=0.5)
    for side in (-1.0, 1.0):
        half = dice.uniform(0.7, 1.4)
        x = half_road + dice.uniform(0.0, 2.5) + half
        build.add(
            Shape.BOX,
            vector(side * x, zero, zero),
            vector(half, far, zero + 0.1),
            materials.pavement(dice),
            present=dice.chance(0.8),
        )


def _build_houses(build: SceneBuilder, side: float, setback: Tensor) -> None:
    """A row with gaps; fronts stand `setback` metres or a little more from the middle of the road."""
    dice = build.dice
    y = dice.uniform(-12.0, 0.0)
    for _ in range(_N_HOUSES):
        length, deep = dice.uniform(4.0, 9.0), dice.uniform(4.0, 7.0)
        height = dice.uniform(1.5, 4.5)
        x = side * (setback + dice.uniform(0.0, 3.0) + deep)
        wall = materials.mix(dice.chance(0.7), materials.facade(dice), materials.wall_paint(dice))
        present = dice.chance(0.85)
        half = vector(deep, length, height)
        build_house(build, x, y + length, half, wall, present, roof=(0.8, 2.2), roof_share=0.75)
        y = y + 2 * length + dice.uniform(2.0, 12.0)


def _views_along(dice: Dice, half_road: Tensor) -> Layout:
    """Low cameras; three in four look along the road, the others across it."""
    zero = torch.zeros(dice.n)
    along = dice.chance(0.75)
    beside = torch.where(dice.chance(0.5), 1.0, -1.0) * (half_road + dice.uniform(2.0, 8.0))
    ahead = half_road * dice.uniform(-0.3, 0.3)
    low_y = zero - 10.0
    return Layout(
        low=vector(-half_road * 0.8, low_y, zero + 1.4),
        high=vector(half_road * 0.8, torch.where(along, zero + 24.0, zero + 10.0), zero + 1.8),
        target=vector(torch.where(along, ahead, beside), dice.uniform(16.0, 36.0), dice.uniform(1.0, 2.0)),
    )
