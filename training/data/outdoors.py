"""Streets and open terrain out of primitives, N at once. Lengths in metres, z up, the ground at z = 0."""

from __future__ import annotations

import torch
from torch import Tensor

from . import materials
from .layout import Layout, make_sun, vector
from .raycast import Shape
from .scenes import Dice, Material, SceneBatch, SceneBuilder
from .textures import Pattern


def compose_street(dice: Dice) -> tuple[SceneBatch, Layout]:
    """A street along y: rows of buildings, pavements, cars, trees, poles."""
    build = SceneBuilder(dice)
    half_road = dice.uniform(2.5, 6.0)
    far = torch.full((dice.n,), 150.0)
    zero, slab = torch.zeros(dice.n), torch.full((dice.n,), 0.5)
    build.add(Shape.BOX, vector(zero, zero, -slab), vector(far, far, slab), materials.pavement(dice))
    paint_lane_line(build, vector(zero + 0.09, far, zero + 0.01), share=0.6)
    for side in (-1.0, 1.0):
        kerb = half_road + 1.5
        build.add(
            Shape.BOX,
            vector(side * kerb, zero, zero),
            vector(zero + 1.5, far, zero + 0.14),
            materials.pavement(dice),
        )
        y = dice.uniform(-22.0, -14.0)
        for _ in range(4):
            length, height = dice.uniform(4.0, 9.0), dice.log_uniform(2.5, 11.0)
            deep = dice.uniform(3.0, 6.0)
            x = side * (half_road + 3.0 + deep + dice.uniform(0.0, 1.5))
            wall = materials.facade(dice)
            present = dice.chance(0.9)
            half = vector(deep, length, height)
            build_house(build, x, y + length, half, wall, present, roof=(0.8, 2.0), roof_share=0.5)
            y = y + 2 * length + torch.where(dice.chance(0.3), dice.uniform(1.0, 6.0), zero)
    for index in range(4):
        side = -1.0 if index % 2 else 1.0
        park_car(build, side * (half_road - 1.1), dice.uniform(-14.0, 18.0))
    _plant_trees(build, count=3, spread_x=half_road + 2.0, near_y=20.0, size=(1.0, 2.2), on_kerb=True)
    for _ in range(3):
        tall = dice.uniform(1.5, 3.5)
        x = torch.where(dice.chance(0.5), 1.0, -1.0) * (half_road + dice.uniform(0.3, 1.0))
        build.add(
            Shape.CYLINDER,
            vector(x, dice.uniform(-15.0, 20.0), tall),
            vector(zero + 0.07, zero + 0.07, tall),
            materials.furniture_finish(dice),
            present=dice.chance(0.7),
        )
    lighting = make_sun(dice)
    layout = Layout(
        low=vector(-half_road * 0.9, zero - 12.0, zero + 1.2),
        high=vector(half_road * 0.9, zero + 6.0, torch.where(dice.chance(0.75), zero + 2.2, zero + 7.0)),
        target=vector(
            dice.uniform(-1.0, 1.0) * (half_road + 3), dice.uniform(6.0, 22.0), dice.uniform(0.5, 4.0)
        ),
    )
    return build.build(lighting), layout


def paint_lane_line(build: SceneBuilder, half_size: Tensor, *, share: float) -> None:
    """Along y in the middle of the road, in a share of the scenes."""
    dice = build.dice
    line = materials.make_material(
        dice,
        patterns=(Pattern.STRIPES, Pattern.PLAIN),
        saturation=(0.0, 0.1),
        value=(0.7, 1.0),
        frequency=(0.15, 0.4),
        contrast=0.7,
    )
    build.add(Shape.BOX, torch.zeros_like(half_size), half_size, line, present=dice.chance(share))


def build_house(
    build: SceneBuilder,
    x: Tensor,
    y: Tensor,
    half_size: Tensor,
    wall: Material,
    present: Tensor,
    *,
    roof: tuple[float, float],
    roof_share: float,
) -> None:
    """Walls around (x, y), and on a share of them a gable between these half heights."""
    dice = build.dice
    deep, length, height = half_size.unbind(-1)
    build.add(Shape.BOX, vector(x, y, height), half_size, wall, present=present)
    high = dice.uniform(*roof)
    build.add(
        Shape.GABLE,
        vector(x, y, height * 2 + high),
        vector(deep * 1.05, length * 1.02, high),
        materials.rock(dice),
        present=present & dice.chance(roof_share),
    )


def park_car(build: SceneBuilder, x: Tensor, y: Tensor) -> None:
    """Body and glass, along y; seven cars in ten are there."""
    dice = build.dice
    paint = materials.make_material(
        dice, patterns=(Pattern.PLAIN,), value=(0.1, 0.95), saturation=(0.0, 0.8), gloss=0.8
    )
    glass = materials.make_material(dice, patterns=(Pattern.PLAIN,), value=(0.05, 0.3), gloss=0.8)
    present = dice.chance(0.7)
    length, high = dice.uniform(1.8, 2.4), dice.uniform(0.38, 0.5)
    body, cabin = torch.full((dice.n,), 0.88), torch.full((dice.n,), 0.76)
    build.add(Shape.BOX, vector(x, y, high + 0.25), vector(body, length, high), paint, present=present)
    build.add(
        Shape.BOX,
        vector(x, y - 0.2, high * 2 + 0.55),
        vector(cabin, length * 0.55, torch.full((dice.n,), 0.33)),
        glass,
        present=present,
    )


def drive_along(dice: Dice, layout: Layout, share: float) -> Layout:
    """The layout of a street with some of its cameras low, looking along the road and free to go far."""
    drives = dice.chance(share)[:, None]
    x, y = layout.high[:, 0] * dice.uniform(-0.3, 0.3), dice.uniform(14.0, 30.0)
    ahead = vector(x, y, dice.uniform(1.0, 1.8))
    far = vector(layout.high[:, 0], y * 0 + 16.0, y * 0 + 1.9)
    return Layout(
        low=layout.low,
        high=torch.where(drives, far, layout.high),
        target=torch.where(drives, ahead, layout.target),
    )


def _plant_trees(
    build: SceneBuilder,
    *,
    count: int,
    spread_x: Tensor,
    near_y: float,
    size: tuple[float, float],
    on_kerb: bool,
) -> None:
    """Trunk and crown; crowns alternate between round and conical."""
    dice = build.dice
    for index in range(count):
        side = torch.where(dice.chance(0.5), 1.0, -1.0)
        x = side * spread_x if on_kerb else dice.uniform(-1.0, 1.0) * spread_x
        y, crown = dice.uniform(-near_y, near_y), dice.uniform(*size)
        plant_tree(build, x, y, crown, is_conical=index % 3 == 2)


def plant_tree(build: SceneBuilder, x: Tensor, y: Tensor, crown: Tensor, *, is_conical: bool) -> None:
    """Trunk and crown of half width `crown`; three trees in four are there."""
    dice = build.dice
    trunk, thick = crown * dice.uniform(0.5, 1.2), crown * 0.09
    present = dice.chance(0.75)
    build.add(
        Shape.CYLINDER,
        vector(x, y, trunk),
        vector(thick, thick, trunk),
        materials.rock(dice),
        present=present,
    )
    build.add(
        Shape.PYRAMID if is_conical else Shape.ELLIPSOID,
        vector(x, y, trunk * 2 + crown * 0.6),
        vector(crown, crown, crown * dice.uniform(0.8, 1.5)),
        materials.vegetation(dice),
        yaw_rad=dice.uniform(0.0, 3.1),
        present=present,
    )


def compose_terrain(dice: Dice) -> tuple[SceneBatch, Layout]:
    """Open ground with hills, rocks, trees and huts, seen from eye height or from the air."""
    build = SceneBuilder(dice)
    zero = torch.zeros(dice.n)
    far = zero + 220.0
    ground = materials.mix(dice.chance(0.6), materials.vegetation(dice), materials.rock(dice))
    build.add(Shape.BOX, vector(zero, zero, zero - 1.0), vector(far, far, zero + 1.0), ground)
    for _ in range(7):
        wide, tall = dice.uniform(8.0, 45.0), dice.uniform(1.0, 12.0)
        cover = materials.mix(dice.chance(0.6), materials.vegetation(dice), materials.rock(dice))
        center = vector(dice.uniform(-60.0, 60.0), dice.uniform(0.0, 110.0), -0.3 * tall)
        build.add(
            Shape.ELLIPSOID,
            center,
            vector(wide, wide * dice.uniform(0.5, 1.3), tall * 1.3),
            cover,
            yaw_rad=dice.uniform(0.0, 3.1),
        )
    path = materials.pavement(dice)
    build.add(
        Shape.BOX,
        vector(dice.uniform(-4.0, 4.0), zero, zero),
        vector(dice.uniform(0.6, 2.0), far, zero + 0.02),
        path,
        yaw_rad=dice.uniform(-0.3, 0.3),
        present=dice.chance(0.6),
    )
    for index in range(8):
        size = dice.log_uniform(0.25, 2.0, 3)
        center = vector(dice.uniform(-12.0, 12.0), dice.uniform(-4.0, 26.0), size[:, 2] * 0.5)
        shape = (Shape.ELLIPSOID, Shape.BOX, Shape.ELLIPSOID, Shape.PYRAMID)[index % 4]
        build.add(
            shape,
            center,
            size,
            materials.rock(dice),
            yaw_rad=dice.uniform(0.0, 3.1),
            tilt_rad=dice.normal() * 0.25,
            present=dice.chance(0.8),
        )
    _plant_trees(build, count=6, spread_x=zero + 16.0, near_y=28.0, size=(1.0, 2.8), on_kerb=False)
    for _ in range(2):
        size = vector(dice.uniform(1.5, 4.0), dice.uniform(1.5, 5.0), dice.uniform(1.1, 2.2))
        x, y, yaw = dice.uniform(-14.0, 14.0), dice.uniform(8.0, 32.0), dice.uniform(0.0, 3.1)
        present = dice.chance(0.6)
        build.add(
            Shape.BOX, vector(x, y, size[:, 2]), size, materials.facade(dice), yaw_rad=yaw, present=present
        )
        roof = dice.uniform(0.5, 1.4)
        build.add(
            Shape.GABLE,
            vector(x, y, size[:, 2] * 2 + roof),
            vector(size[:, 0] * 1.1, size[:, 1] * 1.1, roof),
            materials.rock(dice),
            yaw_rad=yaw,
            present=present,
        )
    lighting = make_sun(dice)
    aerial = dice.chance(0.4)
    layout = Layout(
        low=vector(zero - 8.0, zero - 12.0, torch.where(aerial, zero + 4.0, zero + 1.3)),
        high=vector(zero + 8.0, zero + 6.0, torch.where(aerial, zero + 14.0, zero + 2.2)),
        target=vector(
            dice.uniform(-8.0, 8.0), dice.uniform(8.0, 26.0), torch.where(aerial, zero, zero + 1.5)
        ),
    )
    return build.build(lighting), layout
