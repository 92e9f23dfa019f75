"""Motion cue of the small model: correlation with the previous view, read as flow and as tokens.

Absolute pose alone is not learned by a small model in a small budget; how the picture moved since the previous
view is what starts it. The cue needs one view of memory, so streaming keeps its constant cost.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zipmap_model.layers.layout import faster_layout


class MotionFeatures(NamedTuple):
    """What the cue says about n views."""

    tokens: Tensor  # (n, N, C), to add to the patch tokens
    grid: Tensor  # (n, channels, H/4, W/4), for the motion head
    flow: Tensor  # (K, n, 2, H/4, W/4) pixels: position in the previous view minus this one, stage by stage
    flow_log_scale: Tensor  # (K, n, H/4, W/4), log of a Laplace scale in pixels


class MotionCue(nn.Module):
    """Local correlation on two levels -> flow with uncertainty, and tokens on the patch grid."""

    hidden = 96

    def __init__(
        self, dim: int, fine_channels: int, patch_size: int, radius: int, *, refinements: int = 0
    ) -> None:
        super().__init__()
        self.radius = radius
        self.refinements = refinements
        taps = 2 * (2 * radius + 1) ** 2
        self.match = nn.Conv2d(fine_channels, fine_channels, kernel_size=1)
        self.mix = nn.Conv2d(taps, self.hidden, kernel_size=1)
        self.conv1 = nn.Conv2d(self.hidden + fine_channels, self.hidden, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(self.hidden, self.hidden, kernel_size=3, padding=1)
        self.to_flow = nn.Conv2d(self.hidden, 3, kernel_size=1)
        self.refine = FlowRefinement(self.hidden) if refinements else None
        step = patch_size // 4
        self.to_tokens = nn.Conv2d(self.hidden + 3, dim, kernel_size=step, stride=step)

    def forward(self, fine: Tensor, previous: Tensor) -> MotionFeatures:
        """Fine features of n views and of the view before each, both (n, C, H/4, W/4)."""
        here, there = self.match(fine), self.match(previous)
        coarse_here, coarse_there = F.avg_pool2d(here, 2), F.avg_pool2d(there, 2)
        near = local_correlation(here, there, self.radius)
        far = local_correlation(coarse_here, coarse_there, self.radius)
        # As if far were enlarged, joined to near and mixed, but on smaller maps.
        mix_near, mix_far = self.mix.weight.split([near.shape[1], far.shape[1]], dim=1)
        far = F.interpolate(F.conv2d(far, mix_far), size=near.shape[-2:], mode="nearest")
        x = F.gelu(F.conv2d(near, mix_near, self.mix.bias) + far)
        x = F.gelu(self.conv1(torch.cat([x, fine], dim=1)))
        x = x + F.gelu(self.conv2(x))
        flows = [self.to_flow(x).float()]
        for _ in range(self.refinements):
            assert self.refine is not None
            x, flow = self.refine(here, there, x, flows[-1])
            flows.append(flow)
        flow = flows[-1]
        tokens = self.to_tokens(torch.cat([x, flow.to(x.dtype)], dim=1)).flatten(2).transpose(1, 2)
        stages = torch.stack(flows)
        # One unit of the raw output is one cell of the quarter grid.
        return MotionFeatures(tokens, x, 4.0 * stages[:, :, :2], stages[:, :, 2])


class FlowRefinement(nn.Module):
    """Correlates with the previous view warped by the flow so far, and corrects the flow by what is left.

    The first search is blind to fractions of a cell; around the right place the correlation is smooth in them.
    Changes nothing until trained.
    """

    radius = 3
    hidden = 48

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d((2 * self.radius + 1) ** 2 + channels + 3, self.hidden, kernel_size=1)
        self.conv1 = nn.Conv2d(self.hidden, self.hidden, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(self.hidden, self.hidden, kernel_size=3, padding=2, dilation=2)
        self.to_features = nn.Conv2d(self.hidden, channels, kernel_size=1)
        self.to_flow = nn.Conv2d(self.hidden, 3, kernel_size=1)
        for layer in (self.to_features, self.to_flow):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, here: Tensor, there: Tensor, x: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        """Match features (n, C, h, w) twice, motion features x (n, channels, h, w), raw flow (n, 3, h, w).

        Returns the last two improved.
        """
        # Detached, or the gradient of every stage would run back through all sampling positions.
        warped = faster_layout(warp(there, flow[:, :2].detach()))
        near = local_correlation(here, warped, self.radius)
        y = F.gelu(self.mix(torch.cat([near, x, flow.to(x.dtype)], dim=1)))
        y = y + F.gelu(self.conv1(y))
        y = y + F.gelu(self.conv2(y))
        return x + self.to_features(y), flow + self.to_flow(y).float()


def warp(features: Tensor, flow_cells: Tensor) -> Tensor:
    """Features (n, C, h, w) read at each cell's place plus flow (n, 2, h, w); zero outside the map."""
    height, width = features.shape[-2:]
    y = torch.arange(height, device=features.device, dtype=torch.float32)[:, None]
    x = torch.arange(width, device=features.device, dtype=torch.float32)
    at_x = (flow_cells[:, 0] + x) * (2 / max(width - 1, 1)) - 1
    at_y = (flow_cells[:, 1] + y) * (2 / max(height - 1, 1)) - 1
    grid = torch.stack([at_x, at_y], dim=-1)
    return F.grid_sample(features.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=True)


def local_correlation(here: Tensor, there: Tensor, radius: int) -> Tensor:
    """Correlation of each cell with the (2r+1)^2 cells around the same place in the other map.

    (n, C, h, w) twice -> (n, (2r+1)^2, h, w), row-major displacements from (-r, -r); zero outside the map.
    """
    n, channels, height, width = here.shape
    side = 2 * radius + 1
    wide = width + 2 * radius
    # Normalised in float32: squared sums of half-precision features lose the small differences that matter.
    # Unit variance for unrelated features.
    a = F.normalize(here.float(), dim=1).permute(0, 2, 3, 1) * channels**0.5
    b = F.pad(F.normalize(there.float(), dim=1), [radius] * 4).permute(0, 2, 3, 1)
    # Each row of cells against the band of rows around it, (n*h, w, side * wide): a fifth of all pairs.
    band = b.unfold(1, side, 1).permute(0, 1, 4, 2, 3).reshape(n * height, side * wide, channels)
    products = a.reshape(n * height, width, channels) @ band.mT
    # Cell x wants the columns x .. x + side of every band row.
    row = side * wide
    if torch.is_grad_enabled():
        # Rows longer by one shift them all to the front; the derivative of strides would be a slow scatter.
        skewed = F.pad(products.flatten(1), [0, width]).unflatten(1, (width, row + 1))
        local = skewed[..., :-1].unflatten(2, (side, wide))[..., :side]
    else:
        local = products.as_strided((n * height, width, side, side), (width * row, row + 1, wide, 1))
    return local.reshape(n, height, width, side * side).permute(0, 3, 1, 2)
