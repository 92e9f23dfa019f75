"""Least squares over a few cameras and the depths of the points they share: a small bundle adjustment.

K cameras, N points; every point lives on the ray of one pixel in its host camera, at an inverse depth. Pixels are
(x, y) relative to the principal point. Pure NumPy, float64, deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

_HUBER = 1.5  # residuals beyond this many sigmas count linearly
_DAMPING = 1e-4
_MIN_Z = 1e-3  # of the host's depth; what falls behind a camera has no residual


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


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """The solution, and how well everything fits it."""

    world_from_camera: np.ndarray  # (K, 4, 4)
    log_inverse_depth: np.ndarray  # (N,)
    sigma: np.ndarray  # (N,) of the log inverse depth, cameras taken for granted
    error_px: np.ndarray  # (K, N) reprojection error; nan where a point was not seen


def adjust(problem: Problem, n_iterations: int) -> Adjusted:
    """Improve free cameras and all depths by damped Gauss-Newton; a step that does not help is not taken."""
    damping = _DAMPING
    linear = _Linearised(problem)
    for _ in range(n_iterations):
        candidate = linear.step(damping)
        after = _Linearised(candidate)
        if after.cost < linear.cost:
            is_done = after.cost > 0.999 * linear.cost
            linear, damping = after, damping / 4
            if is_done:
                break
        else:
            damping *= 16
    solved = linear.problem
    return Adjusted(
        solved.world_from_camera, solved.log_inverse_depth, linear.information**-0.5, linear.error_px
    )


def rotation_from_vector(vector: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3)."""
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    cross = _cross_matrix(vector)
    # Taylor series near zero, where the fractions are 0 / 0.
    small = angle < 1e-6
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 1 - angle**2 / 6, np.sin(safe) / safe)
    second = np.where(small, 0.5 - angle**2 / 24, (1 - np.cos(safe)) / safe**2)
    rotation: np.ndarray = np.eye(3) + first * cross + second * (cross @ cross)
    return rotation


def _cross_matrix(v: np.ndarray) -> np.ndarray:
    zero = np.zeros_like(v[..., 0])
    rows = [zero, -v[..., 2], v[..., 1], v[..., 2], zero, -v[..., 0], -v[..., 1], v[..., 0], zero]
    return np.stack(rows, axis=-1).reshape(*v.shape[:-1], 3, 3)


class _Linearised:
    """Residuals, weights and normal equations at one point."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        p = problem
        inverse_depth = np.exp(p.log_inverse_depth)
        host_pixels = p.pixels[p.host, np.arange(len(p.host))]
        self._rays = np.concatenate([host_pixels / p.focal_px, np.ones((len(p.host), 1))], axis=1)
        R, t = p.world_from_camera[:, :3, :3], p.world_from_camera[:, :3, 3]
        self._camera_from_host = np.einsum("kji,njl->knil", R, R[p.host])  # (K, N, 3, 3)
        self._baseline = np.einsum("kji,knj->kni", R, t[p.host][None] - t[:, None]) * inverse_depth[:, None]
        self._q = np.einsum("knil,nl->kni", self._camera_from_host, self._rays) + self._baseline
        self._inverse_depth = inverse_depth
        z = self._q[..., 2]
        is_host = np.arange(len(R))[:, None] == p.host[None]
        self._is_used = np.isfinite(p.pixels[..., 0]) & (z > _MIN_Z) & ~is_host
        self._z = np.where(self._is_used, z, 1.0)
        projected = p.focal_px * self._q[..., :2] / self._z[..., None]
        self._residual = np.where(self._is_used[..., None], projected - p.pixels, 0.0) / p.sigma_px
        size = np.linalg.norm(self._residual, axis=-1)
        self._weight = np.where(self._is_used, _HUBER / np.maximum(size, _HUBER), 0.0)
        self._prior = (p.log_inverse_depth - p.prior_log_inverse_depth) / p.prior_sigma
        robust = np.where(size <= _HUBER, 0.5 * size**2, _HUBER * (size - 0.5 * _HUBER))
        self.cost = float(robust[self._is_used].sum() + 0.5 * (self._prior**2).sum())
        is_seen = np.isfinite(p.pixels[..., 0]) & ~is_host
        self.error_px = np.where(is_seen, np.where(self._is_used, size * p.sigma_px, np.inf), np.nan)
        # (K, N, 2, 3): how the projection follows the point.
        scale = p.focal_px / p.sigma_px / self._z
        self._by_point = np.zeros((*z.shape, 2, 3))
        self._by_point[..., 0, 0] = self._by_point[..., 1, 1] = scale
        self._by_point[..., 2] = -scale[..., None] * self._q[..., :2] / self._z[..., None]
        self._by_depth = np.einsum("knij,knj->kni", self._by_point, self._baseline)
        weighted = self._weight[..., None] * self._by_depth
        self.information = (weighted * self._by_depth).sum(axis=(0, 2)) + p.prior_sigma**-2

    def step(self, damping: float) -> Problem:
        """The problem after one damped step."""
        p = self.problem
        free = np.flatnonzero(p.is_free)
        by_camera = self._by_camera(free)  # (K, N, 2, 6 F)
        weighted = by_camera * self._weight[..., None, None]
        n = by_camera.shape[-1]
        flat = by_camera.reshape(-1, n)
        hessian = weighted.reshape(-1, n).T @ flat
        gradient = weighted.reshape(-1, n).T @ self._residual.reshape(-1)
        mixed = np.einsum("knia,kni->na", weighted, self._by_depth)  # (N, 6 F)
        depth_gradient = (self._weight[..., None] * self._by_depth * self._residual).sum(axis=(0, 2))
        depth_gradient += self._prior / p.prior_sigma
        information = self.information * (1 + damping)
        # Schur complement: depths are eliminated, one number each.
        reduced = hessian - mixed.T @ (mixed / information[:, None])
        reduced[np.diag_indices(n)] += damping * np.diag(hessian) + 1e-9
        right = mixed.T @ (depth_gradient / information) - gradient
        moved = np.linalg.solve(reduced, right)
        depth_step = -(depth_gradient + mixed @ moved) / information
        cameras = p.world_from_camera.copy()
        for i, k in enumerate(free):
            turn, shift = moved[6 * i : 6 * i + 3], moved[6 * i + 3 : 6 * i + 6]
            cameras[k, :3, :3] = cameras[k, :3, :3] @ rotation_from_vector(turn)
            cameras[k, :3, 3] += shift
        return replace(
            p,
            world_from_camera=cameras,
            log_inverse_depth=p.log_inverse_depth + np.clip(depth_step, -1.0, 1.0),
        )

    def _by_camera(self, free: np.ndarray) -> np.ndarray:
        """Derivatives of all residuals by the free cameras: rotation vector on the right, world translation."""
        p = self.problem
        K, N = self._z.shape
        R = p.world_from_camera[:, :3, :3]
        by_shift = np.einsum("knij,klj->knil", self._by_point, R) * self._inverse_depth[:, None, None]
        by_turn = self._by_point @ _cross_matrix(self._q)
        by_host_turn = -self._by_point @ self._camera_from_host @ _cross_matrix(self._rays)
        out = np.zeros((K, N, 2, len(free), 6))
        for i, k in enumerate(free):
            by_this = out[..., i, :]
            by_this[k, ..., :3] = by_turn[k]
            by_this[k, ..., 3:] = -by_shift[k]
            hosted = p.host == k
            # No residual is of a point in its own host, so the two never meet.
            by_this[:, hosted, :, :3] += by_host_turn[:, hosted]
            by_this[:, hosted, :, 3:] += by_shift[:, hosted]
        flat: np.ndarray = out.reshape(K, N, 2, 6 * len(free))
        return flat
