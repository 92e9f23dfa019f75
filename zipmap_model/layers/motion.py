"""Motion cue of the small model: correlation with the previous view, read as flow and as tokens.

Absolute pose alone is not learned by a small model in a small budget; how the picture moved since the previous
view is what starts it. The cue needs one view of memory, so streaming keeps its constant cost.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MotionFeatures(NamedTuple):
    """What the cue says about n views."""

    tokens: Tensor  # (n, N, C), to add to the patch tokens
    grid: Tensor  # (n, channels, H/4, W/4), for the motion head
    flow: Tensor  # (n, 2, H/4, W/4) pixels: position in the previous view minus position in this one
    flow_log_scale: Tensor  # (n, H/4, W/4), log of a Laplace scale in pixels


class MotionCue(nn.Module):
    """Local correlation on two levels -> flow with uncertainty, and tokens on the patch grid."""

    hidden = 96

    def __init__(self, dim: int, fine_channels: int, patch_size: int, radius: int) -> None:
        super().__init__()
        self.radius = radius
        taps = 2 * (2 * radius + 1) ** 2
        self.match = nn.Conv2d(fine_channels, fine_channels, kernel_size=1)
        self.mix = nn.Conv2d(taps, self.hidden, kernel_size=1)
        self.conv1 = nn.Conv2d(self.hidden + fine_channels, self.hidden, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(self.hidden, self.hidden, kernel_size=3, padding=1)
        self.to_flow = nn.Conv2d(self.hidden, 3, kernel_size=1)
        step = patch_size // 4
        self.to_tokens = nn.Conv2d(self.hidden + 3, dim, kernel_size=step, stride=step)

    def forward(self, fine: Tensor, previous: Tensor) -> MotionFeatures:
        """Fine features of n views and of the view before each, both (n, C, H/4, W/4)."""
        here, there = self.match(fine), self.match(previous)
        coarse_here, coarse_there = F.avg_pool2d(here, 2), F.avg_pool2d(there, 2)
        near = local_correlation(here, there, self.radius)
        far = local_correlation(coarse_here, coarse_there, self.radius)
        far = F.interpolate(far, size=near.shape[-2:], mode="nearest")
        x = F.gelu(self.mix(torch.cat([near, far], dim=1)))
        x = F.gelu(self.conv1(torch.cat([x, fine], dim=1)))
        x = x + F.gelu(self.conv2(x))
        flow = self.to_flow(x).float()
        tokens = self.to_tokens(torch.cat([x, flow.to(x.dtype)], dim=1)).flatten(2).transpose(1, 2)
        # One unit of the raw output is one cell of the quarter grid.
        return MotionFeatures(tokens, x, 4.0 * flow[:, :2], flow[:, 2])


def local_correlation(here: Tensor, there: Tensor, radius: int) -> Tensor:
    """Correlation of each cell with the (2r+1)^2 cells around the same place in the other map.

    (n, C, h, w) twice -> (n, (2r+1)^2, h, w), row-major displacements from (-r, -r); zero outside the map.
    """
    n, channels, height, width = here.shape
    # Normalised in float32: squared sums of half-precision features lose the small differences that matter.
    a = F.normalize(here.float(), dim=1).flatten(2) * channels**0.5  # unit variance for unrelated features
    b = F.normalize(there.float(), dim=1).flatten(2)
    volume = a.mT @ b
    index, inside = _neighbourhood(height, width, radius, here.device)
    local = volume.gather(2, index.expand(n, -1, -1)) * inside.to(volume.dtype)
    return local.mT.unflatten(2, (height, width))


@lru_cache(maxsize=16)
def _neighbourhood(height: int, width: int, radius: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Flat indices (1, h*w, (2r+1)^2) of each cell's neighbours, clamped, and which lie inside."""
    with torch.inference_mode(False):
        offsets = torch.arange(-radius, radius + 1, device=device)
        y = torch.arange(height, device=device)[:, None, None, None] + offsets[:, None]
        x = torch.arange(width, device=device)[None, :, None, None] + offsets
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        index = y.clamp(0, height - 1) * width + x.clamp(0, width - 1)
        return index.reshape(1, height * width, -1), inside.reshape(1, height * width, -1)
