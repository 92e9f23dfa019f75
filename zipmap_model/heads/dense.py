"""Dense prediction head over four taps of the trunk (spec/model.md 8.3)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zipmap_model.layers.layout import faster_layout
from zipmap_model.layers.resize import resize


def uv_embedding(channels: int, height: int, width: int, aspect: float, device: torch.device) -> Tensor:
    """Sine-cosine embedding (channels, height, width) of image-plane coordinates; x channels first.

    ``aspect`` is width over height of the image, at every level of the head.
    """
    x, y = _axis_embeddings(channels, height, width, aspect, device)
    half = channels // 2
    return torch.cat([x[:, None, :].expand(half, height, width), y[:, :, None].expand(half, height, width)])


@lru_cache(maxsize=64)
def _axis_embeddings(
    channels: int, height: int, width: int, aspect: float, device: torch.device
) -> tuple[Tensor, Tensor]:
    with torch.inference_mode(False), torch.no_grad():
        diagonal = (aspect**2 + 1) ** 0.5
        # Made on the device itself: a copy from the host cannot be captured in a CUDA graph.
        x = _spread(width, aspect / diagonal, device)
        y = _spread(height, 1 / diagonal, device)
        return _sine_cosine(x, channels), _sine_cosine(y, channels)


def _spread(n: int, span: float, device: torch.device | None = None) -> Tensor:
    end = span * (n - 1) / n
    return torch.linspace(-end, end, n, dtype=torch.float32, device=device)


def _sine_cosine(coordinates: Tensor, channels: int) -> Tensor:
    quarter = channels // 4
    omega = 100.0 ** (-torch.arange(quarter, dtype=torch.float64, device=coordinates.device) / quarter)
    angles = omega[:, None] * coordinates.double()
    return torch.cat([angles.sin(), angles.cos()]).float()


def add_uv_embedding(x: Tensor, aspect: float) -> Tensor:
    """x (n, channels, h, w) plus a tenth of the embedding; outside training in place, to save a map."""
    if torch.is_grad_enabled():
        return (x + 0.1 * uv_embedding(x.shape[1], x.shape[2], x.shape[3], aspect, x.device)).to(x.dtype)
    columns, rows = _axis_embeddings(x.shape[1], x.shape[2], x.shape[3], aspect, x.device)
    half = x.shape[1] // 2
    x[:, :half] += (0.1 * columns)[:, None, :]
    x[:, half:] += (0.1 * rows)[:, :, None]
    return x


class ResidualConvUnit(nn.Module):
    """Two 3x3 convolutions around a skip path that carries relu(x), as the published weights expect."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x)
        return self.conv2(F.relu(self.conv1(x))) + x


class FusionBlock(nn.Module):
    """Adds a finer level, refines, resizes and projects."""

    def __init__(self, channels: int, *, has_skip: bool = True) -> None:
        super().__init__()
        self.resConfUnit1 = ResidualConvUnit(channels) if has_skip else None
        self.resConfUnit2 = ResidualConvUnit(channels)
        self.out_conv = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: Tensor, skip: Tensor | None, size_hw: tuple[int, int]) -> Tensor:
        if self.resConfUnit1 is not None and skip is not None:
            x = x + self.resConfUnit1(skip)
        # A 1x1 convolution and bilinear resizing commute; this order works on the smaller map.
        x = self.out_conv(self.resConfUnit2(x))
        return resize(x, size_hw)


class _Scratch(nn.Module):
    """The parameters between the taps and the output, grouped as the published files group them."""

    def __init__(
        self, channels: Sequence[int], features: int, out_channels: int, fine_channels: int | None
    ) -> None:
        super().__init__()
        for level, width in enumerate(channels, start=1):
            conv = nn.Conv2d(width, features, kernel_size=3, padding=1, bias=False)
            self.add_module(f"layer{level}_rn", conv)
        self.refinenet1 = FusionBlock(features)
        self.refinenet2 = FusionBlock(features)
        self.refinenet3 = FusionBlock(features)
        self.refinenet4 = FusionBlock(features, has_skip=False)
        self.output_conv1 = nn.Conv2d(features, features // 2, kernel_size=3, padding=1)
        self.output_conv2 = nn.Sequential(
            nn.Conv2d(features // 2, 32, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, out_channels, kernel_size=1),
        )
        if fine_channels is not None:
            self.fine = nn.Conv2d(fine_channels, features, kernel_size=3, padding=1)


class DenseHead(nn.Module):
    """Four taps -> raw maps (n, out_channels, H, W) at the image's resolution.

    ``fine_channels`` (small model only) adds the stem's fine features where the finest tap joins.
    ``early_output`` (small model only) computes the first output convolution on the finest tap's grid, a quarter
    of the cells that the published models compute it on.
    """

    def __init__(
        self,
        tap_dim: int,
        out_channels: int,
        *,
        patch_size: int,
        features: int,
        channels: Sequence[int],
        fine_channels: int | None = None,
        early_output: bool = False,
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.early_output = early_output
        self.norm = nn.LayerNorm(tap_dim)
        self.projects = nn.ModuleList(nn.Conv2d(tap_dim, width, kernel_size=1) for width in channels)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(channels[0], channels[0], kernel_size=4, stride=4),
                nn.ConvTranspose2d(channels[1], channels[1], kernel_size=2, stride=2),
                nn.Identity(),
                nn.Conv2d(channels[3], channels[3], kernel_size=3, stride=2, padding=1),
            ]
        )
        self.scratch = _Scratch(channels, features, out_channels, fine_channels)

    def forward(
        self,
        taps: Sequence[Tensor],
        size_hw: tuple[int, int],
        *,
        special_tokens: int,
        fine: Tensor | None = None,
    ) -> Tensor:
        """Taps (n, P, 2C) and the image size -> (n, out_channels, H, W)."""
        height, width = size_hw
        grid = (height // self.patch_size, width // self.patch_size)
        aspect = width / height
        levels = []
        for i, tap in enumerate(taps):
            # A 1x1 convolution, written as the product that it is on tokens.
            project = self.projects[i]
            assert isinstance(project, nn.Conv2d)
            x = F.linear(self.norm(tap[:, special_tokens:]), project.weight.flatten(1), project.bias)
            x = x.transpose(1, 2).unflatten(2, grid)
            x = faster_layout(self.resize_layers[i](faster_layout(add_uv_embedding(x, aspect))))
            levels.append(self.scratch.get_submodule(f"layer{i + 1}_rn")(x))
        if fine is not None:
            fine = faster_layout(self.scratch.fine(fine))
            if fine.shape[-2:] != levels[0].shape[-2:]:
                fine = F.interpolate(fine, size=levels[0].shape[-2:], mode="bilinear", align_corners=False)
            levels[0] = levels[0] + fine
        x = self._fuse(levels)
        x = self.scratch.output_conv1(x)
        full = (grid[0] * self.patch_size, grid[1] * self.patch_size)
        x = resize(x, full)
        return self.scratch.output_conv2(add_uv_embedding(x, aspect))

    def _fuse(self, levels: Sequence[Tensor]) -> Tensor:
        sizes = [(level.shape[-2], level.shape[-1]) for level in levels]
        last = sizes[0] if self.early_output else (2 * sizes[0][0], 2 * sizes[0][1])
        x = self.scratch.refinenet4(levels[3], None, sizes[2])
        x = self.scratch.refinenet3(x, levels[2], sizes[1])
        x = self.scratch.refinenet2(x, levels[1], sizes[0])
        return self.scratch.refinenet1(x, levels[0], last)


def activate_depth(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Raw (n, 2, H, W) -> depth and confidence (n, H, W), confidence above 1."""
    return raw[:, 0].exp(), 1 + raw[:, 1].exp()


def activate_local_points(raw: Tensor) -> Tensor:
    """Raw (n, 3, H, W) -> points (n, H, W, 3) in the camera frame of their view."""
    z = raw[:, 2].exp()
    return torch.stack([raw[:, 0] * z, raw[:, 1] * z, z], dim=-1)


def activate_query(raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Raw (n, 5, H, W) -> RGB (n, H, W, 3) in [0, 1], depth and confidence (n, H, W)."""
    return raw[:, :3].sigmoid().movedim(1, -1), raw[:, 3].exp(), 1 + raw[:, 4].exp()
