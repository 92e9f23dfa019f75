"""Furnished rooms out of primitives, N at once. Lengths in metres, z up, the floor at z = 0."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from . import materials
from .layout import Layout, make_light, vector
from .raycast import Shape
from .scenes import Dice, Material, SceneBatch, SceneBuilder
from .textures import Pattern


def compose_room(dice: Dice) -> tuple[SceneBatch, Layout]:
    """A furnished room: plain walls, things on the walls, tables with clutter, shelves, a sofa, chairs."""
    build = SceneBuilder(dice)
    half_x, half_y, height = dice.uniform(1.5, 4.2), dice.uniform(1.5, 4.2), dice.uniform(2.3, 3.2)
    zero = torch.zeros(dice.n)
    build.add(
        Shape.ROOM,
        vector(zero, zero, height / 2),
        vector(half_x, half_y, height / 2),
        materials.wall_paint(dice),
    )
    slab = torch.full((dice.n,), 0.02)
    build.add(Shape.BOX, vector(zero, zero, zero), vector(half_x, half_y, slab), materials.floor_cover(dice))
    ceiling = materials.make_material(
        dice,
        patterns=(Pattern.PLAIN, Pattern.PLAIN, Pattern.TILES),
        saturation=(0.0, 0.08),
        value=(0.75, 1.0),
        frequency=(0.8, 2.0),
        contrast=0.15,
        grain=0.1,
        speckle=0.03,
    )
    build.add(Shape.BOX, vector(zero, zero, height), vector(half_x, half_y, slab), ceiling)
    _hang_on_walls(build, half_x, half_y, height)
    targets = [_put_table(build, half_x, half_y, clutter=5), _put_table(build, half_x, half_y, clutter=3)]
    targets.append(_put_shelf(build, half_x, half_y))
    _put_sofa(build, half_x, half_y)
    _put_cabinets(build, half_x, half_y)
    _put_rug_and_lamp(build, half_x, half_y)
    lamp = vector(
        dice.uniform(-0.8, 0.8) * half_x, dice.uniform(-0.8, 0.8) * half_y, height * dice.uniform(0.65, 0.95)
    )
    lighting = make_light(
        dice, lamp, falloff_m=dice.uniform(1.5, 5.0), ambient=(0.25, 0.7), strength=(0.5, 1.6)
    )
    stacked = torch.stack(targets, 1)
    target = stacked[torch.arange(dice.n), dice.integer(0, len(targets))]
    margin = 0.3
    layout = Layout(
        low=vector(margin - half_x, margin - half_y, dice.uniform(0.5, 1.2)),
        high=vector(half_x - margin, half_y - margin, (height - margin).clamp(max=1.95)),
        target=target,
    )
    return build.build(lighting), layout


def _hang_on_walls(build: SceneBuilder, half_x: Tensor, half_y: Tensor, height: Tensor) -> None:
    """A door, windows and a row of equal pictures, each flat against one of the four walls."""
    dice = build.dice

    def on_wall(
        wall: Tensor,
        along: Tensor,
        z: Tensor,
        half_width: Tensor,
        half_height: Tensor,
        depth: float,
        material: Material,
        present: Tensor,
    ) -> None:
        across_x = wall < 2
        sign = torch.where(wall % 2 == 0, 1.0, -1.0)
        reach = torch.where(across_x, half_y, half_x)
        position = (along * reach).clamp(-reach + half_width, reach - half_width)
        center = vector(
            torch.where(across_x, sign * half_x, position), torch.where(across_x, position, sign * half_y), z
        )
        thin = torch.full_like(half_width, depth)
        size = vector(
            torch.where(across_x, thin, half_width), torch.where(across_x, half_width, thin), half_height
        )
        build.add(Shape.BOX, center, size, material, present=present)

    door_height = dice.uniform(1.9, 2.15) / 2
    on_wall(
        dice.integer(0, 4),
        dice.uniform(-0.8, 0.8),
        door_height,
        dice.uniform(0.38, 0.5),
        door_height,
        0.04,
        materials.furniture_finish(dice),
        dice.chance(0.7),
    )
    for _ in range(2):
        on_wall(
            dice.integer(0, 4),
            dice.uniform(-0.7, 0.7),
            height * 0.56,
            dice.uniform(0.4, 1.1),
            dice.uniform(0.4, 0.7),
            0.03,
            materials.window_light(dice),
            dice.chance(0.5),
        )
    wall, start, spacing = dice.integer(0, 4), dice.uniform(-0.8, 0.0), dice.uniform(0.25, 0.4)
    width, tall, z = dice.uniform(0.12, 0.35), dice.uniform(0.12, 0.45), height * dice.uniform(0.5, 0.68)
    same, row = materials.picture(dice), dice.chance(0.6)
    for index in range(3):
        on_wall(wall, start + index * spacing * 1.4, z, width, tall, 0.02, same, row)
    on_wall(
        dice.integer(0, 4),
        dice.uniform(-0.6, 0.6),
        z,
        dice.uniform(0.3, 0.9),
        dice.uniform(0.25, 0.6),
        0.03,
        materials.picture(dice),
        dice.chance(0.6),
    )


def _put_table(build: SceneBuilder, half_x: Tensor, half_y: Tensor, clutter: int) -> Tensor:
    """A table on two side panels or posts, with small things on it; returns the centre of its top."""
    dice = build.dice
    long, wide, top = dice.uniform(0.45, 1.0), dice.uniform(0.3, 0.5), dice.uniform(0.42, 0.95)
    x, y = dice.uniform(-0.75, 0.75) * half_x, dice.uniform(-0.75, 0.75) * half_y
    yaw = _wall_aligned_yaw(dice)
    finish, present = materials.furniture_finish(dice), dice.chance(0.9)
    c, s = yaw.cos(), yaw.sin()

    def at(u: Tensor, v: Tensor, z: Tensor) -> Tensor:
        return vector(x + c * u - s * v, y + s * u + c * v, z)

    zero, thin = torch.zeros(dice.n), torch.full((dice.n,), 0.02)
    build.add(
        Shape.BOX, at(zero, zero, top - 0.02), vector(long, wide, thin), finish, yaw_rad=yaw, present=present
    )
    leg_depth = torch.where(dice.chance(0.5), wide * 0.9, torch.full_like(wide, 0.03))
    for side in (-0.88, 0.88):
        build.add(
            Shape.BOX,
            at(long * side, zero, top / 2 - 0.02),
            vector(thin * 1.5, leg_depth, top / 2 - 0.02),
            finish,
            yaw_rad=yaw,
            present=present,
        )
    for index in range(clutter):
        size = dice.log_uniform(0.03, 0.16, 3)
        spot = at(dice.uniform(-0.85, 0.85) * long, dice.uniform(-0.8, 0.8) * wide, top + size[:, 2])
        shape = (Shape.BOX, Shape.CYLINDER, Shape.ELLIPSOID)[index % 3]
        if shape != Shape.BOX:
            size = vector(size[:, 0], size[:, 0], size[:, 2])
        build.add(
            shape, spot, size, materials.object_finish(dice), yaw_rad=dice.uniform(0.0, 3.1), present=present
        )
    return at(zero, zero, top)


def _wall_aligned_yaw(dice: Dice) -> Tensor:
    """Mostly along the walls, sometimes any direction."""
    aligned = dice.integer(0, 4).to(torch.float32) * (math.pi / 2)
    return torch.where(dice.chance(0.7), aligned, dice.uniform(0.0, 2 * math.pi))


def _put_shelf(build: SceneBuilder, half_x: Tensor, half_y: Tensor) -> Tensor:
    """Shelf boards on a back panel with blocks of books, against the +x or -x wall; returns its middle."""
    dice = build.dice
    side = torch.where(dice.chance(0.5), 1.0, -1.0)
    width, tall, deep = dice.uniform(0.35, 0.8), dice.uniform(0.9, 2.1), dice.uniform(0.12, 0.22)
    y = dice.uniform(-0.7, 0.7) * half_y
    x = side * (half_x - deep)
    finish, present = materials.furniture_finish(dice), dice.chance(0.75)
    thin = torch.full((dice.n,), 0.015)
    build.add(
        Shape.BOX,
        vector(side * (half_x - 0.02), y, tall / 2),
        vector(thin, width, tall / 2),
        finish,
        present=present,
    )
    levels = 4
    for level in range(levels):
        z = tall * (level + 0.6) / levels
        build.add(Shape.BOX, vector(x, y, z), vector(deep, width, thin), finish, present=present)
        books = dice.uniform(0.3, 0.95) * width
        high = tall / levels * dice.uniform(0.2, 0.42)
        build.add(
            Shape.BOX,
            vector(x, y + (width - books) * dice.uniform(-1, 1), z + high),
            vector(deep * 0.85, books, high),
            materials.picture(dice),
            present=present & dice.chance(0.75),
        )
    return vector(x, y, tall * 0.5)


def _put_sofa(build: SceneBuilder, half_x: Tensor, half_y: Tensor) -> None:
    """Base, back and two arms, its back to the +y or -y wall."""
    dice = build.dice
    side = torch.where(dice.chance(0.5), 1.0, -1.0)
    width, deep, seat = dice.uniform(0.5, 1.1), dice.uniform(0.35, 0.48), dice.uniform(0.18, 0.26)
    x, y = dice.uniform(-0.6, 0.6) * half_x, side * (half_y - deep - dice.uniform(0.0, 0.6))
    finish, present = materials.furniture_finish(dice), dice.chance(0.6)
    build.add(Shape.BOX, vector(x, y, seat), vector(width, deep, seat), finish, present=present)
    build.add(
        Shape.BOX,
        vector(x, y + side * deep * 0.8, seat * 2),
        vector(width, deep * 0.2, seat * 1.9),
        finish,
        present=present,
    )
    for end in (-1.0, 1.0):
        build.add(
            Shape.BOX,
            vector(x + end * width, y, seat * 1.4),
            vector(deep * 0.2, deep, seat * 1.4),
            finish,
            present=present,
        )


def _put_cabinets(build: SceneBuilder, half_x: Tensor, half_y: Tensor) -> None:
    """Free-standing boxes and stools."""
    dice = build.dice
    for shape in (Shape.BOX, Shape.BOX, Shape.BOX, Shape.CYLINDER):
        size = vector(dice.uniform(0.15, 0.5), dice.uniform(0.15, 0.4), dice.uniform(0.15, 0.8))
        if shape == Shape.CYLINDER:
            size = vector(size[:, 1], size[:, 1], size[:, 2] * 0.6)
        spot = vector(dice.uniform(-0.95, 0.95) * half_x, dice.uniform(-0.95, 0.95) * half_y, size[:, 2])
        build.add(
            shape,
            spot,
            size,
            materials.furniture_finish(dice),
            yaw_rad=_wall_aligned_yaw(dice),
            present=dice.chance(0.7),
        )


def _put_rug_and_lamp(build: SceneBuilder, half_x: Tensor, half_y: Tensor) -> None:
    """A flat rug, and a standing lamp of a pole and a shade."""
    dice = build.dice
    flat = torch.full((dice.n,), 0.03)
    spot = vector(dice.uniform(-0.5, 0.5) * half_x, dice.uniform(-0.5, 0.5) * half_y, flat * 0)
    build.add(
        Shape.BOX,
        spot,
        vector(dice.uniform(0.5, 1.2), dice.uniform(0.4, 0.9), flat),
        materials.object_finish(dice),
        yaw_rad=_wall_aligned_yaw(dice),
        present=dice.chance(0.5),
    )
    x, y, tall = dice.uniform(-0.9, 0.9) * half_x, dice.uniform(-0.9, 0.9) * half_y, dice.uniform(0.6, 0.85)
    present, thin = dice.chance(0.4), torch.full((dice.n,), 0.02)
    build.add(
        Shape.CYLINDER,
        vector(x, y, tall),
        vector(thin, thin, tall),
        materials.furniture_finish(dice),
        present=present,
    )
    shade = dice.uniform(0.12, 0.25)
    build.add(
        Shape.ELLIPSOID,
        vector(x, y, tall * 2),
        vector(shade, shade, shade * 0.9),
        materials.window_light(dice),
        present=present,
    )
