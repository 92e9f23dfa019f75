"""Arrays to pictures."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from zipmap_app.scene.colors import CONFIDENCE_RAMP


def _table(ramp: np.ndarray) -> np.ndarray:
    """(256, 3) uint8 from (N, 3) evenly spaced colours in [0, 1]."""
    places = np.linspace(0, len(ramp) - 1, 256)
    channels = [np.interp(places, np.arange(len(ramp)), channel) for channel in ramp.T]
    return (np.stack(channels, axis=1) * 255 + 0.5).astype(np.uint8)


CONFIDENCE_TABLE = _table(CONFIDENCE_RAMP)  # (256, 3) uint8, unsure to sure, as in the scene


def confidence_picture(confidence: np.ndarray) -> tuple[np.ndarray, float, float]:
    """(H, W, 3) uint8 for (H, W) confidences, and the values at the ends: 2nd and 98th percentile."""
    finite = confidence[np.isfinite(confidence)]
    low, high = (float(end) for end in np.quantile(finite, (0.02, 0.98))) if len(finite) else (0.0, 0.0)
    share = (np.nan_to_num(confidence.astype(np.float32)) - low) / max(high - low, 1e-9)
    return CONFIDENCE_TABLE[(np.clip(share, 0, 1) * 255).astype(np.uint8)], low, high


def qimage_from_rgb(rgb: np.ndarray) -> QImage:
    """A QImage that owns its pixels, from (H, W, 3) uint8."""
    height, width = rgb.shape[:2]
    data = np.ascontiguousarray(rgb)
    return QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
