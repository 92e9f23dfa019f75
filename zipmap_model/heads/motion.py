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
from zipmap_model.heads.pose_solver import focal_evidence, observe, refine_motion
from zipmap_model.layers.block import Mlp

_GRID = (6, 8)  # cells the flow features are pooled to, whatever the image size
_FOCAL_START = 0.9  # focal length over the longer image side where the head gives zero
# Standard deviation of the log focal length as the head reads it, and how many views' motions err alike.
_FOCAL_STD = 0.2
_VIEWS_PER_OBSERVATION = 4.0
_MAX_FOCAL_STEP = 0.5  # of the logarithm, that one view may ask for


class RawMotion(NamedTuple):
    """Output of the head for (B, S) views."""

    previous_from_camera: Tensor  # (B, S, 7) translation in units of the view's mean depth, quaternion xyzw
    log_focal: Tensor  # (B, S) log of focal length over the longer image side


class ChainState(NamedTuple):
    """Where the chain of relative poses stands after some views of B scenes."""

    world_from_camera: Tensor  # (B, 4, 4) of the last view
    log_focal_sum: Tensor  # (B,) as the head read it
    n_views: Tensor  # (B,) float
    focal_information: Tensor  # (B,) that the motions gave about the logarithm of the focal length
    focal_evidence: Tensor  # (B,) that information times what they said

    @classmethod
    def start(cls, batch: int, device: torch.device) -> ChainState:
        """Before the first view, whose camera becomes the world frame."""
        eye = torch.eye(4, device=device).expand(batch, 4, 4)
        return cls(eye, *(torch.zeros(batch, device=device) for _ in range(4)))

    def with_reading(self, log_focal: Tensor) -> ChainState:
        """After the head has read one more view (B,)."""
        return self._replace(log_focal_sum=self.log_focal_sum + log_focal, n_views=self.n_views + 1)

    def with_motion(self, information: Tensor, slope: Tensor) -> ChainState:
        """After a motion gave evidence (``focal_evidence``) at the present estimate; the first view has none."""
        information, weighted = _evidence_at(self.log_focal, information, slope)
        has_moved = self.n_views > 1
        return self._replace(
            focal_information=self.focal_information + torch.where(has_moved, information, 0.0),
            focal_evidence=self.focal_evidence + torch.where(has_moved, weighted, 0.0),
        )

    def moved(self, step: Tensor, unit: Tensor) -> ChainState:
        """After a step (B, 7) in units (B,), a view's mean depth; the very first view is the world."""
        rotation = rotation_from_quaternion(step[:, 3:])
        further = self.world_from_camera @ _rigid(rotation, step[:, :3] * unit[:, None])
        is_first = (self.n_views == 1)[:, None, None]
        return self._replace(world_from_camera=torch.where(is_first, self.world_from_camera, further))

    def pose_encoding(self, size_hw: tuple[int, int], log_focal: Tensor | None = None) -> Tensor:
        """(B, 9) of the last view, with another focal length than the best estimate if one is given (B,)."""
        log_focal = self.log_focal if log_focal is None else log_focal
        camera_from_world = invert_rigid(self.world_from_camera)
        return pose_encoding_from_rotation_translation_fov(
            camera_from_world[:, :3, :3], camera_from_world[:, :3, 3], _fov(log_focal, size_hw)
        )

    @property
    def log_focal(self) -> Tensor:
        """(B,) the best estimate, as RawMotion has it: the mean reading, moved by what motions said."""
        mean = self.log_focal_sum / self.n_views.clamp(min=1)
        return _moved_reading(mean, self.focal_information, self.focal_evidence)


class MotionEvidence(NamedTuple):
    """What the rest of the network says about (B, S) views, for solving their motion."""

    flow: Tensor  # (B, S, 2, H/4, W/4) pixels, to the previous view
    flow_log_scale: Tensor  # (B, S, H/4, W/4)
    depth: Tensor  # (B, S, H, W)
    confidence: Tensor  # (B, S, H, W) above 1

    def view(self, i: int) -> MotionEvidence:
        """Of view i alone, without the dimension of views."""
        return MotionEvidence(*(x[:, i] for x in self))


class ChainedMotion(NamedTuple):
    """Solved and chained motion of (B, S) views."""

    pose_encoding: Tensor  # (B, S, 9) with the best estimate of the focal length so far
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
        """Improve the relative poses by the evidence and chain them from ``state`` on.

        One view after the other, and every motion improves the focal length for those after it. While training,
        all views are solved at once (``solve_all``), and what motions say is not carried on in the state.
        """
        # The chain trains the motion, not the depth: a wrong step must not bend the depth map.
        depth = evidence.depth.detach()
        unit = depth.log().mean(dim=(-2, -1)).exp()
        evidence = evidence._replace(
            depth=depth / unit[..., None, None], confidence=evidence.confidence.detach()
        )
        steps, focal = motion.previous_from_camera, None
        if self.pose_iterations and self.training:
            steps, focal = self.solve_all(motion, evidence, size_hw, state)
        solved, poses, fovs = [], [], []
        for i in range(depth.shape[1]):
            state = state.with_reading(motion.log_focal[:, i])
            step = steps[:, i]
            if self.pose_iterations and focal is None:
                step, state = self._solve_next(step, evidence.view(i), size_hw, state)
            state = state.moved(step, unit[:, i])
            solved.append(step)
            poses.append(state.pose_encoding(size_hw, None if focal is None else focal[:, i]))
            fovs.append(_fov(motion.log_focal[:, i], size_hw))
        return ChainedMotion(
            torch.stack(poses, dim=1), torch.stack(solved, dim=1), torch.stack(fovs, dim=1), state
        )

    def solve_all(
        self, motion: RawMotion, evidence: MotionEvidence, size_hw: tuple[int, int], state: ChainState
    ) -> tuple[Tensor, Tensor]:
        """Motions (B, S, 7), and the logarithm of the focal length after each of them (B, S); for training.

        Solved twice: with the mean of what the head has read of the focal length so far, then with what the
        motions of the views before say about it.
        """
        S = motion.log_focal.shape[1]
        seen = state.n_views[:, None] + torch.arange(1, S + 1, device=state.n_views.device)
        reading = (state.log_focal_sum[:, None] + motion.log_focal.detach().cumsum(1)) / seen
        flat = MotionEvidence(*(x.flatten(0, 1) for x in evidence))
        guess = motion.previous_from_camera.flatten(0, 1)
        cells = observe(*flat, focal_px=_focal_px(reading, size_hw).flatten())
        # The motion enters the evidence as it is: flow and its uncertainty learn from what they say at it.
        first = refine_motion(guess, cells, self.pose_iterations).detach()
        information, slope = (x.unflatten(0, (-1, S)) for x in focal_evidence(first, cells))
        information, weighted = _evidence_at(reading, information, slope)
        information, weighted = (torch.where(seen > 1, x, 0.0) for x in (information, weighted))
        total = state.focal_information[:, None] + information.cumsum(1)
        total_weighted = state.focal_evidence[:, None] + weighted.cumsum(1)
        before = _moved_reading(reading, total - information, total_weighted - weighted)
        cells = observe(*flat, focal_px=_focal_px(before, size_hw).flatten())
        solved = refine_motion(guess, cells, self.pose_iterations).unflatten(0, (-1, S))
        return solved, _moved_reading(reading, total, total_weighted)

    def _solve_next(
        self, step: Tensor, view: MotionEvidence, size_hw: tuple[int, int], state: ChainState
    ) -> tuple[Tensor, ChainState]:
        cells = observe(*view, focal_px=_focal_px(state.log_focal, size_hw))
        step = refine_motion(step, cells, self.pose_iterations)
        return step, state.with_motion(*focal_evidence(step, cells))


def _evidence_at(log_focal: Tensor, information: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """From ``focal_evidence``, measured where the logarithm of the focal length was ``log_focal``.

    Returns its information, and that times the logarithm it speaks for; both add up over views.
    """
    information, slope = information / _VIEWS_PER_OBSERVATION, slope / _VIEWS_PER_OBSERVATION
    limit = _MAX_FOCAL_STEP * information
    return information, information * log_focal + torch.clamp(-slope, -limit, limit)


def _moved_reading(mean_reading: Tensor, information: Tensor, weighted: Tensor) -> Tensor:
    """The mean of what the head read, moved by what motions said."""
    weight = 1 / _FOCAL_STD**2
    return (weight * mean_reading + weighted) / (weight + information)


def _focal_px(log_focal: Tensor, size_hw: tuple[int, int]) -> Tensor:
    return log_focal.exp() * (_FOCAL_START * max(size_hw))


def _fov(log_focal: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Vertical and horizontal field of view (..., 2) in radians; pixels are square."""
    focal_px = _focal_px(log_focal, size_hw)
    return torch.stack([2 * torch.atan(0.5 * side / focal_px) for side in size_hw], dim=-1)


def _rigid(rotation: Tensor, translation: Tensor) -> Tensor:
    top = torch.cat([rotation, translation[..., None]], dim=-1)
    bottom = torch.zeros_like(top[..., :1, :])
    bottom[..., 0, 3] = 1
    return torch.cat([top, bottom], dim=-2)
