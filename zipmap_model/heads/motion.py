"""Motion head of the small model: the pose relative to the previous view, chained outside the network."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zipmap_model.geometry import (
    invert_rigid,
    pose_encoding_from_rotation_translation_fov,
    rotation_from_quaternion,
)
from zipmap_model.heads.pose_solver import observe, refine_motion
from zipmap_model.layers.block import Mlp

_GRID = (6, 8)  # cells the flow features are pooled to, whatever the image size
_FOCAL_START = 0.9  # focal length over the longer image side where the head gives zero


class RawMotion(NamedTuple):
    """Output of the head for (B, S) views."""

    previous_from_camera: Tensor  # (B, S, 7) translation in units of the view's mean depth, quaternion xyzw
    log_focal: Tensor  # (B, S) log of focal length over the longer image side


class ChainState(NamedTuple):
    """Where the chain of relative poses stands after some views of B scenes."""

    world_from_camera: Tensor  # (B, 4, 4) of the last view
    log_focal_sum: Tensor  # (B,)
    n_views: Tensor  # (B,) float

    @classmethod
    def start(cls, batch: int, device: torch.device) -> ChainState:
        """Before the first view, whose camera becomes the world frame."""
        eye = torch.eye(4, device=device).expand(batch, 4, 4)
        return cls(eye, torch.zeros(batch, device=device), torch.zeros(batch, device=device))


class MotionEvidence(NamedTuple):
    """What the rest of the network says about (B, S) views, for solving their motion."""

    flow: Tensor  # (B, S, 2, H/4, W/4) pixels, to the previous view
    flow_log_scale: Tensor  # (B, S, H/4, W/4)
    depth: Tensor  # (B, S, H, W)
    confidence: Tensor  # (B, S, H, W) above 1


class ChainedMotion(NamedTuple):
    """Solved and chained motion of (B, S) views."""

    pose_encoding: Tensor  # (B, S, 9) with the running mean of the focal length
    previous_from_camera: Tensor  # (B, S, 7) as in RawMotion
    fov: Tensor  # (B, S, 2) of the single views
    state: ChainState  # after the last view


class MotionHead(nn.Module):
    """Reads the camera token and a small map of flow features; what it says is improved by a pose solver."""

    def __init__(self, dim: int, flow_channels: int, *, hidden: int = 512, pose_iterations: int = 0) -> None:
        super().__init__()
        self.pose_iterations = pose_iterations
        pooled = 32
        self.reduce = nn.Conv2d(flow_channels, pooled, kernel_size=1)
        self.read_map = nn.Linear(pooled * _GRID[0] * _GRID[1], hidden)
        self.token_norm = nn.LayerNorm(dim)
        self.read_token = nn.Linear(dim, hidden)
        self.mlp = Mlp(2 * hidden, hidden, 7)
        nn.init.normal_(self.mlp.fc2.weight, std=1e-3)
        nn.init.zeros_(self.mlp.fc2.bias)

    def forward(self, camera_tokens_BSD: Tensor, flow_grid: Tensor) -> RawMotion:
        """Camera tokens (B, S, D) and flow features (B*S, channels, h, w) -> RawMotion."""
        B, S, _ = camera_tokens_BSD.shape
        pooled = F.adaptive_avg_pool2d(F.gelu(self.reduce(flow_grid)), _GRID).flatten(1)
        pooled = self.read_map(pooled).unflatten(0, (B, S))
        token = self.read_token(self.token_norm(camera_tokens_BSD))
        raw = self.mlp(F.gelu(torch.cat([pooled, token], dim=-1)))
        # A scalar part of one makes zero output the identity rotation.
        motion = torch.cat([raw[..., :6], torch.ones_like(raw[..., :1])], dim=-1)
        return RawMotion(motion, raw[..., 6])

    def solve_and_chain(
        self, motion: RawMotion, evidence: MotionEvidence, size_hw: tuple[int, int], state: ChainState
    ) -> ChainedMotion:
        """Improve the relative poses by the evidence and chain them from ``state`` on."""
        # The chain trains the motion, not the depth: a wrong step must not bend the depth map.
        depth = evidence.depth.detach()
        unit = depth.log().mean(dim=(-2, -1)).exp()
        if self.pose_iterations:
            seen = state.n_views[:, None] + torch.arange(1, depth.shape[1] + 1, device=depth.device)
            log_focal = (state.log_focal_sum[:, None] + motion.log_focal.cumsum(1)) / seen
            focal_px = log_focal.detach().exp() * (_FOCAL_START * max(size_hw))
            cells = observe(
                evidence.flow.flatten(0, 1),
                evidence.flow_log_scale.flatten(0, 1),
                (depth / unit[..., None, None]).flatten(0, 1),
                evidence.confidence.detach().flatten(0, 1),
                focal_px.flatten(),
            )
            solved = refine_motion(motion.previous_from_camera.flatten(0, 1), cells, self.pose_iterations)
            motion = RawMotion(solved.unflatten(0, depth.shape[:2]), motion.log_focal)
        pose, fov, state = chain_motion(motion, unit, size_hw, state)
        return ChainedMotion(pose, motion.previous_from_camera, fov, state)


def chain_motion(
    motion: RawMotion, unit_BS: Tensor, size_hw: tuple[int, int], state: ChainState
) -> tuple[Tensor, Tensor, ChainState]:
    """Chain relative poses from ``state`` on; ``unit_BS`` is the mean depth of each view.

    Returns pose encodings (B, S, 9) with the running mean of the focal length, the fields of view (B, S, 2) of
    the single views, and the state after the last view. The very first view is the identity by definition.
    """
    S = unit_BS.shape[1]
    rotation = rotation_from_quaternion(motion.previous_from_camera[..., 3:7])
    translation = motion.previous_from_camera[..., :3] * unit_BS[..., None]
    world, focal_sum, n_views = state
    fovs, poses = [], []
    for i in range(S):
        step = _rigid(rotation[:, i], translation[:, i])
        has_previous = (n_views > 0)[:, None, None]
        world = torch.where(has_previous, world @ step, world)
        focal_sum, n_views = focal_sum + motion.log_focal[:, i], n_views + 1
        fov = _fov(focal_sum / n_views, size_hw)
        camera_from_world = invert_rigid(world)
        poses.append(
            pose_encoding_from_rotation_translation_fov(
                camera_from_world[:, :3, :3], camera_from_world[:, :3, 3], fov
            )
        )
        fovs.append(_fov(motion.log_focal[:, i], size_hw))
    return torch.stack(poses, dim=1), torch.stack(fovs, dim=1), ChainState(world, focal_sum, n_views)


def _fov(log_focal: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Vertical and horizontal field of view (..., 2) in radians; pixels are square."""
    focal_px = log_focal.exp() * (_FOCAL_START * max(size_hw))
    return torch.stack([2 * torch.atan(0.5 * side / focal_px) for side in size_hw], dim=-1)


def _rigid(rotation: Tensor, translation: Tensor) -> Tensor:
    top = torch.cat([rotation, translation[..., None]], dim=-1)
    bottom = torch.zeros_like(top[..., :1, :])
    bottom[..., 0, 3] = 1
    return torch.cat([top, bottom], dim=-2)
