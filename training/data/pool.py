"""A pool of clips on the training device, refilled on a schedule, and batches cut from it.

Making pictures costs more than reading them, so each clip is used several times with other sub-clips, strides,
directions and looks. What the pool holds at a step, and the batch of a step, depend only on seed and step: a
resumed run sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass

import torch
from torch import Tensor

from zipmap_model.geometry import rays_at_size

from .augment import add_passers_by, apply_look, degrade, draw_look, restyle
from .batches import TrainingBatch, intrinsics_from_focal, normalise_geometry
from .procedural import ClipBatch, ComposedClips, ProceduralConfig, compose_clips, film_clips

_CHUNK_SEED_STRIDE = 1_000_003
_CHUNKS_AHEAD = 2
_COMPOSE_TIMEOUT_S = 120.0


@dataclass(frozen=True, kw_only=True)
class PoolConfig:
    """Size and refilling of one pool."""

    clips: ProceduralConfig
    n_chunks: int = 40  # chunks held; the oldest is replaced
    first_chunks: int | None = None  # made before the first step, the others in its course; None: all of them
    chunk_clips: int = 32  # clips made at once
    refresh_every: int = 40  # steps between two new chunks; 0 keeps the first filling
    max_stride: int = 2  # frames skipped between two views of a batch, at most
    passer_share: float = 0.0  # of the clips of a batch: something moves through the picture
    restyle_share: float = 0.0  # of the clips of a batch: their colours and textures are changed at random

    def __post_init__(self) -> None:
        if self.first_chunks is not None and self.first_chunks < 1:
            raise ValueError(f"first_chunks must be at least 1, got {self.first_chunks}")
        if not 0 <= self.restyle_share <= 1:
            raise ValueError(f"restyle_share must lie in 0..1, got {self.restyle_share}")

    def chunks_made(self, step: int) -> int:
        """Chunks made until `step`, those since replaced included."""
        first = self.n_chunks if self.first_chunks is None else min(self.first_chunks, self.n_chunks)
        return first + (step // self.refresh_every if self.refresh_every else 0)


class ClipPool:
    """Ring of chunks of clips. Owned by the training loop."""

    def __init__(
        self, config: PoolConfig, seed: int, device: torch.device, composers: Executor | None = None
    ) -> None:
        """`composers` draws the scenes of coming chunks ahead of time, in other processes."""
        self.config = config
        self._seed = seed
        self._device = device
        self._composers = composers
        self._coming: dict[int, Future[ComposedClips]] = {}
        self._made = 0
        n = config.n_chunks * config.chunk_clips
        f, (height, width) = config.clips.n_frames, config.clips.size
        # Until the first filling a batch is black, flat and still: enough to compile for.
        self._rgb = torch.zeros(n, f, height, width, 3, dtype=torch.uint8, device=device)
        self._depth = torch.ones(n, f, height, width, dtype=torch.float16, device=device)
        self._cameras = torch.eye(4, device=device).repeat(n, f, 1, 1)
        self._focal = torch.full((n,), float(max(height, width)), device=device)
        self._generator = torch.Generator(device)

    def advance_to(self, step: int) -> None:
        """Bring the contents to what they are at `step`; makes only the chunks that are missing."""
        config = self.config
        wanted = config.chunks_made(step)
        first = max(self._made, wanted - config.n_chunks)
        self._request(first, wanted + _CHUNKS_AHEAD if config.refresh_every else wanted)
        for chunk in range(first, wanted):
            self._store(
                chunk % config.n_chunks, film_clips(self._composed(chunk), config.clips, self._device)
            )
        self._made = wanted

    def _request(self, begin: int, end: int) -> None:
        """Have the chunks in [begin, end) composed, if other processes do that; forget older ones."""
        if self._composers is None:
            return
        for chunk in [chunk for chunk in self._coming if chunk < begin]:
            del self._coming[chunk]
        for chunk in range(begin, end):
            if chunk not in self._coming:
                self._coming[chunk] = self._composers.submit(
                    compose_clips, self.config.clips, self.config.chunk_clips, self._chunk_seed(chunk)
                )

    def _composed(self, chunk: int) -> ComposedClips:
        if self._composers is None:
            return compose_clips(self.config.clips, self.config.chunk_clips, self._chunk_seed(chunk))
        return self._coming.pop(chunk).result(timeout=_COMPOSE_TIMEOUT_S)

    def _chunk_seed(self, chunk: int) -> int:
        return self._seed * _CHUNK_SEED_STRIDE + chunk

    def _store(self, slot: int, clips: ClipBatch) -> None:
        rows = slice(slot * self.config.chunk_clips, (slot + 1) * self.config.chunk_clips)
        self._rgb[rows] = clips.rgb
        self._depth[rows] = clips.depth
        self._cameras[rows] = clips.world_from_camera
        self._focal[rows] = clips.focal_px

    def batch(self, step: int, n_clips: int, n_views: int, n_queries: int) -> TrainingBatch:
        """The batch of a step: random clips, stride, direction, look; queries from the same stretch."""
        config = self.config
        generator = torch.Generator().manual_seed(self._seed * 7919 + step)
        self._generator.manual_seed(self._seed * 104729 + step)
        frames = sub_clip_frames(config.clips.n_frames, n_views, n_clips, config.max_stride, generator)
        n_held = min(config.chunks_made(step), config.n_chunks) * config.chunk_clips
        clip = torch.randint(0, n_held, (n_clips,), generator=generator)
        first, last = frames.amin(1, keepdim=True), frames.amax(1, keepdim=True)
        spread = torch.rand(n_clips, n_queries, generator=generator)
        query = first + (spread * (last - first + 1)).long()
        picked = torch.cat((frames, query), 1)
        index = torch.cat((clip[:, None], picked), 1)
        if self._device.type == "cuda":
            index = index.pin_memory()
        index = index.to(self._device, non_blocking=True)
        return self._assemble(index[:, 0], index[:, 1:], n_views)

    def _assemble(self, clip: Tensor, picked: Tensor, n_views: int) -> TrainingBatch:
        rgb = self._rgb[clip[:, None], picked].movedim(-1, 2).float() / 255.0
        depth = self._depth[clip[:, None], picked].float()
        geometry = normalise_geometry(depth, self._cameras[clip[:, None], picked])
        focal = self._focal[clip]
        # Clips come in random order, so the first ones are any; none drawn leaves older recipes what they were.
        n_styled = round(self.config.restyle_share * rgb.shape[0])
        if n_styled:
            rgb = restyle(rgb, n_views, n_styled, self._generator)
        look = draw_look(rgb.shape[0], rgb.device, self._generator)
        rgb = apply_look(rgb, look)
        queries: tuple[Tensor | None, Tensor | None, Tensor | None] = (None, None, None)
        if picked.shape[1] > n_views:
            cameras = geometry.world_from_camera[:, n_views:]
            size = self.config.clips.size
            intrinsics = intrinsics_from_focal(focal, size)[:, None].expand(-1, cameras.shape[1], -1, -1)
            queries = (
                rays_at_size(cameras, intrinsics, size, 1.0),
                rgb[:, n_views:].movedim(2, -1).contiguous(),
                geometry.depth[:, n_views:],
            )
        seen, depth = rgb[:, :n_views], geometry.depth[:, :n_views]
        if self.config.passer_share:
            seen, depth = add_passers_by(seen, depth, self.config.passer_share, self._generator)
        return TrainingBatch(
            degrade(seen, self._generator),
            depth,
            geometry.world_from_camera[:, :n_views],
            focal,
            *queries,
        )


def sub_clip_frames(
    n_frames: int, n_views: int, n_clips: int, max_stride: int, generator: torch.Generator
) -> Tensor:
    """Frame indices (n_clips, n_views): random start and stride, half of them in reverse. On the CPU.

    Raises ValueError if a clip is too short for the views.
    """
    longest = (n_frames - 1) // max(n_views - 1, 1)
    if longest < 1:
        raise ValueError(f"{n_views} views do not fit into clips of {n_frames} frames")
    stride = torch.randint(1, min(max_stride, longest) + 1, (n_clips, 1), generator=generator)
    room = n_frames - 1 - stride * (n_views - 1)
    start = (torch.rand(n_clips, 1, generator=generator) * (room + 1)).long()
    frames = start + stride * torch.arange(n_views)
    backwards = torch.rand(n_clips, 1, generator=generator) < 0.5
    return torch.where(backwards, frames.flip(1), frames)
