"""Camera paths through procedural scenes: travel, orbits, pans, and a hand that shakes.

Steps are fractions of the distance to what the camera looks at, because that ratio is what makes parallax.
"""

from __future__ import annotations

import math
from enum import IntEnum

import torch
from torch import Tensor

from .layout import Layout
from .scenes import Dice

_MODE_WEIGHTS = (0.22, 0.08, 0.2, 0.27, 0.1, 0.13)


class Mode(IntEnum):
    """How a camera moves; the order is that of the drawing weights."""

    FORWARD = 0
    BACK = 1
    LATERAL = 2
    ORBIT = 3
    PAN = 4
    FREE = 5


def draw_trajectories(
    dice: Dice, layout: Layout, n_frames: int, forward_share: float = _MODE_WEIGHTS[0]
) -> Tensor:
    """World-from-camera matrices (N, F, 4, 4), OpenCV camera axes in a z-up world.

    `forward_share` is the weight of moving forward beside those of the other modes, which sum to 0.78.
    """
    n = dice.n
    time = torch.arange(n_frames, dtype=torch.float32)[None]
    start = layout.low + dice.uniform(0.0, 1.0, 3) * (layout.high - layout.low)
    to_target = layout.target - start
    too_close = to_target[:, :2].norm(dim=-1) < 0.8
    to_target = torch.where(too_close[:, None], -start + torch.tensor([0.0, 0.0, 1.2]), to_target)
    distance = to_target.norm(dim=-1).clamp(min=0.8)
    yaw = torch.atan2(to_target[:, 0], to_target[:, 1]) + dice.normal() * 0.3
    pitch = (torch.asin((to_target[:, 2] / distance).clamp(-0.99, 0.99)) + dice.normal() * 0.12).clamp(
        -1.1, 0.7
    )

    weights = torch.tensor((forward_share, *_MODE_WEIGHTS[1:]))
    mode = torch.searchsorted(weights.cumsum(0), dice.uniform(0.0, float(weights.sum()) - 1e-4))
    step_m = dice.log_uniform(0.004, 0.075) * distance
    amplitude_m = dice.uniform(0.12, 0.55) * distance
    phase = dice.uniform(0.0, 2 * math.pi)
    sign = torch.where(dice.chance(0.5), 1.0, -1.0)
    angle = (step_m / amplitude_m)[:, None] * time + phase[:, None]
    travelled = sign[:, None] * amplitude_m[:, None] * (angle.sin() - phase.sin()[:, None])

    forward = _direction(yaw, pitch)
    right = torch.stack((yaw.cos(), -yaw.sin(), torch.zeros(n)), -1)
    wander = torch.nn.functional.normalize(dice.normal(3) * torch.tensor([1.0, 1.0, 0.4]), dim=-1)
    is_mode = {m: (mode == m)[:, None] for m in Mode}
    heading = torch.where(is_mode[Mode.LATERAL] | is_mode[Mode.ORBIT], right + 0.15 * wander, wander)
    heading = torch.where(is_mode[Mode.FORWARD], forward * sign[:, None] + 0.1 * wander, heading)
    heading = torch.where(is_mode[Mode.BACK], -forward * sign[:, None] + 0.1 * wander, heading)
    heading = torch.nn.functional.normalize(heading, dim=-1)
    reach = torch.where(is_mode[Mode.PAN], 0.06, 1.0)[:, 0]
    straight = start[:, None] + heading[:, None] * (travelled * reach[:, None])[..., None]

    orbit_angle = travelled / distance[:, None]
    pivot = start + to_target
    lever = start - pivot
    c, s = orbit_angle.cos(), orbit_angle.sin()
    circle = torch.stack(
        (
            pivot[:, None, 0] + c * lever[:, None, 0] - s * lever[:, None, 1],
            pivot[:, None, 1] + s * lever[:, None, 0] + c * lever[:, None, 1],
            start[:, None, 2] + 0.1 * travelled,
        ),
        -1,
    )
    orbits = is_mode[Mode.ORBIT]
    position = torch.where(orbits[..., None], circle, straight)
    position = (
        position + _shake(dice, n_frames, 3) * (distance * dice.log_uniform(0.0005, 0.005))[:, None, None]
    )
    position = torch.minimum(torch.maximum(position, layout.low[:, None]), layout.high[:, None])

    swing = torch.where(is_mode[Mode.PAN][:, 0], dice.uniform(0.3, 1.2), dice.log_uniform(0.01, 0.35))
    rate = torch.where(is_mode[Mode.PAN][:, 0], dice.uniform(0.01, 0.07), dice.uniform(0.002, 0.05))
    swing_phase = dice.uniform(0.0, 2 * math.pi)
    turned = swing[:, None] * (
        ((rate / swing)[:, None] * time + swing_phase[:, None]).sin() - swing_phase.sin()[:, None]
    )
    shake = _shake(dice, n_frames, 3) * dice.log_uniform(0.001, 0.02)[:, None, None]
    yaw_path = yaw[:, None] + turned + shake[..., 0] - torch.where(orbits, orbit_angle, 0.0)
    nod = dice.uniform(-0.4, 0.4)[:, None] * turned
    pitch_path = (pitch[:, None] + nod + shake[..., 1]).clamp(-1.4, 1.4)
    roll_path = dice.normal()[:, None] * 0.05 + shake[..., 2]
    return _camera_matrices(position, yaw_path, pitch_path, roll_path)


def _shake(dice: Dice, n_frames: int, channels: int) -> Tensor:
    """Smooth unit-scale noise (N, F, channels): a first-order filter of white noise."""
    white = dice.normal(n_frames, channels)
    keep = dice.uniform(0.4, 0.9)[:, None]
    value, path = white[:, 0], []
    for index in range(n_frames):
        value = keep * value + (1 - keep) * white[:, index] * 1.5
        path.append(value)
    return torch.stack(path, 1)


def _direction(yaw: Tensor, pitch: Tensor) -> Tensor:
    """Unit viewing direction; yaw 0 looks along +y and turns towards +x."""
    return torch.stack((yaw.sin() * pitch.cos(), yaw.cos() * pitch.cos(), pitch.sin()), -1)


def _camera_matrices(position: Tensor, yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    forward = _direction(yaw, pitch)
    right = torch.stack((yaw.cos(), -yaw.sin(), torch.zeros_like(yaw)), -1)
    down = torch.linalg.cross(forward, right)
    c, s = roll.cos()[..., None], roll.sin()[..., None]
    matrix = torch.zeros(*yaw.shape, 4, 4)
    matrix[..., :3, 0] = c * right + s * down
    matrix[..., :3, 1] = c * down - s * right
    matrix[..., :3, 2] = forward
    matrix[..., :3, 3] = position
    matrix[..., 3, 3] = 1.0
    return matrix
