"""Fewer points with the same coverage: one point, the most confident one, is kept in each small cube of space.

Pure functions on immutable blocks, so that a job can run them beside the GUI thread; NumPy releases the
interpreter in the parts that take time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_BITS = 21  # per axis of a cube's number: three fit into 63 bits
_MAX_CELL = (1 << _BITS) - 1
_N_SAMPLED = 400_000
_SLICE = 100_000  # cells
_RANGE = 1_000_000  # points sorted at a time
_COARSE_CELLS = 64  # per side of the scene, for a sample that keeps neighbourhoods whole


@dataclass(frozen=True, slots=True, eq=False)
class ThinningRequest:
    """What is to be thinned. Blocks are (K,) POINT_DTYPE and read-only."""

    blocks: tuple[np.ndarray, ...]
    minimum_voxel: float = 0.0  # scene units; what was thinned once is never stored finer
    kept_fraction: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class ThinnedCloud:
    """The outcome: for each block of the request what is left of it, in its order."""

    request: ThinningRequest
    blocks: tuple[np.ndarray, ...]
    voxel_size: float  # side of the cubes, scene units


def thin(request: ThinningRequest, is_cancelled: Callable[[], bool] = lambda: False) -> ThinnedCloud | None:
    """Thin all blocks with one cube size, found so that about ``kept_fraction`` of the points remain.

    None if it was cancelled. Any thread.
    """
    lengths = [len(block) for block in request.blocks]
    if sum(lengths) == 0:
        return ThinnedCloud(request, request.blocks, request.minimum_voxel)
    low, high = _bounds(request.blocks)
    voxel = max(_fitting_voxel(request, low, high), request.minimum_voxel)
    cells = np.empty(sum(lengths), np.int64)
    confidence = np.empty(sum(lengths), np.float32)
    ends = np.cumsum(lengths)
    for block, end in zip(request.blocks, ends, strict=True):
        if is_cancelled():
            return None
        cells[end - len(block) : end] = _cells(block["position"], low, voxel)
        confidence[end - len(block) : end] = block["confidence"]
    is_kept = _is_best_of_cell(cells, confidence, is_cancelled)
    if is_cancelled():
        return None
    kept = []
    for block, end in zip(request.blocks, ends, strict=True):
        part = block[is_kept[end - len(block) : end]]
        part.setflags(write=False)
        kept.append(part)
    return ThinnedCloud(request, tuple(kept), voxel)


def _is_best_of_cell(
    cells: np.ndarray, confidence: np.ndarray, is_cancelled: Callable[[], bool]
) -> np.ndarray:
    """(N,) bool: the most confident point of each cell, the first of equals.

    Cells are taken in ranges of about _RANGE points: sorting all at once would need several times the memory.
    """
    is_kept = np.zeros(len(cells), bool)
    n_ranges = -(-len(cells) // _RANGE)
    sample = np.sort(cells[:: max(len(cells) // 65_536, 1)])
    edges = np.unique(sample[len(sample) * np.arange(1, n_ranges) // n_ranges])
    for low, high in itertools.pairwise((-1, *edges.tolist(), np.iinfo(np.int64).max)):
        if is_cancelled():
            break
        places = np.flatnonzero((cells >= low) & (cells < high))
        if len(places):
            is_kept[places[_best_places(cells[places], confidence[places])]] = True
    return is_kept


def _best_places(cells: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """(K,) places of the most confident point of each of K cells."""
    order = np.argsort(cells, kind="stable")
    in_order = cells[order]
    is_start = np.empty(len(cells), bool)
    is_start[0] = True
    np.not_equal(in_order[1:], in_order[:-1], out=is_start[1:])
    starts = np.flatnonzero(is_start)
    confidence = confidence[order]
    best = _repeated(np.maximum.reduceat(confidence, starts), starts, len(cells))
    candidates = np.flatnonzero(confidence == best)
    group = np.searchsorted(starts, candidates, side="right")
    is_first = np.empty(len(candidates), bool)
    is_first[0] = True
    np.not_equal(group[1:], group[:-1], out=is_first[1:])
    places: np.ndarray = order[candidates[is_first]]
    return places


def _repeated(values: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    """(n,) each value from its start to the next one's.

    By slices, because np.repeat keeps the interpreter to itself: in one go it would stop the GUI for as long.
    """
    repeated = np.empty(n, values.dtype)
    counts = np.diff(starts, append=n)
    for first in range(0, len(starts), _SLICE):
        spread = np.repeat(values[first : first + _SLICE], counts[first : first + _SLICE])
        repeated[starts[first] : starts[first] + len(spread)] = spread
    return repeated


def _fitting_voxel(request: ThinningRequest, low: np.ndarray, high: np.ndarray) -> float:
    """The cube size at which about the wanted fraction of the points remains, from a sample of whole regions."""
    positions = _regional_sample(request.blocks, low, high)
    fine, coarse = 1e-7, 1.0  # shares of the scene's size
    size = float((high - low).max())
    if size == 0:
        return 1e-6
    for _ in range(18):  # bisection of the logarithm: to a thousandth
        middle = (fine * coarse) ** 0.5
        # Sorting counts several times faster than np.unique.
        cells = np.sort(_cells(positions, low, size * middle))
        n_kept = int((cells[1:] != cells[:-1]).sum()) + 1
        if n_kept > request.kept_fraction * len(positions):
            fine = middle
        else:
            coarse = middle
    return size * coarse


def _regional_sample(blocks: tuple[np.ndarray, ...], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(K, 3) positions of all points in a pseudo-random choice of coarse cells, so that density is kept."""
    n_points = sum(len(block) for block in blocks)
    if n_points <= _N_SAMPLED:
        return np.concatenate([block["position"] for block in blocks])
    share = _N_SAMPLED / n_points
    cell = max(float((high - low).max()) / _COARSE_CELLS, 1e-12)
    parts = []
    for block in blocks:
        # Multiplicative hashing: neighbouring cells get unrelated numbers.
        hashed = _cells(block["position"], low, cell).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        parts.append(block["position"][(hashed >> np.uint64(40)) < np.uint64(share * (1 << 24))])
    sample = np.concatenate(parts)
    return sample if len(sample) else np.concatenate([block["position"][::64] for block in blocks])


def _bounds(blocks: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest coordinates, (3,) float64 each, of all but the farthest stray points."""
    step = max(sum(len(block) for block in blocks) // 100_000, 1)
    sample = np.concatenate([block["position"][::step] for block in blocks if len(block)]).astype(float)
    low, high = np.nanquantile(sample, (0.002, 0.998), axis=0)
    margin = 0.5 * (high - low).max()
    return low - margin, high + margin


def _cells(positions: np.ndarray, low: np.ndarray, voxel: float) -> np.ndarray:
    """(N,) int64 number of the cube that holds each point; what lies outside shares the outermost ones."""
    # Cubes lie on multiples of their size, whatever the bounds: thinning again at one size changes nothing.
    scaled = np.floor(positions * np.float32(1 / voxel)) - np.floor(low / voxel).astype(np.float32)
    places = np.clip(np.nan_to_num(scaled, nan=0.0), 0, _MAX_CELL).astype(np.int64)
    cells: np.ndarray = (places[:, 0] << (2 * _BITS)) | (places[:, 1] << _BITS) | places[:, 2]
    return cells
