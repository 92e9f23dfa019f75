"""The colours that mean something in the scene, in one place."""

from __future__ import annotations

import numpy as np

Rgba = tuple[float, float, float, float]

CURRENT_COLOR: Rgba = (0.30, 0.95, 0.62, 1.0)  # the camera of the frame that the timeline stands on
QUERY_COLOR: Rgba = (1.0, 0.42, 0.68, 1.0)  # reserved for what the model was asked, never for what it saw
HIGHLIGHT_COLOR: Rgba = (1.0, 0.95, 0.55, 1.0)  # under the mouse
MARK_COLOR: Rgba = (1.0, 0.86, 0.32, 1.0)  # clicked points and measured lengths
FLIGHT_COLOR: Rgba = (1.0, 0.66, 0.82, 0.9)  # lighter than a query: it is what will be asked
AXIS_COLORS = np.array([[0.95, 0.38, 0.40, 1], [0.47, 0.83, 0.42, 1], [0.38, 0.62, 0.98, 1]], np.float32)

# Five colours each, evenly spaced; (5, 3) in [0, 1]. Lightness rises along all of them but the first.
DISTANCE_RAMP = np.array(  # near is warm, far is cool
    [[0.98, 0.36, 0.22], [0.99, 0.80, 0.32], [0.52, 0.88, 0.48], [0.16, 0.62, 0.88], [0.24, 0.24, 0.62]]
)
CONFIDENCE_RAMP = np.array(
    [[0.36, 0.09, 0.42], [0.29, 0.32, 0.56], [0.14, 0.57, 0.55], [0.37, 0.79, 0.38], [0.99, 0.91, 0.15]]
)
TIME_RAMP = np.array(  # blue is the oldest, amber the newest
    [[0.22, 0.48, 0.98], [0.19, 0.64, 0.94], [0.16, 0.80, 0.90], [0.58, 0.83, 0.68], [0.99, 0.86, 0.45]]
)


def colors_by_time(shares: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """(N, 4) float32 for (N,) places in time, 0 (oldest) to 1 (newest)."""
    places = np.asarray(shares, float) * (len(TIME_RAMP) - 1)
    channels = [np.interp(places, np.arange(len(TIME_RAMP)), channel) for channel in TIME_RAMP.T]
    return np.stack([*channels, np.full(len(places), alpha)], axis=1).astype(np.float32)
