"""The trunk: encoder tokens through pairs of frame and global blocks (spec/model.md 1, 4-7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from zipmap_model.config import ZipMapConfig
from zipmap_model.layers.block import AttentionBlock, FastWeightBlock
from zipmap_model.layers.fast_weights import FastWeightLayer, FastWeights, Operation
from zipmap_model.layers.layout import faster_layout
from zipmap_model.layers.motion import MotionCue, MotionFeatures
from zipmap_model.layers.rope import GridRope
from zipmap_model.layers.vit import PatchEmbed, VisionEncoder

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, eq=False)
class ViewTokens:
    """Tokens of S views of B scenes on their way into the trunk."""

    tokens: Tensor  # (B, S, P, C)
    fine: Tensor | None = None  # (B, S, channels, H/4, W/4)
    motion: MotionFeatures | None = None  # of B*S views


class TrunkPart(NamedTuple):
    """What some pairs of blocks made of tokens."""

    tokens: Tensor  # (B, S, P, C)
    taps: tuple[Tensor, ...]  # (B, S, P, 2C) after the configured pairs
    layers: tuple[FastWeights, ...]  # of every pair, after the program


class Aggregator(nn.Module):
    """Encoder, special tokens and the alternating blocks; returns taps for the heads."""

    def __init__(self, config: ZipMapConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.embed_dim
        self.patch_embed = VisionEncoder(
            dim=dim,
            depth=config.encoder_depth,
            num_heads=config.encoder_heads,
            mlp_ratio=config.mlp_ratio,
            patch_size=config.patch_size,
            image_size=config.image_size,
            stem_channels=config.stem_channels if config.stem == "conv" else None,
            stem_blocks=config.stem_blocks,
        )
        # Index 0 of dim 1 is the variant of a reference view, index 1 that of all others.
        self.camera_token = nn.Parameter(torch.randn(1, 2, 1, dim) * 1e-6)
        self.register_token = nn.Parameter(torch.randn(1, 2, config.register_tokens, dim) * 1e-6)
        self.frame_blocks = nn.ModuleList(
            AttentionBlock(dim, config.num_heads, config.mlp_ratio, qk_norm=True) for _ in range(config.depth)
        )
        self.global_blocks = nn.ModuleList(
            FastWeightBlock(dim, config.mlp_ratio, self._fast_weight_layer()) for _ in range(config.depth)
        )
        self.motion_cue = (
            MotionCue(
                dim,
                config.stem_channels,
                config.patch_size,
                config.motion_radius,
                refinements=config.motion_refinements,
            )
            if config.motion_cue
            else None
        )
        if config.query_channels:
            self.ray_patch_embed = PatchEmbed(config.query_channels, dim, config.patch_size, norm=True)
            self.ray_cond_token = nn.Parameter(torch.randn(1, 1, config.special_tokens, dim) * 1e-6)

    def _fast_weight_layer(self) -> FastWeightLayer:
        config = self.config
        return FastWeightLayer(
            config.embed_dim,
            config.ttt_head_dim,
            expansion=config.ttt_expansion,
            base_lr=config.ttt_base_lr,
            gate=config.ttt_gate,
            steps=config.muon_steps,
            newton_schulz_dtype=config.newton_schulz_dtype,
        )

    def embed_views(
        self, images_BS3HW: Tensor, *, n_views_before: int = 0, previous_fine: Tensor | None = None
    ) -> ViewTokens:
        """Encode images in [0, 1].

        ``n_views_before`` says whether view 0 is the scene's first; ``previous_fine`` (B, channels, H/4, W/4)
        are the stem features of the view before view 0, for the motion cue.
        """
        B, S, _, height, width = images_BS3HW.shape
        mean, std = _channel_statistics(images_BS3HW.device)
        images = faster_layout(((images_BS3HW.float() - mean) / std).flatten(0, 1))
        fine = motion = None
        if self.motion_cue is not None:
            flat = self.patch_embed.patch_embed.fine(images)  # type: ignore[operator]  # a ConvStem
            fine = flat.unflatten(0, (B, S))
            before = fine[:, :1] if previous_fine is None else previous_fine[:, None].to(fine.dtype)
            previous = torch.cat([before, fine[:, :-1]], dim=1)
            motion = self.motion_cue(flat, faster_layout(previous.flatten(0, 1)))
            patches = self.patch_embed.patch_embed.tokens(flat)  # type: ignore[operator]
            encoded = self.patch_embed.encode(patches, (height, width), motion.tokens, flat)
        else:
            encoded = self.patch_embed(images)
            if encoded.fine is not None:
                fine = encoded.fine.unflatten(0, (B, S))
        special = self._special_tokens(S, n_views_before).expand(B, -1, -1, -1)
        return ViewTokens(torch.cat([special, encoded.patches.unflatten(0, (B, S))], dim=2), fine, motion)

    def embed_rays(self, rays_BT9HW: Tensor) -> ViewTokens:
        """Tokens of query views from their rays."""
        B, T = rays_BT9HW.shape[:2]
        patches = self.ray_patch_embed(rays_BT9HW.flatten(0, 1)).unflatten(0, (B, T))
        return ViewTokens(torch.cat([self.ray_cond_token.expand(B, T, -1, -1), patches], dim=2))

    def _special_tokens(self, n_views: int, n_views_before: int) -> Tensor:
        """Camera and register tokens (1, S, 1 + R, C); only a reference model treats its first view apart."""
        both = torch.cat([self.camera_token, self.register_token], dim=2)
        others = both[:, 1:].expand(-1, n_views, -1, -1)
        if self.config.affine_invariant or n_views_before > 0:
            return others
        return torch.cat([both[:, :1], others[:, 1:]], dim=1)

    def forward(
        self,
        tokens_BSPC: Tensor,
        grid_hw: tuple[int, int],
        program: Sequence[Operation],
        weights: Sequence[FastWeights] | None,
        *,
        pairs: range | None = None,
    ) -> TrunkPart:
        """Run pairs of blocks: all of them, or those of ``pairs``, whose fast weights ``weights`` then are."""
        config = self.config
        pairs = range(config.depth) if pairs is None else pairs
        B, S, _, _ = tokens_BSPC.shape
        rope = GridRope(grid_hw, config.special_tokens, config.rope_base)
        x = tokens_BSPC.flatten(0, 1)
        taps: list[Tensor] = []
        after: list[FastWeights] = []
        for i in pairs:
            x = self.frame_blocks[i](x, rope)
            in_view = x
            y, state = self.global_blocks[i](
                x.unflatten(0, (B, S)).flatten(1, 2),
                program,
                None if weights is None else weights[i - pairs.start],
            )
            x = y.unflatten(1, (S, -1)).flatten(0, 1)
            after.append(state)
            if i in config.tap_blocks:
                taps.append(torch.cat([in_view, x], dim=-1).unflatten(0, (B, S)))
        return TrunkPart(x.unflatten(0, (B, S)), tuple(taps), tuple(after))


@lru_cache(maxsize=8)
def _channel_statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (3, 1, 1) of the colour channels.

    Kept, because a copy from the host on every call would break CUDA graph capture.
    """
    with torch.inference_mode(False):
        mean, std = (torch.tensor(c, device=device)[:, None, None] for c in (_MEAN, _STD))
        return mean, std
