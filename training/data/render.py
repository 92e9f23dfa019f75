"""Pictures and exact depth of procedural scenes: one shading function over blocks of rays.

The work is cut into blocks of a fixed number of rays, so that one compiled kernel serves every image size. V ray
blocks, R rays of a block, P primitives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from .noise import band_limit, value_noise
from .raycast import CYLINDER, NO_HIT, hit_distances, local_normals
from .scenes import SceneBatch
from .textures import pattern_weight

RAYS_PER_BLOCK = 1728  # divides 192 x 144
_CENTRE = (0.0, 0.0)
_DIAGONAL = ((-0.25, -0.25), (0.25, 0.25))
_OFFSETS = {
    1: (_CENTRE,),
    2: (_CENTRE, *_DIAGONAL),
    4: (_CENTRE, (-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)),
}  # of the rays through a pixel, in pixels, by the number around its centre
_CPU_BLOCKS = 16
_CUDA_BLOCKS = 4096
_SHADOW_BIAS_M = 0.01


class BlockTables(NamedTuple):
    """The scene of every ray block; a tuple because it crosses into a compiled function."""

    shape: Tensor  # (V, P)
    local_from_world: Tensor  # (V, P, 3, 3)
    local_offset: Tensor  # (V, P, 3)
    half_size: Tensor  # (V, P, 3)
    pattern: Tensor  # (V, P)
    seed: Tensor  # (V, P)
    color_a: Tensor  # (V, P, 3)
    color_b: Tensor  # (V, P, 3)
    surface: Tensor  # (V, P, 5), columns scenes.MATERIAL_FIELDS
    light_position: Tensor  # (V, 3)
    light_color: Tensor  # (V, 3)
    falloff_m: Tensor  # (V,)
    ambient: Tensor  # (V, 3)
    unevenness: Tensor  # (V,)
    sky_low: Tensor  # (V, 3)
    sky_high: Tensor  # (V, 3)
    cloud: Tensor  # (V,)


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """Frames of N scenes: linear radiance and depth along z (0 where the sky is seen)."""

    radiance: Tensor  # (N, F, H, W, 3) float32
    depth: Tensor  # (N, F, H, W) float32, metres


def render_frames(
    scenes: SceneBatch,
    world_from_camera_NF44: Tensor,
    focal_px_N: Tensor,
    size: tuple[int, int],
    samples: int = 4,
    *,
    compiled: bool = False,
) -> Rendering:
    """Render F views of each of N scenes at `size` = (height, width).

    The ray of pixel (u, v) passes through integer pixel coordinates with the principal point at (W/2, H/2),
    which is the convention of unprojection; depth is exact for that ray. `samples` 1 shades that ray only, 2 and
    4 average it with so many rays around it. Everything must be on one device.
    """
    if samples not in _OFFSETS:
        raise ValueError(f"samples must be 1, 2 or 4, got {samples}")
    height, width = size
    n, f = world_from_camera_NF44.shape[:2]
    device = world_from_camera_NF44.device
    n_rays = height * width
    blocks_per_view = -(-n_rays // RAYS_PER_BLOCK)
    cuda = device.type == "cuda"
    n_blocks = max(_CUDA_BLOCKS if cuda else _CPU_BLOCKS, blocks_per_view)
    views_per_chunk = n_blocks // blocks_per_view
    compiled = compiled or cuda
    shade = _compiled_shade() if compiled else shade_rays
    if not compiled:
        views_per_chunk = min(views_per_chunk, n * f)
    # Blocks that no view fills repeat the last one: the compiled kernel has one shape for all picture sizes.
    filled = torch.arange(n_blocks if compiled else views_per_chunk * blocks_per_view, device=device)
    filled = filled.clamp(max=views_per_chunk * blocks_per_view - 1)

    pixel = torch.arange(blocks_per_view * RAYS_PER_BLOCK, device=device).clamp(max=n_rays - 1)
    pixel_x = (pixel % width - width / 2).view(1, blocks_per_view, RAYS_PER_BLOCK)
    pixel_y = (pixel.div(width, rounding_mode="floor") - height / 2).view(1, blocks_per_view, RAYS_PER_BLOCK)
    offsets = _OFFSETS[samples]
    radiance = torch.empty(n * f, n_rays, 3, device=device)
    depth = torch.empty(n * f, n_rays, device=device)
    cameras = world_from_camera_NF44.flatten(0, 1)
    for begin in range(0, n * f, views_per_chunk):
        # A short last chunk is filled up by repeating views: the compiled kernel has one shape.
        views = torch.arange(begin, begin + views_per_chunk, device=device).clamp(max=n * f - 1)
        count = min(views_per_chunk, n * f - begin)
        scene = views.div(f, rounding_mode="floor")
        tables = _tables(scenes, scene.repeat_interleave(blocks_per_view)[filled])
        focal = focal_px_N[scene][:, None, None]
        camera = cameras[views]
        origin = camera[:, :3, 3].repeat_interleave(blocks_per_view, 0)[filled]
        pixel_angle = (1.0 / focal[:, 0, 0]).repeat_interleave(blocks_per_view, 0)[filled]
        total: Tensor | None = None
        for dx, dy in offsets:
            x, y = (pixel_x + dx) / focal, (pixel_y + dy) / focal
            in_camera = torch.stack((x, y, torch.ones_like(x)), -1)
            direction = torch.einsum("vij,vbrj->vbri", camera[:, :3, :3], in_camera).flatten(0, 1)
            color, t = shade(tables, origin, direction[filled], pixel_angle)
            color, t = color[: len(direction)], t[: len(direction)]
            if total is None:
                depth[begin : begin + count] = t.view(views_per_chunk, -1)[:count, :n_rays]
                total = color.clone()
            else:
                total += color
        assert total is not None
        mean = (total / len(offsets)).view(views_per_chunk, -1, 3)
        radiance[begin : begin + count] = mean[:count, :n_rays]
    depth = torch.where(depth < NO_HIT * 0.5, depth, torch.zeros_like(depth))
    return Rendering(radiance.view(n, f, height, width, 3), depth.view(n, f, height, width))


def _tables(scenes: SceneBatch, scene_V: Tensor) -> BlockTables:
    light = scenes.lighting
    columns = (
        scenes.shape,
        scenes.local_from_world,
        scenes.local_offset,
        scenes.half_size,
        scenes.pattern,
        scenes.seed,
        scenes.color_a,
        scenes.color_b,
        scenes.surface,
        light.position,
        light.color,
        light.falloff_m,
        light.ambient,
        light.unevenness,
        light.sky_low,
        light.sky_high,
        light.cloud,
    )
    return BlockTables(*(column[scene_V] for column in columns))


@lru_cache(maxsize=1)
def _compiled_shade() -> Callable[..., tuple[Tensor, Tensor]]:
    """The shading function fused into a few kernels: eager evaluation is bound by memory traffic on a GPU."""
    return torch.compile(shade_rays, dynamic=False)


def _nearest(tables: BlockTables, origin_VR3: Tensor, direction_VR3: Tensor) -> tuple[Tensor, Tensor]:
    distances = hit_distances(
        tables.shape, tables.local_from_world, tables.local_offset, origin_VR3, direction_VR3
    )
    t, index = distances.min(1)
    return t, index


def shade_rays(
    tables: BlockTables, origin_V3: Tensor, direction_VR3: Tensor, pixel_angle_V: Tensor
) -> tuple[Tensor, Tensor]:
    """Linear radiance (V, R, 3) and ray parameter t (V, R) of the nearest surface, NO_HIT where there is none."""
    t, index = _nearest(tables, origin_V3[:, None], direction_VR3)
    hit = t < NO_HIT * 0.5
    safe_t = torch.where(hit, t, torch.ones_like(t))
    point = origin_V3[:, None] + direction_VR3 * safe_t[..., None]

    def of_hit(table: Tensor) -> Tensor:
        """Rows (V, R, ...) of a (V, P, ...) table for the primitive that each ray hit."""
        flat = table.flatten(2) if table.ndim > 2 else table[..., None]
        rows = torch.gather(flat, 1, index[..., None].expand(-1, -1, flat.shape[-1]))
        return rows.unflatten(-1, table.shape[2:]) if table.ndim > 2 else rows[..., 0]

    shape, A = of_hit(tables.shape), of_hit(tables.local_from_world)
    offset, half_size = of_hit(tables.local_offset), of_hit(tables.half_size)
    local = (A * point[..., None, :]).sum(-1) + offset
    normal_local = local_normals(shape, local)
    normal = torch.nn.functional.normalize((A * normal_local[..., None]).sum(-2), dim=-1)
    length = direction_VR3.norm(dim=-1)
    toward_eye = -direction_VR3 / length[..., None]
    facing = (normal * toward_eye).sum(-1).abs().clamp(min=0.15)
    footprint = safe_t * length * pixel_angle_V[:, None] / facing

    albedo, emission, gloss = _surface_color(
        tables, of_hit, local * half_size, normal_local, shape, footprint
    )
    to_light = tables.light_position[:, None] - point
    light_distance = to_light.norm(dim=-1)
    light_direction = to_light / light_distance[..., None].clamp(min=1e-3)
    start = point + normal * _SHADOW_BIAS_M
    blocked_at, _ = _nearest(tables, start, light_direction)
    lit = (blocked_at > light_distance - 0.05).to(t.dtype)
    lambert = (normal * light_direction).sum(-1).clamp(min=0.0)
    reach = tables.falloff_m[:, None]
    strength = lit / (1.0 + (light_distance / reach) ** 2)
    halfway = torch.nn.functional.normalize(light_direction + toward_eye, dim=-1)
    shine = gloss * (normal * halfway).sum(-1).clamp(min=0.0) ** 24
    x, y, z = point.unbind(-1)
    zero_seed = torch.zeros_like(tables.seed[:, :1])
    uneven = value_noise(x * 0.45, y * 0.45, z * 0.45, zero_seed) - 0.5
    dome = 0.72 + 0.28 * normal[..., 2] + tables.unevenness[:, None] * uneven
    light = tables.ambient[:, None] * dome.clamp(min=0.1)[..., None]
    light = light + tables.light_color[:, None] * (lambert * strength)[..., None]
    color = (
        albedo * (light + emission[..., None]) + tables.light_color[:, None] * (shine * strength)[..., None]
    )

    sky = _sky_color(tables, -toward_eye)
    return torch.where(hit[..., None], color, sky), torch.where(hit, t, torch.full_like(t, NO_HIT))


def _surface_color(
    tables: BlockTables,
    of_hit: Callable[[Tensor], Tensor],
    metric: Tensor,
    normal_local: Tensor,
    shape: Tensor,
    footprint: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Albedo (V, R, 3), emission (V, R) and gloss (V, R) of the surface points."""
    pattern, seed = of_hit(tables.pattern), of_hit(tables.seed)
    frequency, grain, speckle, emission, gloss = of_hit(tables.surface).unbind(-1)
    x, y, z = metric.unbind(-1)
    ax, ay, az = (c.abs() for c in normal_local.unbind(-1))
    x_wins = (ax >= ay) & (ax >= az)
    z_wins = ~x_wins & (az > ay)
    u = torch.where(x_wins, y, x)
    v = torch.where(z_wins, y, z)
    # A tube is unrolled, or stripes on it would slide over its sides.
    tube = shape == CYLINDER
    u = torch.where(tube & ~z_wins, torch.atan2(y, x) * (x * x + y * y).sqrt(), u)
    face = (x_wins.to(torch.int32) * 2 + z_wins.to(torch.int32)) * 31
    weight = pattern_weight(pattern, u, v, frequency, seed + face, footprint)[..., None]
    base = of_hit(tables.color_a) * (1 - weight) + of_hit(tables.color_b) * weight
    slow = value_noise(x * 1.7, y * 1.7, z * 1.7, seed + 11) - 0.5
    middle = (value_noise(x * 7.3, y * 7.3, z * 7.3, seed + 12) - 0.5) * band_limit(
        frequency * 0 + 7.3, footprint
    )
    fine = (value_noise(x * 41.0, y * 41.0, z * 41.0, seed + 13) - 0.5) * band_limit(
        frequency * 0 + 41.0, footprint
    )
    coarse = (value_noise(x * 0.31, y * 0.31, z * 0.31, seed + 14) - 0.5) * grain
    tone = 1.0 + grain * (slow * 0.9 + middle * 0.7) + coarse + speckle * 1.6 * (fine + middle * 0.5)
    return (base * tone[..., None]).clamp(0.005, 1.0), emission, gloss


def _sky_color(tables: BlockTables, direction: Tensor) -> Tensor:
    dx, dy, dz = direction.unbind(-1)
    lift = dz.clamp(min=0.0)
    blend = (lift * 1.6).clamp(max=1.0)[..., None]
    sky = tables.sky_low[:, None] * (1 - blend) + tables.sky_high[:, None] * blend
    plane = 1.0 / (lift + 0.12)
    seed = tables.seed[:, :1]
    puff = value_noise(dx * plane, dy * plane, lift * 0, seed) * 0.6
    puff = puff + value_noise(dx * plane * 2.7, dy * plane * 2.7, lift * 0, seed) * 0.4
    cover = ((puff - 0.5) * 5.0).clamp(0.0, 1.0) * tables.cloud[:, None] * blend[..., 0].clamp(max=0.8)
    return sky + (1.0 - sky) * cover[..., None]
