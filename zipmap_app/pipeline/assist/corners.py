"""Corners and where they went: Shi-Tomasi detection and pyramidal Lucas-Kanade, checked there and back."""

from __future__ import annotations

import numpy as np

from zipmap_app.sources.opencv import cv2

_WINDOW_PX = (13, 13)
_LEVELS = 4  # above the full picture; the coarsest window spans 208 pixels
_LEVELS_NEAR = 1  # where the guess is good to a few pixels
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.03)
_THERE_AND_BACK_PX = 0.7
_QUALITY = 0.005  # of the best corner of the picture


def corners_in(grey: np.ndarray, taken: np.ndarray, n_wanted: int, spacing_px: float) -> np.ndarray:
    """New corners (n, 2) float64 in a picture (H, W) uint8, apart from those ``taken`` (m, 2)."""
    if n_wanted <= 0:
        return np.empty((0, 2))
    mask = np.full(grey.shape, 255, np.uint8)
    for x, y in taken:
        cv2.circle(mask, (round(float(x)), round(float(y))), round(spacing_px), 0, -1)
    found = cv2.goodFeaturesToTrack(grey, n_wanted, _QUALITY, spacing_px, mask=mask, blockSize=5)
    return np.empty((0, 2)) if found is None else found.reshape(-1, 2).astype(np.float64)


def follow(
    before: np.ndarray, after: np.ndarray, corners: np.ndarray, guess: np.ndarray, *, is_near: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Where corners (N, 2) of one picture (H, W) uint8 lie in another, searched from ``guess`` (N, 2).

    ``is_near`` says that the guess is right to a few pixels.
    Returns positions (N, 2) float64, and which of them led back to where they came from.
    """
    if not len(corners):
        return np.empty((0, 2)), np.empty(0, bool)
    start, first = (np.array(p, np.float32, order="C").reshape(-1, 1, 2) for p in (corners, guess))
    there, is_found = _flow(before, after, start, first, _LEVELS_NEAR if is_near else _LEVELS)
    back, is_back = _flow(after, before, there, start.copy(), _LEVELS_NEAR)
    distance = np.linalg.norm(back - start, axis=-1)[:, 0]
    height, width = after.shape
    x, y = there[:, 0, 0], there[:, 0, 1]
    is_inside = (x >= 1) & (x <= width - 2) & (y >= 1) & (y <= height - 2)
    is_good = is_found & is_back & is_inside & (distance < _THERE_AND_BACK_PX)
    return there[:, 0].astype(np.float64), is_good


def _flow(
    before: np.ndarray, after: np.ndarray, start: np.ndarray, guess: np.ndarray, levels: int
) -> tuple[np.ndarray, np.ndarray]:
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        start,
        guess,
        winSize=_WINDOW_PX,
        maxLevel=levels,
        criteria=_STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return found, status[:, 0] == 1
