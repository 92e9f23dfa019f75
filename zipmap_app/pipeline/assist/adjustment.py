"""Least squares over a few cameras and the depths of the points they share: a small bundle adjustment.

K cameras, N points; every point lives on the ray of one pixel in its host camera, at an inverse depth. Pixels are
(x, y) relative to the principal point. Pure NumPy, float64, deterministic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

_HUBER = 1.5  # residuals beyond this many sigmas count linearly
_DAMPING = 1e-4
_DONE = 0.99  # a step that saves less than a hundredth is the last
_MIN_Z = 1e-3  # of the host's depth; what falls behind a camera has no direction to pull in
_BEHIND_COST = 30.0
_MAX_LOG_STEP = 1.0  # of a depth
_MAX_LOG_FOCAL_STEP = 0.1
_REACH = 2.8  # sigmas at which a prior of a camera has lost three quarters of its say


@dataclass(frozen=True, slots=True, eq=False)
class PosePrior:
    """Where the last camera is expected: in doubt there, but what is clearly elsewhere is not pulled back."""

    world_from_camera: np.ndarray  # (4, 4)
    rotation_sigma: float  # radians
    shift_sigma: float  # of the position, in the unit of the scene

    def off(self, world_from_camera: np.ndarray) -> np.ndarray:
        """(2, 3) rotation vector in the world and shift from the expected camera, in sigmas."""
        turn = world_from_camera[:3, :3] @ self.world_from_camera[:3, :3].T
        # The sine instead of the angle: where they differ, the prior has no say any more.
        sine = 0.5 * np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        shift = world_from_camera[:3, 3] - self.world_from_camera[:3, 3]
        return np.stack([sine / self.rotation_sigma, shift / self.shift_sigma])


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Cameras, points and what the cameras saw of them."""

    world_from_camera: np.ndarray  # (K, 4, 4)
    pixels: np.ndarray  # (K, N, 2) relative to the principal point; nan where a point was not seen
    host: np.ndarray  # (N,) index of the camera each point is told in, which has seen it
    log_inverse_depth: np.ndarray  # (N,) along z of the host
    prior_log_inverse_depth: np.ndarray  # (N,)
    prior_sigma: np.ndarray  # (N,) of the log
    focal_px: float
    is_free: np.ndarray  # (K,) bool: cameras that may move
    sigma_px: float = 0.7
    focal_prior: tuple[float, float] | None = None  # log and its sigma; None: the focal length is known
    pose_prior: PosePrior | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """The solution, and how well everything fits it."""

    world_from_camera: np.ndarray  # (K, 4, 4)
    log_inverse_depth: np.ndarray  # (N,)
    sigma: np.ndarray  # (N,) of the log inverse depth, cameras taken for granted
    error_px: np.ndarray  # (K, N) reprojection error; nan where a point was not seen
    focal_px: float
    focal_sigma: float  # of its log, everything else being free too; 0 where it was known
    cost: float


def adjust(problem: Problem, n_iterations: int) -> Adjusted:
    """Improve free cameras and all depths by damped Gauss-Newton; a step that does not help is not taken.

    ``n_iterations`` is at least one.
    """
    damping = _DAMPING
    linear = _Linearised(problem)
    for _ in range(n_iterations):
        normal = linear.normal_equations(damping)
        after = _Linearised(linear.step(normal))
        if after.cost < linear.cost:
            is_done = after.cost > _DONE * linear.cost
            linear, damping = after, damping / 4
            if is_done:
                break
        else:
            damping *= 16
    solved = linear.problem
    return Adjusted(
        solved.world_from_camera,
        solved.log_inverse_depth,
        linear.sigma(),
        linear.error_px,
        solved.focal_px,
        # Of the point before: where steps have become small that is the same, and it has been computed.
        normal.focal_variance**0.5,
        linear.cost,
    )


def rotation_from_vector(vector: np.ndarray) -> np.ndarray:
    """Rotation matrices (n, 3, 3) of rotation vectors (n, 3)."""
    angle = np.linalg.norm(vector, axis=1)[:, None, None]
    x, y, z = vector.T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    # Taylor series near zero, where the fractions are 0 / 0.
    is_small = angle < 1e-6
    safe = np.where(is_small, 1.0, angle)
    first = np.where(is_small, 1 - angle**2 / 6, np.sin(safe) / safe)
    second = np.where(is_small, 0.5 - angle**2 / 24, (1 - np.cos(safe)) / safe**2)
    rotation: np.ndarray = np.eye(3) + first * cross + second * (cross @ cross)
    return rotation


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product along the last axis; ``np.cross`` takes three times as long."""
    a0, a1, a2 = a[..., 0], a[..., 1], a[..., 2]
    b0, b1, b2 = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class _Normal:
    """Normal equations with the depths eliminated; M unknowns: six a free camera, and the focal length."""

    reduced: np.ndarray  # (M, M)
    right: np.ndarray  # (M,)
    mixed: np.ndarray  # (N, M)
    depth_gradient: np.ndarray  # (N,)
    information: np.ndarray  # (N,)
    focal_variance: float  # of the log of an unknown focal length, everything else being free too


def _pin_last(matrix: np.ndarray, right: np.ndarray, value: float) -> None:
    """Make this the last unknown's value in any solution, whatever the equations say."""
    right -= matrix[:, -1] * value
    matrix[-1], matrix[:, -1] = 0, 0
    matrix[-1, -1], right[-1] = 1, value


class _Linearised:
    """Residuals, weights and derivatives at one point.

    A point is looked at along y = w + rho (t_host - t), the direction in the world from a camera at t scaled by
    the inverse depth rho in the host, where w is the host's ray.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = p = problem
        self._inverse_depth = np.exp(p.log_inverse_depth)
        host_pixels = p.pixels[p.host, np.arange(len(p.host))]
        rays = np.concatenate([host_pixels / p.focal_px, np.ones((len(p.host), 1))], axis=1)
        R, t = p.world_from_camera[:, :3, :3], p.world_from_camera[:, :3, 3]
        self._host_axis = R[p.host, :, 2]  # (N, 3)
        self._w = (R[p.host] @ rays[:, :, None])[..., 0]  # (N, 3)
        self._baseline = (t[p.host][None] - t[:, None]) * self._inverse_depth[:, None]  # (K, N, 3)
        self._y = self._w + self._baseline
        q = self._y @ R
        is_host = np.arange(len(R))[:, None] == p.host[None]
        is_seen = np.isfinite(p.pixels[..., 0]) & ~is_host
        is_used = is_seen & (q[..., 2] > _MIN_Z)
        self._z = np.where(is_used, q[..., 2], 1.0)
        self._on_plane = np.where(is_used[..., None], q[..., :2] / self._z[..., None], 0.0)
        residual = (p.focal_px * self._on_plane - p.pixels) / p.sigma_px
        self._residual = np.where(is_used[..., None], residual, 0.0)
        size = np.sqrt((self._residual**2).sum(axis=-1))
        self._weight = np.where(is_used, _HUBER / np.maximum(size, _HUBER), 0.0)
        self._prior = (p.log_inverse_depth - p.prior_log_inverse_depth) / p.prior_sigma
        self._focal_prior = 0.0
        if p.focal_prior is not None:
            self._focal_prior = (math.log(p.focal_px) - p.focal_prior[0]) / p.focal_prior[1]
        self._off = np.zeros((2, 3))
        if p.pose_prior is not None:
            self._off = p.pose_prior.off(p.world_from_camera[-1])
        self.cost = self._cost(size, is_seen, is_used)
        self.error_px = np.where(is_seen, np.where(is_used, size * p.sigma_px, np.inf), np.nan)

    def _cost(self, size: np.ndarray, is_seen: np.ndarray, is_used: np.ndarray) -> float:
        robust = np.where(size <= _HUBER, 0.5 * size**2, _HUBER * (size - 0.5 * _HUBER))[is_used]
        priors = 0.5 * float((self._prior**2).sum()) + 0.5 * self._focal_prior**2
        far = (self._off**2).sum(axis=1)
        priors += 0.5 * float((far / (1 + far / _REACH**2)).sum())
        return float(robust.sum()) + priors + _BEHIND_COST * np.count_nonzero(is_seen & ~is_used)

    def step(self, normal: _Normal) -> Problem:
        """The problem after one step."""
        p = self.problem
        free = np.flatnonzero(p.is_free)
        moved = np.linalg.solve(normal.reduced, normal.right)
        depth_step = -(normal.depth_gradient + normal.mixed @ moved) / normal.information
        turn_and_shift = moved[: 6 * len(free)].reshape(-1, 6)
        cameras = p.world_from_camera.copy()
        cameras[free, :3, :3] = rotation_from_vector(turn_and_shift[:, :3]) @ cameras[free, :3, :3]
        cameras[free, :3, 3] += turn_and_shift[:, 3:]
        depths = p.log_inverse_depth + np.clip(depth_step, -_MAX_LOG_STEP, _MAX_LOG_STEP)
        focal_px = p.focal_px
        if p.focal_prior is not None:
            focal_px *= math.exp(min(max(float(moved[-1]), -_MAX_LOG_FOCAL_STEP), _MAX_LOG_FOCAL_STEP))
        return replace(p, world_from_camera=cameras, log_inverse_depth=depths, focal_px=focal_px)

    def sigma(self) -> np.ndarray:
        """Of the log inverse depths (N,), cameras taken for granted."""
        by_depth = (self._by_point() * self._baseline[:, :, None]).sum(axis=-1)
        sigma: np.ndarray = self._information(by_depth) ** -0.5
        return sigma

    def normal_equations(self, damping: float) -> _Normal:
        """For one damped step."""
        p = self.problem
        by_point = self._by_point()
        by_depth = (by_point * self._baseline[:, :, None]).sum(axis=-1)
        by_camera = self._by_camera(by_point)
        n = by_camera.shape[-1]
        weighted = (by_camera * self._weight[..., None, None]).reshape(-1, n)
        hessian = weighted.T @ by_camera.reshape(-1, n)
        gradient = weighted.T @ self._residual.reshape(-1)
        if p.focal_prior is not None:
            hessian[-1, -1] += p.focal_prior[1] ** -2
            gradient[-1] += self._focal_prior / p.focal_prior[1]
        mixed = np.einsum("knia,kni->na", weighted.reshape(by_camera.shape), by_depth)
        depth_gradient = (self._weight[..., None] * by_depth * self._residual).sum(axis=(0, 2))
        depth_gradient += self._prior / p.prior_sigma
        information = self._information(by_depth) * (1 + damping)
        # Schur complement: depths are eliminated, one number each.
        reduced = hessian - mixed.T @ (mixed / information[:, None])
        reduced[np.diag_indices(n)] += damping * np.diag(hessian) + 1e-9
        right = mixed.T @ (depth_gradient / information) - gradient
        focal_variance = focal_step = 0.0
        if p.focal_prior is not None:
            focal_variance = float(np.linalg.inv(reduced)[-1, -1])
            focal_step = float(np.linalg.solve(reduced, right)[-1])
        if p.pose_prior is not None and p.is_free[-1]:
            self._add_pose_prior(p.pose_prior, reduced, right)
            if p.focal_prior is not None:
                # The expected camera goes with somebody else's focal length: the pixels alone decide about it.
                _pin_last(reduced, right, focal_step)
        return _Normal(reduced, right, mixed, depth_gradient, information, focal_variance)

    def _add_pose_prior(self, prior: PosePrior, reduced: np.ndarray, right: np.ndarray) -> None:
        """To the six unknowns of the last camera, which are those of the last of the free ones."""
        first = 6 * (int(np.count_nonzero(self.problem.is_free)) - 1)
        weight = (1 + (self._off**2).sum(axis=1) / _REACH**2) ** -2
        sigma = np.array([prior.rotation_sigma, prior.shift_sigma])
        unknowns = np.arange(first, first + 6)
        reduced[unknowns, unknowns] += np.repeat(weight / sigma**2, 3)
        right[unknowns] -= ((weight / sigma)[:, None] * self._off).ravel()

    def _information(self, by_depth: np.ndarray) -> np.ndarray:
        information: np.ndarray = (self._weight[..., None] * by_depth**2).sum(axis=(0, 2))
        return information + self.problem.prior_sigma**-2

    def _by_point(self) -> np.ndarray:
        """How the residuals follow y: (K, N, 2, 3)."""
        p = self.problem
        x_axis, y_axis, z_axis = np.moveaxis(p.world_from_camera[:, None, :3, :3], 3, 0)  # (K, 1, 3) each
        u, v = self._on_plane[..., :1], self._on_plane[..., 1:]
        axes = np.stack([x_axis - u * z_axis, y_axis - v * z_axis], axis=2)
        scaled: np.ndarray = axes * (p.focal_px / p.sigma_px / self._z)[..., None, None]
        return scaled

    def _by_camera(self, by_point: np.ndarray) -> np.ndarray:
        """By the free cameras' rotation vectors (on the left) and world translations, and the log focal length.

        (K, N, 2, 6 F), one more with an unknown focal length.
        """
        p = self.problem
        free = np.flatnonzero(p.is_free)
        by_shift = by_point * self._inverse_depth[:, None, None]
        out = np.zeros((*self._z.shape, 2, 6 * len(free) + (p.focal_prior is not None)))
        for i, k in enumerate(free):
            by_this = out[..., 6 * i : 6 * i + 6]
            by_this[k, ..., :3] = _cross(by_point[k], self._y[k][:, None])
            by_this[k, ..., 3:] = -by_shift[k]
            hosted = np.flatnonzero(p.host == k)
            if len(hosted):
                # A host has no residual of its own points, so the two never meet.
                by_this[:, hosted, :, :3] += _cross(self._w[hosted][:, None], by_point[:, hosted])
                by_this[:, hosted, :, 3:] += by_shift[:, hosted]
        if p.focal_prior is not None:
            # The focal length also bends the host's ray.
            by_ray = (by_point * (self._host_axis - self._w)[:, None]).sum(axis=-1)
            out[..., -1] = by_ray + p.focal_px / p.sigma_px * self._on_plane
        return out
