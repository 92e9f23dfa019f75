"""A smooth correction of a depth map by a few hundred points whose depth is known better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zipmap_app.sources.opencv import cv2

_GRID = (5, 6)  # rows, columns of the correction; bilinear between them
_STEPS = 4  # reweightings
_SPREAD = 0.3  # of log depth: the model's edges and the points' do not lie on the same pixels
_SMOOTH = 0.3  # pulls neighbouring cells together; in units of one sure point
_STEADY = 1.0  # pulls cells to what they were a frame ago
_FADING = 0.95
_RANGE = 0.7  # the field stays within exp(+-0.7) of its mean


@dataclass(frozen=True, slots=True, eq=False)
class DepthField:
    """The log of what a depth map is to be multiplied with."""

    mean: float  # of the log
    cells: np.ndarray  # rows x columns, added to the mean

    def factor(self, size_hw: tuple[int, int]) -> np.ndarray:
        """(H, W) float32."""
        cells = np.clip(self.cells, -_RANGE, _RANGE).astype(np.float32)
        height, width = size_hw
        # Cells sit on the corners of the picture, so that no pixel is extrapolated.
        x = np.linspace(0, _GRID[1] - 1, width, dtype=np.float32)
        y = np.linspace(0, _GRID[0] - 1, height, dtype=np.float32)
        grid = cv2.remap(cells, *np.meshgrid(x, y), cv2.INTER_LINEAR)
        factor: np.ndarray = np.exp(grid + np.float32(self.mean))
        return factor

    def at(self, places: np.ndarray) -> np.ndarray:
        """Log factor (n,) at places (n, 2), x and y from 0 to 1 across the picture."""
        at: np.ndarray = self.mean + np.clip(_weights(places) @ self.cells.ravel(), -_RANGE, _RANGE)
        return at


def flat_field(mean: float) -> DepthField:
    """One factor everywhere."""
    return DepthField(mean, np.zeros(_GRID))


def fit_field(
    places: np.ndarray, log_ratio: np.ndarray, sigma: np.ndarray, before: DepthField, prior_points: float
) -> DepthField:
    """The field that turns the map's depths into the points', pulled towards the one before.

    places (n, 2) from 0 to 1, log_ratio (n,) of wanted over given depth, sigma (n,) of it. ``prior_points`` says
    how many sure points the mean before counts for.
    """
    basis = _weights(places)
    weight = 1 / (1 + (sigma / _SPREAD) ** 2)
    mean = before.mean
    for _ in range(_STEPS):
        robust = weight * _trust(log_ratio - mean)
        mean = float((robust @ log_ratio + prior_points * before.mean) / (robust.sum() + prior_points))
    cells = before.cells.ravel()
    # Where no point is, what was right a frame ago fades away slowly.
    smooth = _smoothness() + _STEADY * np.eye(len(cells))
    steady = _STEADY * _FADING * cells
    for _ in range(_STEPS):
        robust = weight * _trust(log_ratio - mean - basis @ cells)
        normal = basis.T @ (basis * robust[:, None]) + smooth
        cells = np.linalg.solve(normal, basis.T @ (robust * (log_ratio - mean)) + steady)
    return DepthField(mean, cells.reshape(_GRID))


def _trust(residual: np.ndarray) -> np.ndarray:
    """Cauchy's weights: what is far off hardly counts."""
    trust: np.ndarray = 1 / (1 + (residual / _SPREAD) ** 2)
    return trust


def _weights(places: np.ndarray) -> np.ndarray:
    """Bilinear weights (n, cells) of places from 0 to 1."""
    rows, columns = _GRID
    x = np.clip(places[:, 0], 0, 1) * (columns - 1)
    y = np.clip(places[:, 1], 0, 1) * (rows - 1)
    by_x = np.maximum(1 - np.abs(x[:, None] - np.arange(columns)), 0)
    by_y = np.maximum(1 - np.abs(y[:, None] - np.arange(rows)), 0)
    weights: np.ndarray = (by_y[:, :, None] * by_x[:, None, :]).reshape(len(places), rows * columns)
    return weights


def _smoothness() -> np.ndarray:
    """Quadratic form that punishes differences of neighbouring cells, and a little any value but zero."""
    rows, columns = _GRID
    index = np.arange(rows * columns).reshape(_GRID)
    pairs = [(index[:, :-1], index[:, 1:]), (index[:-1], index[1:])]
    form = 0.2 * _SMOOTH * np.eye(rows * columns)
    for first, second in pairs:
        a, b = first.ravel(), second.ravel()
        np.add.at(form, (a, a), _SMOOTH)
        np.add.at(form, (b, b), _SMOOTH)
        np.add.at(form, (a, b), -_SMOOTH)
        np.add.at(form, (b, a), -_SMOOTH)
    return form
