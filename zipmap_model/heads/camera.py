"""Camera heads: an iterative transformer over all views, and a per-view MLP (spec/model.md 8.1, 8.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zipmap_model.layers.block import AttentionBlock, Mlp

POSE_DIM = 9  # translation 3, quaternion xyzw 4, vertical and horizontal field of view


def activate_pose(raw: Tensor) -> Tensor:
    """Fields of view are clamped at zero, the rest stays raw."""
    return torch.cat([raw[..., :7], F.relu(raw[..., 7:])], dim=-1)


class TransformerCameraHead(nn.Module):
    """Refines the poses of all views together; not causal, so it cannot be streamed."""

    def __init__(self, dim: int, *, num_heads: int = 16, depth: int = 4, iterations: int = 4) -> None:
        super().__init__()
        self.iterations = iterations
        self.token_norm = nn.LayerNorm(dim)
        self.trunk_norm = nn.LayerNorm(dim)
        self.trunk = nn.ModuleList(AttentionBlock(dim, num_heads, 4) for _ in range(depth))
        self.empty_pose_tokens = nn.Parameter(torch.zeros(1, 1, POSE_DIM))
        self.embed_pose = nn.Linear(POSE_DIM, dim)
        self.poseLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(dim, 3 * dim))
        self.pose_branch = Mlp(dim, dim // 2, POSE_DIM)

    def forward(self, camera_tokens_BSD: Tensor, iterations: int | None = None) -> list[Tensor]:
        """Camera tokens of the last tap -> activated pose encodings (B, S, 9), one for each iteration."""
        z = self.token_norm(camera_tokens_BSD)
        plain = F.layer_norm(z, z.shape[-1:], eps=1e-6)
        pose: Tensor | None = None  # raw running sum, before the activation
        stages = []
        for _ in range(self.iterations if iterations is None else iterations):
            given = self.empty_pose_tokens.expand(*z.shape[:2], -1) if pose is None else pose
            shift, scale, gate = self.poseLN_modulation(self.embed_pose(given)).chunk(3, dim=-1)
            y = gate * (plain * (1 + scale) + shift) + z
            for block in self.trunk:
                y = block(y)
            delta = self.pose_branch(self.trunk_norm(y))
            pose = delta if pose is None else pose + delta
            stages.append(activate_pose(pose))
        return stages


class MlpCameraHead(nn.Module):
    """One MLP per view, hence causal."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.mlp = Mlp(dim, 4 * dim, POSE_DIM)

    def forward(self, camera_tokens_BSD: Tensor) -> list[Tensor]:
        """Camera tokens of the last tap -> one stage of pose encodings (B, S, 9)."""
        return [activate_pose(self.mlp(camera_tokens_BSD))]
