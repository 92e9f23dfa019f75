"""Similarity alignment of trajectories (Umeyama's closed form)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """target = scale * rotation @ source + translation."""

    scale: float
    rotation: Tensor  # (3, 3)
    translation: Tensor  # (3,)

    def apply(self, points_N3: Tensor) -> Tensor:
        """Map source points (N, 3) into the target space."""
        return self.scale * points_N3 @ self.rotation.T + self.translation


def align_points(source_N3: Tensor, target_N3: Tensor) -> Similarity:
    """Least-squares similarity from source to target points, both (N, 3), without reflection.

    Source points that all coincide give scale 0, which maps them to the centre of the target.
    """
    source, target = source_N3.double(), target_N3.double()
    source_mean, target_mean = source.mean(0), target.mean(0)
    a, b = source - source_mean, target - target_mean
    u, singular, vt = torch.linalg.svd(b.T @ a / len(a))
    sign = torch.ones(3, dtype=torch.float64)
    sign[2] = torch.sign(torch.linalg.det(u) * torch.linalg.det(vt))
    rotation = u @ torch.diag(sign) @ vt
    variance = float(a.square().sum() / len(a))
    scale = float((singular * sign).sum()) / variance if variance > 1e-12 else 0.0
    return Similarity(scale, rotation, target_mean - scale * rotation @ source_mean)
