"""Distances on the screen, for telling what lies under the mouse."""

from __future__ import annotations

import numpy as np


def distances_to_segments(point: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(...) distances of a (2,) point from line segments with (..., 2) ends, pixels."""
    along = ends - starts
    length2 = np.maximum((along**2).sum(axis=-1), 1e-12)
    share = np.clip(((point - starts) * along).sum(axis=-1) / length2, 0, 1)
    distances: np.ndarray = np.linalg.norm(starts + share[..., None] * along - point, axis=-1)
    return distances
