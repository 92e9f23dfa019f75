"""Clips of procedural scenes: pictures, exact depth, cameras. The only data that the bundled model is made from.

Every draw is made on the CPU from one seed, so a seed names the same scenes and cameras on every device; the
pictures agree to rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from .layout import Composer, Layout
from .outdoors import compose_street, compose_terrain, drive_along
from .render import render_frames
from .rooms import compose_room
from .scenes import Dice, SceneBatch, colliding, concatenate_scenes
from .suburbs import compose_suburb
from .trajectories import draw_trajectories

_CAMERA_CLEARANCE_M = 0.25


@dataclass(frozen=True, kw_only=True)
class ProceduralConfig:
    """What clips to make."""

    size: tuple[int, int] = (144, 192)  # height, width in pixels
    n_frames: int = 16  # frames of a clip
    room_share: float = 0.62  # of the scenes
    street_share: float = 0.22  # of the scenes; the rest is open terrain
    fov_deg: tuple[float, float] = (42.0, 82.0)  # of the longer side of the image
    fov_even_in: Literal["angle", "log_focal"] = (
        "angle"  # what is drawn evenly: the second has more long lenses
    )
    samples: int = 4  # shaded rays around the centre of a pixel (1, 2 or 4)
    forward_share: float = 0.22  # weight of moving forward beside the other ways to move (0.78 together)
    drive_share: float = 0.0  # of the streets: seen along the road, as from a car
    suburb_share: float = 0.0  # of the streets: wide ones between gardens instead of rows of houses

    def __post_init__(self) -> None:
        if self.n_frames < 2:
            raise ValueError(f"n_frames must be at least 2, got {self.n_frames}")
        if not 0 <= self.room_share + self.street_share <= 1:
            raise ValueError("room_share + street_share must lie in 0..1")
        if not 0 <= self.suburb_share <= 1:
            raise ValueError(f"suburb_share must lie in 0..1, got {self.suburb_share}")
        if self.fov_even_in not in ("angle", "log_focal"):
            raise ValueError(f"fov_even_in: unknown {self.fov_even_in!r}")


@dataclass(frozen=True, slots=True, eq=False)
class ClipBatch:
    """N clips of F frames, compact: this is what the pool keeps on the device."""

    rgb: Tensor  # (N, F, H, W, 3) uint8, display-referred
    depth: Tensor  # (N, F, H, W) float16, metres along z; 0 where there is none (sky)
    world_from_camera: Tensor  # (N, F, 4, 4) float32
    focal_px: Tensor  # (N,) float32; the principal point is (W/2, H/2)

    @property
    def n_clips(self) -> int:
        return self.rgb.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.rgb.shape[2], self.rgb.shape[3]


@dataclass(frozen=True, slots=True, eq=False)
class ComposedClips:
    """Scenes and camera paths that wait to be filmed; small, on the CPU, and picklable."""

    scenes: SceneBatch
    world_from_camera: Tensor  # (N, F, 4, 4)
    focal_px: Tensor  # (N,)
    exposure: Tensor  # (N,) mean of the first frame after exposure, linear


def compose_clips(config: ProceduralConfig, n_clips: int, seed: int) -> ComposedClips:
    """Draw scenes and camera paths. Needs no accelerator, so it can run in another process."""
    generator = torch.Generator().manual_seed(seed)
    n_rooms = round(n_clips * config.room_share)
    n_streets = min(round(n_clips * config.street_share), n_clips - n_rooms)
    n_suburbs = round(n_streets * config.suburb_share)
    families: tuple[tuple[Composer, int], ...] = (
        (compose_room, n_rooms),
        (compose_street, n_streets - n_suburbs),
        (compose_suburb, n_suburbs),
        (compose_terrain, n_clips - n_rooms - n_streets),
    )
    parts: list[SceneBatch] = []
    paths: list[Tensor] = []
    for composer, count in families:
        if not count:
            continue
        dice = Dice(count, generator)
        scenes, layout = composer(dice)
        # The default draws nothing here: held-out scenes must stay what they are.
        if composer is compose_street and config.drive_share > 0:
            layout = drive_along(dice, layout, config.drive_share)
        path = _path_clear_of_ground(dice, layout, config)
        parts.append(scenes.without(colliding(scenes, path[..., :3, 3], _CAMERA_CLEARANCE_M)))
        paths.append(path)
    dice = Dice(n_clips, generator)
    focal = _draw_focal_px(dice, config)
    return ComposedClips(concatenate_scenes(parts), torch.cat(paths), focal, dice.log_uniform(0.16, 0.34))


def _draw_focal_px(dice: Dice, config: ProceduralConfig) -> Tensor:
    half = max(config.size) / 2
    if config.fov_even_in == "log_focal":
        long, short = (half / math.tan(math.radians(fov) / 2) for fov in config.fov_deg)
        return dice.log_uniform(short, long)
    fov = dice.uniform(*config.fov_deg) * (math.pi / 180)
    return half / (fov / 2).tan()


def film_clips(
    composed: ComposedClips, config: ProceduralConfig, device: torch.device, *, compiled: bool = False
) -> ClipBatch:
    """Render and develop composed clips on a device; CUDA is always compiled, a CPU on request."""
    cameras, focal = composed.world_from_camera.to(device), composed.focal_px.to(device)
    frames = render_frames(
        composed.scenes.to(device), cameras, focal, config.size, config.samples, compiled=compiled
    )
    return ClipBatch(
        rgb=_develop(frames.radiance, composed.exposure.to(device)),
        depth=frames.depth.clamp(max=60000.0).to(torch.float16),
        world_from_camera=cameras,
        focal_px=focal,
    )


def generate_clips(config: ProceduralConfig, n_clips: int, seed: int, device: torch.device) -> ClipBatch:
    """Compose, film and develop `n_clips` scenes."""
    return film_clips(compose_clips(config, n_clips, seed), config, device)


def _path_clear_of_ground(dice: Dice, layout: Layout, config: ProceduralConfig) -> Tensor:
    """A path with half a metre of air below it, so that the clearance test never takes the ground away."""
    path = draw_trajectories(dice, layout, config.n_frames, config.forward_share)
    height = path[..., 2, 3].clamp(min=0.5)
    path[..., 2, 3] = height
    return path


def _develop(radiance: Tensor, exposure_N: Tensor) -> Tensor:
    """Expose each clip for the mean of its first frame, bend the highlights, apply display gamma; uint8."""
    luminance = radiance[:, 0].mean(dim=(1, 2, 3)).clamp(min=1e-3)
    x = radiance * (exposure_N / luminance)[:, None, None, None, None]
    x = x / (1.0 + 0.25 * x * x)  # soft shoulder
    display = (x * 1.05).clamp(0.0, 1.0) ** (1 / 2.2)
    return (display * 255.0 + 0.5).to(torch.uint8)
