"""Bringing one reconstruction of a scene onto another: a rotation, a translation and one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """p_to = scale * rotation @ p_from + translation."""

    scale: float
    rotation: np.ndarray  # (3, 3)
    translation: np.ndarray  # (3,)

    def camera(self, world_from_camera: np.ndarray) -> np.ndarray:
        """The same camera (4, 4) in the other world; lengths inside the camera grow by ``scale``."""
        moved = np.eye(4)
        moved[:3, :3] = self.rotation @ world_from_camera[:3, :3]
        moved[:3, 3] = self.scale * self.rotation @ world_from_camera[:3, 3] + self.translation
        return moved

    def inverse(self) -> Similarity:
        """The way back."""
        rotation = self.rotation.T
        return Similarity(1 / self.scale, rotation, -rotation @ self.translation / self.scale)


def similarity_from_points(points_from: np.ndarray, points_to: np.ndarray) -> Similarity:
    """The least-squares similarity between corresponding points (N, 3), N at least 3 (Umeyama 1991)."""
    mean_from, mean_to = points_from.mean(axis=0), points_to.mean(axis=0)
    centred_from, centred_to = points_from - mean_from, points_to - mean_to
    u, singular, vt = np.linalg.svd(centred_to.T @ centred_from)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])  # a rotation, never a mirror
    rotation = u @ np.diag(signs) @ vt
    scale = float((singular * signs).sum() / max((centred_from**2).sum(), 1e-300))
    return Similarity(scale, rotation, mean_to - scale * rotation @ mean_from)


def similarity_from_cameras(
    cameras_from: Sequence[np.ndarray],
    depths_from: Sequence[float],
    cameras_to: Sequence[np.ndarray],
    depths_to: Sequence[float],
) -> Similarity:
    """The similarity between two reconstructions that share their cameras (4, 4) and median depths.

    Every camera gives its centre and a point along each of its axes, at the median depth of what it sees. So
    the scale is that of the path and of the scene together, and a path on a line, or a camera that never
    moved, leaves nothing undetermined, as its centres alone would.
    """
    return similarity_from_points(_corners(cameras_from, depths_from), _corners(cameras_to, depths_to))


def _corners(cameras: Sequence[np.ndarray], depths: Sequence[float]) -> np.ndarray:
    """(4 N, 3) world points: centre, and the ends of the axes."""
    corners = [
        camera[:3, 3] + depth * tip
        for camera, depth in zip(cameras, depths, strict=True)
        for tip in (np.zeros(3), *camera[:3, :3].T)
    ]
    return np.array(corners)


def interpolated_cameras(
    cameras: Sequence[np.ndarray], positions: Sequence[int], corrected: Sequence[np.ndarray]
) -> np.ndarray:
    """All cameras (N, 4, 4) when those at ``positions``, in rising order, become ``corrected``.

    In between, the correction, seen from the camera, goes over from one to the next; before the first and after
    the last it stays.
    """
    corrections = [
        np.linalg.inv(cameras[position]) @ camera
        for position, camera in zip(positions, corrected, strict=True)
    ]
    result = np.empty((len(cameras), 4, 4))
    for index, camera in enumerate(cameras):
        after = int(np.searchsorted(positions, index, side="right"))
        low, high = max(after - 1, 0), min(after, len(positions) - 1)
        span = positions[high] - positions[low]
        share = (index - positions[low]) / span if span > 0 else 0.0
        result[index] = camera @ _between(corrections[low], corrections[high], share)
    # Kept cameras are told as they are, not as a product that is equal up to rounding.
    result[list(positions)] = corrected
    return result


def _between(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """A rigid transform part of the way from one (4, 4) to another that differs little."""
    mixed = (1 - share) * first + share * second
    u, _, vt = np.linalg.svd(mixed[:3, :3])
    mixed[:3, :3] = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt  # the nearest rotation
    return mixed
