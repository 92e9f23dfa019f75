"""Composers: rooms, streets and open terrain out of primitives.

A `Layout` says where cameras may be and what they may look at; trajectories are drawn from it. All lengths metres.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from . import materials
from .raycast import Shape
from .scenes import Dice, Lighting, SceneBatch, SceneBuilder, color_from_hsv
from .textures import Pattern


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the cameras of N scenes may go: an axis-aligned box, and a point worth looking at."""

    low: Tensor  # (N, 3)
    high: Tensor  # (N, 3)
    target: Tensor  # (N, 3)


Composer = Callable[[Dice], tuple[SceneBatch, Layout]]


def _vector(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return torch.stack((x, y, z), -1)


def compose_room(dice: Dice) -> tuple[SceneBatch, Layout]:
    """A furnished room: plain walls, things on the walls, tables with clutter, shelves, a sofa, chairs."""
    build = SceneBuilder(dice)
    half_x, half_y, height = dice.uniform(1.5, 4.2), dice.uniform(1.5, 4.2), dice.uniform(2.3, 3.2)
    zero = torch.zeros(dice.n)
    build.add(
        Shape.ROOM,
        _vector(zero, zero, height / 2),
        _vector(half_x, half_y, height / 2),
        materials.wall_paint(dice),
    )
    slab = torch.full((dice.n,), 0.02)
    build.add(
        Shape.BOX, _vector(zero, zero, zero), _vector(half_x, half_y, slab), materials.floor_cover(dice)
    )
    ceiling = materials.make_material(
        dice, patterns=(Pattern.PLAIN, Pattern.PLAIN, Pattern.TILES), saturation=(0.0, 0.08), value=(0.75, 1.0),
        frequency=(0.8, 2.0), contrast=0.15, grain=0.1, speckle=0.03,
    )  # fmt: skip
    build.add(Shape.BOX, _vector(zero, zero, height), _vector(half_x, half_y, slab), ceiling)
    _hang_on_walls(build, half_x, half_y, height)
    targets = [_put_table(build, half_x, half_y, clutter=5), _put_table(build, half_x, half_y, clutter=3)]
    targets.append(_put_shelf(build, half_x, half_y))
    _put_sofa(build, half_x, half_y)
    _put_cabinets(build, half_x, half_y)
    _put_rug_and_lamp(build, half_x, half_y)
    lamp = _vector(
        dice.uniform(-0.8, 0.8) * half_x, dice.uniform(-0.8, 0.8) * half_y, height * dice.uniform(0.65, 0.95)
    )
    lighting = _make_light(
        dice, lamp, falloff_m=dice.uniform(1.5, 5.0), ambient=(0.25, 0.7), strength=(0.5, 1.6)
    )
    stacked = torch.stack(targets, 1)
    target = stacked[torch.arange(dice.n), dice.integer(0, len(targets))]
    margin = 0.3
    layout = Layout(
        low=_vector(margin - half_x, margin - half_y, dice.uniform(0.5, 1.2)),
        high=_vector(half_x - margin, half_y - margin, (height - margin).clamp(max=1.95)),
        target=target,
    )
    return build.build(lighting), layout


def _hang_on_walls(build: SceneBuilder, half_x: Tensor, half_y: Tensor, height: Tensor) -> None:
    """A door, windows and a row of equal pictures, each flat against one of the four walls."""
    dice = build.dice

    def on_wall(wall: Tensor, along: Tensor, z: Tensor, half_width: Tensor, half_height: Tensor, depth: float,
                material: materials.Material, present: Tensor) -> None:  # fmt: skip
        across_x = wall < 2
        sign = torch.where(wall % 2 == 0, 1.0, -1.0)
        reach = torch.where(across_x, half_y, half_x)
        position = (along * reach).clamp(-reach + half_width, reach - half_width)
        center = _vector(
            torch.where(across_x, sign * half_x, position), torch.where(across_x, position, sign * half_y), z
        )
        thin = torch.full_like(half_width, depth)
        size = _vector(
            torch.where(across_x, thin, half_width), torch.where(across_x, half_width, thin), half_height
        )
        build.add(Shape.BOX, center, size, material, present=present)

    door_height = dice.uniform(1.9, 2.15) / 2
    on_wall(dice.integer(0, 4), dice.uniform(-0.8, 0.8), door_height, dice.uniform(0.38, 0.5), door_height, 0.04,
            materials.furniture_finish(dice), dice.chance(0.7))  # fmt: skip
    for _ in range(2):
        on_wall(dice.integer(0, 4), dice.uniform(-0.7, 0.7), height * 0.56, dice.uniform(0.4, 1.1),
                dice.uniform(0.4, 0.7), 0.03, materials.window_light(dice), dice.chance(0.5))  # fmt: skip
    wall, start, spacing = dice.integer(0, 4), dice.uniform(-0.8, 0.0), dice.uniform(0.25, 0.4)
    width, tall, z = dice.uniform(0.12, 0.35), dice.uniform(0.12, 0.45), height * dice.uniform(0.5, 0.68)
    same, row = materials.picture(dice), dice.chance(0.6)
    for index in range(3):
        on_wall(wall, start + index * spacing * 1.4, z, width, tall, 0.02, same, row)
    on_wall(dice.integer(0, 4), dice.uniform(-0.6, 0.6), z, dice.uniform(0.3, 0.9), dice.uniform(0.25, 0.6), 0.03,
            materials.picture(dice), dice.chance(0.6))  # fmt: skip


def _put_table(build: SceneBuilder, half_x: Tensor, half_y: Tensor, clutter: int) -> Tensor:
    """A table with two side panels or four legs' worth of base, and small things on it; returns its top's centre."""
    dice = build.dice
    long, wide, top = dice.uniform(0.45, 1.0), dice.uniform(0.3, 0.5), dice.uniform(0.42, 0.95)
    x, y = dice.uniform(-0.75, 0.75) * half_x, dice.uniform(-0.75, 0.75) * half_y
    yaw = _wall_aligned_yaw(dice)
    finish, present = materials.furniture_finish(dice), dice.chance(0.9)
    c, s = yaw.cos(), yaw.sin()

    def at(u: Tensor, v: Tensor, z: Tensor) -> Tensor:
        return _vector(x + c * u - s * v, y + s * u + c * v, z)

    zero, thin = torch.zeros(dice.n), torch.full((dice.n,), 0.02)
    build.add(
        Shape.BOX, at(zero, zero, top - 0.02), _vector(long, wide, thin), finish, yaw_rad=yaw, present=present
    )
    leg_depth = torch.where(dice.chance(0.5), wide * 0.9, torch.full_like(wide, 0.03))
    for side in (-0.88, 0.88):
        build.add(Shape.BOX, at(long * side, zero, top / 2 - 0.02), _vector(thin * 1.5, leg_depth, top / 2 - 0.02),
                  finish, yaw_rad=yaw, present=present)  # fmt: skip
    for index in range(clutter):
        size = dice.log_uniform(0.03, 0.16, 3)
        spot = at(dice.uniform(-0.85, 0.85) * long, dice.uniform(-0.8, 0.8) * wide, top + size[:, 2])
        shape = (Shape.BOX, Shape.CYLINDER, Shape.ELLIPSOID)[index % 3]
        if shape != Shape.BOX:
            size = _vector(size[:, 0], size[:, 0], size[:, 2])
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
    build.add(Shape.BOX, _vector(side * (half_x - 0.02), y, tall / 2), _vector(thin, width, tall / 2), finish,
              present=present)  # fmt: skip
    levels = 4
    for level in range(levels):
        z = tall * (level + 0.6) / levels
        build.add(Shape.BOX, _vector(x, y, z), _vector(deep, width, thin), finish, present=present)
        books = dice.uniform(0.3, 0.95) * width
        high = tall / levels * dice.uniform(0.2, 0.42)
        build.add(Shape.BOX, _vector(x, y + (width - books) * dice.uniform(-1, 1), z + high),
                  _vector(deep * 0.85, books, high), materials.picture(dice),
                  present=present & dice.chance(0.75))  # fmt: skip
    return _vector(x, y, tall * 0.5)


def _put_sofa(build: SceneBuilder, half_x: Tensor, half_y: Tensor) -> None:
    """Base, back and two arms, its back to the +y or -y wall."""
    dice = build.dice
    side = torch.where(dice.chance(0.5), 1.0, -1.0)
    width, deep, seat = dice.uniform(0.5, 1.1), dice.uniform(0.35, 0.48), dice.uniform(0.18, 0.26)
    x, y = dice.uniform(-0.6, 0.6) * half_x, side * (half_y - deep - dice.uniform(0.0, 0.6))
    finish, present = materials.furniture_finish(dice), dice.chance(0.6)
    build.add(Shape.BOX, _vector(x, y, seat), _vector(width, deep, seat), finish, present=present)
    build.add(Shape.BOX, _vector(x, y + side * deep * 0.8, seat * 2), _vector(width, deep * 0.2, seat * 1.9), finish,
              present=present)  # fmt: skip
    for end in (-1.0, 1.0):
        build.add(Shape.BOX, _vector(x + end * width, y, seat * 1.4), _vector(deep * 0.2, deep, seat * 1.4), finish,
                  present=present)  # fmt: skip


def _put_cabinets(build: SceneBuilder, half_x: Tensor, half_y: Tensor) -> None:
    """Free-standing boxes and stools."""
    dice = build.dice
    for shape in (Shape.BOX, Shape.BOX, Shape.BOX, Shape.CYLINDER):
        size = _vector(dice.uniform(0.15, 0.5), dice.uniform(0.15, 0.4), dice.uniform(0.15, 0.8))
        if shape == Shape.CYLINDER:
            size = _vector(size[:, 1], size[:, 1], size[:, 2] * 0.6)
        spot = _vector(dice.uniform(-0.95, 0.95) * half_x, dice.uniform(-0.95, 0.95) * half_y, size[:, 2])
        build.add(shape, spot, size, materials.furniture_finish(dice), yaw_rad=_wall_aligned_yaw(dice),
                  present=dice.chance(0.7))  # fmt: skip


def _put_rug_and_lamp(build: SceneBuilder, half_x: Tensor, half_y: Tensor) -> None:
    """A flat rug, and a standing lamp of a pole and a shade."""
    dice = build.dice
    flat = torch.full((dice.n,), 0.03)
    spot = _vector(dice.uniform(-0.5, 0.5) * half_x, dice.uniform(-0.5, 0.5) * half_y, flat * 0)
    build.add(Shape.BOX, spot, _vector(dice.uniform(0.5, 1.2), dice.uniform(0.4, 0.9), flat),
              materials.object_finish(dice), yaw_rad=_wall_aligned_yaw(dice), present=dice.chance(0.5))  # fmt: skip
    x, y, tall = dice.uniform(-0.9, 0.9) * half_x, dice.uniform(-0.9, 0.9) * half_y, dice.uniform(0.6, 0.85)
    present, thin = dice.chance(0.4), torch.full((dice.n,), 0.02)
    build.add(Shape.CYLINDER, _vector(x, y, tall), _vector(thin, thin, tall), materials.furniture_finish(dice),
              present=present)  # fmt: skip
    shade = dice.uniform(0.12, 0.25)
    build.add(Shape.ELLIPSOID, _vector(x, y, tall * 2), _vector(shade, shade, shade * 0.9),
              materials.window_light(dice), present=present)  # fmt: skip


def compose_street(dice: Dice) -> tuple[SceneBatch, Layout]:
    """A street along y: rows of buildings, pavements, cars, trees, poles."""
    build = SceneBuilder(dice)
    half_road = dice.uniform(2.5, 6.0)
    far = torch.full((dice.n,), 150.0)
    zero, slab = torch.zeros(dice.n), torch.full((dice.n,), 0.5)
    build.add(Shape.BOX, _vector(zero, zero, -slab), _vector(far, far, slab), materials.pavement(dice))
    line = materials.make_material(dice, patterns=(Pattern.STRIPES, Pattern.PLAIN), saturation=(0.0, 0.1),
                                   value=(0.7, 1.0), frequency=(0.15, 0.4), contrast=0.7)  # fmt: skip
    build.add(Shape.BOX, _vector(zero, zero, zero), _vector(zero + 0.09, far, zero + 0.01), line,
              present=dice.chance(0.6))  # fmt: skip
    for side in (-1.0, 1.0):
        kerb = half_road + 1.5
        build.add(Shape.BOX, _vector(side * kerb, zero, zero), _vector(zero + 1.5, far, zero + 0.14),
                  materials.pavement(dice))  # fmt: skip
        y = dice.uniform(-22.0, -14.0)
        for _ in range(4):
            length, height = dice.uniform(4.0, 9.0), dice.log_uniform(2.5, 11.0)
            deep = dice.uniform(3.0, 6.0)
            x = side * (half_road + 3.0 + deep + dice.uniform(0.0, 1.5))
            wall = materials.facade(dice)
            present = dice.chance(0.9)
            build.add(
                Shape.BOX,
                _vector(x, y + length, height),
                _vector(deep, length, height),
                wall,
                present=present,
            )
            roof = dice.uniform(0.8, 2.0)
            build.add(Shape.GABLE, _vector(x, y + length, height * 2 + roof),
                      _vector(deep * 1.05, length * 1.02, roof), materials.rock(dice),
                      present=present & dice.chance(0.5))  # fmt: skip
            y = y + 2 * length + torch.where(dice.chance(0.3), dice.uniform(1.0, 6.0), zero)
    for index in range(4):
        side = -1.0 if index % 2 else 1.0
        x, y = side * (half_road - 1.1), dice.uniform(-14.0, 18.0)
        paint = materials.make_material(dice, patterns=(Pattern.PLAIN,), value=(0.1, 0.95), saturation=(0.0, 0.8),
                                        gloss=0.8)  # fmt: skip
        glass = materials.make_material(dice, patterns=(Pattern.PLAIN,), value=(0.05, 0.3), gloss=0.8)
        present = dice.chance(0.7)
        length, high = dice.uniform(1.8, 2.4), dice.uniform(0.38, 0.5)
        build.add(
            Shape.BOX, _vector(x, y, high + 0.25), _vector(zero + 0.88, length, high), paint, present=present
        )
        build.add(Shape.BOX, _vector(x, y - 0.2, high * 2 + 0.55), _vector(zero + 0.76, length * 0.55, zero + 0.33),
                  glass, present=present)  # fmt: skip
    _plant_trees(build, count=3, spread_x=half_road + 2.0, near_y=20.0, size=(1.0, 2.2), on_kerb=True)
    for _ in range(3):
        tall = dice.uniform(1.5, 3.5)
        x = torch.where(dice.chance(0.5), 1.0, -1.0) * (half_road + dice.uniform(0.3, 1.0))
        build.add(Shape.CYLINDER, _vector(x, dice.uniform(-15.0, 20.0), tall), _vector(zero + 0.07, zero + 0.07, tall),
                  materials.furniture_finish(dice), present=dice.chance(0.7))  # fmt: skip
    lighting = _make_sun(dice)
    layout = Layout(
        low=_vector(-half_road * 0.9, zero - 12.0, zero + 1.2),
        high=_vector(half_road * 0.9, zero + 6.0, torch.where(dice.chance(0.75), zero + 2.2, zero + 7.0)),
        target=_vector(
            dice.uniform(-1.0, 1.0) * (half_road + 3), dice.uniform(6.0, 22.0), dice.uniform(0.5, 4.0)
        ),
    )
    return build.build(lighting), layout


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
        trunk, thick = crown * dice.uniform(0.5, 1.2), crown * 0.09
        present = dice.chance(0.75)
        build.add(Shape.CYLINDER, _vector(x, y, trunk), _vector(thick, thick, trunk), materials.rock(dice),
                  present=present)  # fmt: skip
        shape = Shape.PYRAMID if index % 3 == 2 else Shape.ELLIPSOID
        build.add(shape, _vector(x, y, trunk * 2 + crown * 0.6), _vector(crown, crown, crown * dice.uniform(0.8, 1.5)),
                  materials.vegetation(dice), yaw_rad=dice.uniform(0.0, 3.1), present=present)  # fmt: skip


def compose_terrain(dice: Dice) -> tuple[SceneBatch, Layout]:
    """Open ground with hills, rocks, trees and huts, seen from eye height or from the air."""
    build = SceneBuilder(dice)
    zero = torch.zeros(dice.n)
    far = zero + 220.0
    ground = materials.mix(dice.chance(0.6), materials.vegetation(dice), materials.rock(dice))
    build.add(Shape.BOX, _vector(zero, zero, zero - 1.0), _vector(far, far, zero + 1.0), ground)
    for _ in range(7):
        wide, tall = dice.uniform(8.0, 45.0), dice.uniform(1.0, 12.0)
        cover = materials.mix(dice.chance(0.6), materials.vegetation(dice), materials.rock(dice))
        center = _vector(dice.uniform(-60.0, 60.0), dice.uniform(0.0, 110.0), -0.3 * tall)
        build.add(Shape.ELLIPSOID, center, _vector(wide, wide * dice.uniform(0.5, 1.3), tall * 1.3), cover,
                  yaw_rad=dice.uniform(0.0, 3.1))  # fmt: skip
    path = materials.pavement(dice)
    build.add(Shape.BOX, _vector(dice.uniform(-4.0, 4.0), zero, zero), _vector(dice.uniform(0.6, 2.0), far, zero + 0.02),
              path, yaw_rad=dice.uniform(-0.3, 0.3), present=dice.chance(0.6))  # fmt: skip
    for index in range(8):
        size = dice.log_uniform(0.25, 2.0, 3)
        center = _vector(dice.uniform(-12.0, 12.0), dice.uniform(-4.0, 26.0), size[:, 2] * 0.5)
        shape = (Shape.ELLIPSOID, Shape.BOX, Shape.ELLIPSOID, Shape.PYRAMID)[index % 4]
        build.add(shape, center, size, materials.rock(dice), yaw_rad=dice.uniform(0.0, 3.1),
                  tilt_rad=dice.normal() * 0.25, present=dice.chance(0.8))  # fmt: skip
    _plant_trees(build, count=6, spread_x=zero + 16.0, near_y=28.0, size=(1.0, 2.8), on_kerb=False)
    for _ in range(2):
        size = _vector(dice.uniform(1.5, 4.0), dice.uniform(1.5, 5.0), dice.uniform(1.1, 2.2))
        x, y, yaw = dice.uniform(-14.0, 14.0), dice.uniform(8.0, 32.0), dice.uniform(0.0, 3.1)
        present = dice.chance(0.6)
        build.add(
            Shape.BOX, _vector(x, y, size[:, 2]), size, materials.facade(dice), yaw_rad=yaw, present=present
        )
        roof = dice.uniform(0.5, 1.4)
        build.add(Shape.GABLE, _vector(x, y, size[:, 2] * 2 + roof), _vector(size[:, 0] * 1.1, size[:, 1] * 1.1, roof),
                  materials.rock(dice), yaw_rad=yaw, present=present)  # fmt: skip
    lighting = _make_sun(dice)
    aerial = dice.chance(0.4)
    layout = Layout(
        low=_vector(zero - 8.0, zero - 12.0, torch.where(aerial, zero + 4.0, zero + 1.3)),
        high=_vector(zero + 8.0, zero + 6.0, torch.where(aerial, zero + 14.0, zero + 2.2)),
        target=_vector(
            dice.uniform(-8.0, 8.0), dice.uniform(8.0, 26.0), torch.where(aerial, zero, zero + 1.5)
        ),
    )
    return build.build(lighting), layout


def _make_sun(dice: Dice) -> Lighting:
    """A sun with warm or neutral light and a blue, grey or evening sky."""
    azimuth, elevation = dice.uniform(0.0, 2 * math.pi), dice.uniform(0.3, 1.3)
    direction = _vector(azimuth.cos() * elevation.cos(), azimuth.sin() * elevation.cos(), elevation.sin())
    return _make_light(
        dice, direction * 5e3, falloff_m=torch.full((dice.n,), 1e9), ambient=(0.25, 0.6), strength=(0.3, 1.3)
    )


def _make_light(
    dice: Dice,
    position: Tensor,
    *,
    falloff_m: Tensor,
    ambient: tuple[float, float],
    strength: tuple[float, float],
) -> Lighting:
    tint = color_from_hsv(dice.uniform(0.05, 0.16), dice.uniform(0.0, 0.3), torch.ones(dice.n))
    ambient_tint = color_from_hsv(dice.uniform(0.5, 0.7), dice.uniform(0.0, 0.15), torch.ones(dice.n))
    blue = dice.chance(0.65)
    hue = torch.where(blue, dice.uniform(0.53, 0.62), dice.uniform(0.0, 1.0))
    sky_high = color_from_hsv(hue, torch.where(blue, dice.uniform(0.2, 0.7), dice.uniform(0.0, 0.1)),
                              dice.uniform(0.55, 1.0))  # fmt: skip
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
