"""What a procedural scene is: a padded table of primitives, materials, a light and a sky, for N scenes at once.

World space: metres, z up. The composers in `compose.py` fill a `SceneBuilder` slot by slot; each slot is one
primitive of every scene, present in some of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from .raycast import Shape

MATERIAL_FIELDS = ("frequency", "grain", "speckle", "emission", "gloss")


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Surface of one slot in N scenes. Colours are linear RGB (N, 3), the others (N,)."""

    color_a: Tensor
    color_b: Tensor
    pattern: Tensor  # int32, see Pattern
    frequency: Tensor  # 1/m, of the pattern
    grain: Tensor  # amplitude of slow brightness noise
    speckle: Tensor  # amplitude of fine brightness noise
    emission: Tensor  # light of its own
    gloss: Tensor  # strength of the highlight


@dataclass(frozen=True, slots=True, eq=False)
class Lighting:
    """Light of N scenes: one shadowed source at a point, ambient light and a sky."""

    position: Tensor  # (N, 3) metres; far away for a sun
    color: Tensor  # (N, 3)
    falloff_m: Tensor  # (N,) distance at which the light has dropped to a half; huge for a sun
    ambient: Tensor  # (N, 3)
    unevenness: Tensor  # (N,) amplitude of slow spatial variation of the ambient light
    sky_low: Tensor  # (N, 3) at the horizon
    sky_high: Tensor  # (N, 3) at the zenith
    cloud: Tensor  # (N,) amount of clouds, 0 none


@dataclass(frozen=True, slots=True, eq=False)
class SceneBatch:
    """N scenes of P primitives each, on one device."""

    shape: Tensor  # (N, P) int32, see Shape
    local_from_world: Tensor  # (N, P, 3, 3), into the unit shape
    local_offset: Tensor  # (N, P, 3)
    half_size: Tensor  # (N, P, 3) metres
    pattern: Tensor  # (N, P) int32
    seed: Tensor  # (N, P) int32
    color_a: Tensor  # (N, P, 3)
    color_b: Tensor  # (N, P, 3)
    surface: Tensor  # (N, P, 5), columns MATERIAL_FIELDS
    lighting: Lighting

    @property
    def n_scenes(self) -> int:
        return self.shape.shape[0]

    def to(self, device: torch.device) -> SceneBatch:
        """The same scenes on another device."""
        moved = {f.name: getattr(self, f.name).to(device) for f in fields(self) if f.name != "lighting"}
        light = {f.name: getattr(self.lighting, f.name).to(device) for f in fields(self.lighting)}
        return SceneBatch(**moved, lighting=Lighting(**light))

    def without(self, hidden_NP: Tensor) -> SceneBatch:
        """The same scenes with the marked primitives taken out."""
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "shape"}
        return SceneBatch(shape=self.shape.masked_fill(hidden_NP, int(Shape.NONE)), **kept)


def concatenate_scenes(parts: list[SceneBatch]) -> SceneBatch:
    """Batches of scenes one after another; primitive tables are padded with empty slots to the longest."""
    n_slots = max(part.shape.shape[1] for part in parts)

    def padded(x: Tensor) -> Tensor:
        missing = n_slots - x.shape[1]
        return torch.cat((x, x.new_zeros((x.shape[0], missing, *x.shape[2:]))), 1) if missing else x

    tables = {
        f.name: torch.cat([padded(getattr(part, f.name)) for part in parts])
        for f in fields(SceneBatch)
        if f.name != "lighting"
    }
    light = {f.name: torch.cat([getattr(part.lighting, f.name) for part in parts]) for f in fields(Lighting)}
    return SceneBatch(**tables, lighting=Lighting(**light))


def colliding(scenes: SceneBatch, points_NF3: Tensor, margin_m: float) -> Tensor:
    """Which solids (rooms aside) come within about `margin_m` of any of the points: bool (N, P)."""
    local = (
        torch.einsum("npij,nfj->npfi", scenes.local_from_world, points_NF3) + scenes.local_offset[:, :, None]
    )
    reach = 1.0 + margin_m / scenes.half_size.clamp(min=1e-3)
    inside = (local.abs() < reach[:, :, None]).all(-1).any(-1)
    return inside & (scenes.shape != Shape.ROOM)


class Dice:
    """Random draws for N scenes at once, always made on the CPU, so that a seed means the same scene anywhere."""

    def __init__(self, n_scenes: int, generator: torch.Generator) -> None:
        self.n = n_scenes
        self._generator = generator

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """(N, *shape), uniform."""
        return torch.rand((self.n, *shape), generator=self._generator) * (high - low) + low

    def log_uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """(N, *shape), uniform in the logarithm."""
        return self.uniform(math.log(low), math.log(high), *shape).exp()

    def normal(self, *shape: int) -> Tensor:
        """(N, *shape), standard normal."""
        return torch.randn((self.n, *shape), generator=self._generator)

    def chance(self, probability: float) -> Tensor:
        """(N,) bool."""
        return self.uniform(0.0, 1.0) < probability

    def integer(self, low: int, high: int) -> Tensor:
        """(N,) int64 in [low, high)."""
        return torch.randint(low, high, (self.n,), generator=self._generator)

    def pick(self, options: tuple[int, ...]) -> Tensor:
        """(N,) int32, one of the options each."""
        return torch.tensor(options, dtype=torch.int32)[self.integer(0, len(options))]

    def seeds(self) -> Tensor:
        """(N,) int32 for the hash noise."""
        return self.integer(0, 1 << 20).to(torch.int32)


@dataclass(slots=True)
class SceneBuilder:
    """Collects primitives slot by slot; owned by one composer call."""

    dice: Dice
    _slots: list[tuple[Tensor, ...]] = field(default_factory=list)

    def add(
        self,
        shape: Shape,
        center_N3: Tensor,
        half_size_N3: Tensor,
        material: Material,
        *,
        yaw_rad: Tensor | None = None,
        tilt_rad: Tensor | None = None,
        present: Tensor | None = None,
    ) -> None:
        """One more primitive: its local axes are turned by `tilt` about x, then by `yaw` about the vertical."""
        n = self.dice.n
        yaw = torch.zeros(n) if yaw_rad is None else yaw_rad
        tilt = torch.zeros(n) if tilt_rad is None else tilt_rad
        half_size = half_size_N3.clamp(min=0.002)
        world_from_axes = _rotation_z(yaw) @ _rotation_x(tilt)
        local_from_world = world_from_axes.transpose(1, 2) / half_size[:, :, None]
        offset = -(local_from_world @ center_N3[:, :, None])[:, :, 0]
        kind = torch.full((n,), int(shape), dtype=torch.int32)
        if present is not None:
            kind = kind.masked_fill(~present, int(Shape.NONE))
        surface = torch.stack([getattr(material, name) for name in MATERIAL_FIELDS], -1)
        self._slots.append(
            (
                kind,
                local_from_world,
                offset,
                half_size,
                material.pattern,
                self.dice.seeds(),
                material.color_a,
                material.color_b,
                surface,
            )
        )

    def build(self, lighting: Lighting) -> SceneBatch:
        """All slots so far as one batch."""
        columns = [torch.stack(column, 1) for column in zip(*self._slots, strict=True)]
        shape, local, offset, half_size, pattern, seed, color_a, color_b, surface = columns
        return SceneBatch(shape, local, offset, half_size, pattern, seed, color_a, color_b, surface, lighting)


def _rotation_z(angle: Tensor) -> Tensor:
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack((c, -s, zero, s, c, zero, zero, zero, one), -1).unflatten(-1, (3, 3))


def _rotation_x(angle: Tensor) -> Tensor:
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack((one, zero, zero, zero, c, -s, zero, s, c), -1).unflatten(-1, (3, 3))


def color_from_hsv(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Linear RGB (..., 3) of hue, saturation and value in [0, 1]."""
    k = (torch.tensor([5.0, 3.0, 1.0]) + hue[..., None] * 6.0) % 6.0
    ramp = torch.minimum(k, 4.0 - k).clamp(0.0, 1.0)
    display = value[..., None] * (1.0 - saturation[..., None] * ramp)
    return display**2.2
