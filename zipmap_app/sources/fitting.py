"""Bring every frame of a source to the size of its first one."""

from __future__ import annotations

import numpy as np

from zipmap_app.sources.opencv import cv2


class FrameFitter:
    """Remembers the size of the first frame; crops and scales later ones to it. One thread."""

    def __init__(self) -> None:
        self.n_fitted = 0
        self._size_hw: tuple[int, int] | None = None

    @property
    def note(self) -> str | None:
        """What was done to frames of another size, or None if there were none."""
        if self._size_hw is None or not self.n_fitted:
            return None
        height, width = self._size_hw
        frames = (
            "1 frame of another size was"
            if self.n_fitted == 1
            else f"{self.n_fitted} frames of other sizes were"
        )
        return f"{frames} cropped and scaled to the {width}x{height} of the first frame"

    def fit(self, rgb: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 -> the first frame's (H, W, 3); the crop is central, so the optical axis stays."""
        size_hw = (rgb.shape[0], rgb.shape[1])
        if self._size_hw is None:
            self._size_hw = size_hw
        if size_hw == self._size_hw:
            return rgb
        self.n_fitted += 1
        return _crop_and_scale(rgb, self._size_hw)


def _crop_and_scale(rgb: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    height, width = rgb.shape[:2]
    scale = min(width / size_hw[1], height / size_hw[0])
    crop_w = min(max(round(scale * size_hw[1]), 1), width)
    crop_h = min(max(round(scale * size_hw[0]), 1), height)
    left, top = (width - crop_w) // 2, (height - crop_h) // 2
    cropped = rgb[top : top + crop_h, left : left + crop_w]
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return cv2.resize(cropped, (size_hw[1], size_hw[0]), interpolation=method)
