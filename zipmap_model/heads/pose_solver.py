"""Relative pose from flow and depth: a few weighted Gauss-Newton steps away from the motion head's guess.

A pooled regression sees the direction of a small step only roughly; the flow of a thousand cells together with
their depth fixes it. Everything is differentiable, so flow, its uncertainty and depth learn from the pose.
n views, M cells.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from zipmap_model.geometry import quaternion_from_rotation, rotation_from_quaternion

# Neighbouring cells err alike, flow and depth, so this many count as one independent observation.
_CELLS_PER_OBSERVATION = 200.0
# The guess counts as an observation with these standard deviations, radians and mean depths.
_GUESS_ROTATION_STD = 0.02
_GUESS_TRANSLATION_STD = 0.05
_MIN_DEPTH = 0.05  # of the mean depth, after the motion: nearer points are left out
_MAX_STEP = 0.3  # radians or mean depths of one iteration
_CELL = 4  # pixels between two cells


class Observations(NamedTuple):
    """What the cells of n views say, lengths in units of the view's mean depth."""

    point: Tensor  # (n, M, 3) in this camera
    target_px: Tensor  # (n, M, 2) position in the previous view, from the principal point
    scale_px: Tensor  # (n, M) Laplace scale of the target
    trust: Tensor  # (n, M) in 0..1, of the depth
    focal_px: Tensor  # (n,)


def observe(
    flow: Tensor, flow_log_scale: Tensor, depth: Tensor, confidence: Tensor, focal_px: Tensor
) -> Observations:
    """Cells from flow (n, 2, H/4, W/4) in pixels, its log scale, depth and confidence (n, H, W), focal (n,)."""
    height, width = depth.shape[-2:]
    start = _CELL // 2
    cell_depth = depth[:, start::_CELL, start::_CELL]
    # Confidence has its floor, 1, where there is no depth at all: the sky.
    trust = 1.0 - 1.0 / confidence[:, start::_CELL, start::_CELL]
    x = torch.arange(start, width, _CELL, device=depth.device, dtype=depth.dtype) - width / 2
    y = torch.arange(start, height, _CELL, device=depth.device, dtype=depth.dtype) - height / 2
    x, y = torch.broadcast_tensors(x, y[:, None])
    f = focal_px[:, None, None]
    point = torch.stack([x / f * cell_depth, y / f * cell_depth, cell_depth], dim=-1)
    target = torch.stack([x + flow[:, 0], y + flow[:, 1]], dim=-1)
    scale = flow_log_scale.clamp(-3.0, 5.0).exp()
    return Observations(
        point.flatten(1, 2), target.flatten(1, 2), scale.flatten(1), trust.flatten(1), focal_px
    )


def refine_motion(guess: Tensor, cells: Observations, iterations: int) -> Tensor:
    """Improve previous_from_camera (n, 7), translation then quaternion xyzw, by `iterations` steps."""
    rotation, translation = rotation_from_quaternion(guess[:, 3:]), guess[:, :3]
    cells = _with_depth_errors(cells, translation)
    moved_rotation = moved_translation = torch.zeros_like(translation)
    for _ in range(iterations):
        turn, shift = _step(rotation, translation, moved_rotation, moved_translation, cells)
        increment = _rotation_from_vector(turn)
        rotation = increment @ rotation
        translation = (increment @ translation[..., None])[..., 0] + shift
        moved_rotation, moved_translation = moved_rotation + turn, moved_translation + shift
    return torch.cat([translation, quaternion_from_rotation(rotation)], dim=-1)


def _with_depth_errors(cells: Observations, translation: Tensor) -> Observations:
    """The same cells, less certain where the translation makes parallax, which is as wrong as the depth is."""
    moved = cells.point + translation[:, None]
    before = moved[..., :2] / moved[..., 2:].clamp(min=_MIN_DEPTH)
    parallax = before - cells.point[..., :2] / cells.point[..., 2:].clamp(min=_MIN_DEPTH)
    # One minus the trust is the inverse confidence: the relative error that the network expects of its depth.
    error_px = cells.focal_px[:, None] * (parallax.square().sum(-1) + 1e-12).sqrt() * (1.0 - cells.trust)
    return cells._replace(scale_px=(cells.scale_px**2 + error_px**2).sqrt())


def focal_evidence(motion: Tensor, cells: Observations) -> tuple[Tensor, Tensor]:
    """What the cells say about the logarithm of the focal length once a motion (n, 7) explains the rest.

    Returns information (n,), the inverse variance, and slope (n,): slope over information lies between the
    logarithm assumed and the better one. The motion may follow, so what it explains as well counts for nothing.
    """
    rotation, translation = rotation_from_quaternion(motion[:, 3:]), motion[:, :3]
    at = _linearised(rotation, translation, _with_depth_errors(cells, translation))
    # A longer focal length brings the points nearer to the axis and enlarges their picture.
    x, y, _ = cells.point.unbind(-1)
    moved_x, moved_y, moved_z = (rotation @ torch.stack([-x, -y, torch.zeros_like(x)], dim=1)).unbind(1)
    f = cells.focal_px[:, None]
    focal = torch.cat(
        [f * (at.u + (moved_x - at.u * moved_z) / at.z), f * (at.v + (moved_y - at.v * moved_z) / at.z)],
        dim=1,
    )
    by_motion = at.along(focal)
    turn, shift = _solve_with_guess(at.hessian, by_motion[:, :3], by_motion[:, 3:])
    followed = torch.cat([turn, shift], dim=-1)
    information = (at.weight * focal**2).sum(-1) - (by_motion * followed).sum(-1)
    slope = (at.weight * focal * at.miss).sum(-1) - (at.slope * followed).sum(-1)
    return information.clamp(min=0.0), slope


class _Linearised(NamedTuple):
    """The cells' misses at a motion, and how the motion changes them; along x first, then along y."""

    u: Tensor  # (n, M) place in the previous view at unit focal length
    v: Tensor
    z: Tensor  # (n, M) depth there
    miss: Tensor  # (n, 2M) pixels
    weight: Tensor  # (n, 2M)
    jacobian: Tensor  # (n, 6, 2M) by a rotation vector, then by a translation, both applied from the left
    weighted_jacobian: Tensor

    @property
    def hessian(self) -> Tensor:
        return self.weighted_jacobian @ self.jacobian.mT

    @property
    def slope(self) -> Tensor:
        return self.along(self.miss)

    def along(self, pixels: Tensor) -> Tensor:
        """(n, 6): the weighted product of the Jacobian with pixels (n, 2M)."""
        return (self.weighted_jacobian @ pixels[..., None])[..., 0]


def _linearised(rotation: Tensor, translation: Tensor, cells: Observations) -> _Linearised:
    x, y, depth = (rotation @ cells.point.mT + translation[..., None]).unbind(1)
    z = depth.clamp(min=_MIN_DEPTH)
    u, v = x / z, y / z
    f = cells.focal_px[:, None]
    fu, fv, fz = f * u, f * v, f / z
    miss_x, miss_y = fu - cells.target_px[..., 0], fv - cells.target_px[..., 1]
    # Weight of a Laplace error at the current miss, smooth at zero; nothing for what is not in front.
    b = cells.scale_px
    weight = cells.trust * (depth > _MIN_DEPTH)
    weight = weight / (b * (miss_x**2 + miss_y**2 + b**2).sqrt()) / _CELLS_PER_OBSERVATION
    weight = torch.cat([weight, weight], dim=1)
    uv, zero = fu * v, torch.zeros_like(u)
    columns = [-uv, -f - fv * v, f + fu * u, uv, -fv, fu, fz, zero, zero, fz, -u * fz, -v * fz]
    jacobian = torch.stack(columns, dim=1).unflatten(1, (6, 2)).flatten(2)
    miss = torch.cat([miss_x, miss_y], dim=1)
    return _Linearised(u, v, z, miss, weight, jacobian, jacobian * weight[:, None])


def _step(
    rotation: Tensor, translation: Tensor, turned: Tensor, shifted: Tensor, cells: Observations
) -> tuple[Tensor, Tensor]:
    """One step: a rotation vector and a translation (n, 3), applied from the left."""
    at = _linearised(rotation, translation, cells)
    slope = at.slope
    # The guess pulls back what has been moved away from it.
    a = -(slope[:, :3] + turned / _GUESS_ROTATION_STD**2)
    c = -(slope[:, 3:] + shifted / _GUESS_TRANSLATION_STD**2)
    turn, shift = _solve_with_guess(at.hessian, a, c)
    return _limited(turn), _limited(shift)


def _solve_with_guess(hessian: Tensor, a: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Solve (hessian + information of the guess) (turn, shift) = (a, c)."""
    eye = torch.eye(3, device=hessian.device, dtype=hessian.dtype)
    A = hessian[:, :3, :3] + eye / _GUESS_ROTATION_STD**2
    C = hessian[:, 3:, 3:] + eye / _GUESS_TRANSLATION_STD**2
    return _solve_blocks(A, hessian[:, :3, 3:], C, a, c)


def _solve_blocks(A: Tensor, B: Tensor, C: Tensor, a: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Solve [[A, B], [B^T, C]] (s, t) = (a, c) for symmetric positive 3x3 blocks (n, 3, 3).

    In closed form: library solvers synchronise with the host, which a captured graph must not.
    """
    A_inverse = _inverse_3x3(A)
    complement = C - B.mT @ A_inverse @ B
    t = (_inverse_3x3(complement) @ (c[..., None] - B.mT @ (A_inverse @ a[..., None])))[..., 0]
    s = (A_inverse @ (a[..., None] - B @ t[..., None]))[..., 0]
    return s, t


def _inverse_3x3(matrix: Tensor) -> Tensor:
    r0, r1, r2 = matrix.unbind(-2)
    columns = [torch.linalg.cross(r1, r2), torch.linalg.cross(r2, r0), torch.linalg.cross(r0, r1)]
    determinant = (r0 * columns[0]).sum(-1)
    return torch.stack(columns, dim=-1) / determinant[:, None, None]


def _limited(step: Tensor) -> Tensor:
    length = (step.square().sum(-1, keepdim=True) + 1e-12).sqrt()
    return step * (_MAX_STEP / length).clamp(max=1.0)


def _rotation_from_vector(vector: Tensor) -> Tensor:
    """Rotation matrices (n, 3, 3) of rotation vectors, to second order in the quaternion: steps are small."""
    half = 0.5 * vector
    return rotation_from_quaternion(torch.cat([half, torch.ones_like(half[..., :1])], dim=-1))
