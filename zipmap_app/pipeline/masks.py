"""Pixels that are better left out of the cloud: plain backgrounds, and the sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zipmap_app.sources.opencv import cv2

_BLACK_SUM = 16  # red + green + blue of a black background stay below
_WHITE_LEVEL = 240  # each of the three is above in a white one
_SKY_SMOOTH = 10.0  # grey levels between neighbours, at most, after a slight blur
_SKY_BRIGHT = 160.0  # grey or white clouds
_SKY_BLUE = 70.0  # a blue sky may be as dark as this
_SKY_FAR = 0.8  # of the upper tenth of the depths that are not sky coloured


@dataclass(frozen=True, kw_only=True)
class MaskOptions:
    """What is left out besides unsure pixels and depth edges."""

    black: bool = False  # a black background, as of rendered objects
    white: bool = False  # a white one
    sky: bool = False  # by a rule of thumb, see ``sky_mask``

    @property
    def is_empty(self) -> bool:
        return not (self.black or self.white or self.sky)


def left_out(
    rgb: np.ndarray, depth: np.ndarray, confidence: np.ndarray, options: MaskOptions
) -> np.ndarray | None:
    """(H, W) bool, True where a pixel is to be left out, or None for no mask at all.

    rgb (H, W, 3) uint8; depth, confidence (H, W) float32.
    """
    if options.is_empty:
        return None
    mask = np.zeros(depth.shape, bool)
    if options.black:
        mask |= rgb.sum(axis=2, dtype=np.uint16) < _BLACK_SUM
    if options.white:
        mask |= (rgb > _WHITE_LEVEL).all(axis=2)
    if options.sky:
        mask |= sky_mask(rgb, depth, confidence)
    return mask


def sky_mask(rgb: np.ndarray, depth: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """(H, W) bool: what is probably sky. A rule of thumb without a network, meant for daylight.

    Sky is taken to be blue, or bright and without colour; smooth; joined to the top edge of an upright picture;
    and either nearly as far as the farthest of the rest or among the less sure half of the pixels. It misses
    sunsets, dull and night skies and sky behind branches. Indoors it takes bright plain walls and ceilings for
    sky, so it is for outdoors only.
    """
    levels = cv2.GaussianBlur(rgb, (3, 3), 0).astype(np.float32)
    red, green, blue = levels[..., 0], levels[..., 1], levels[..., 2]
    grey = levels.mean(axis=2)
    is_blue = (blue > _SKY_BLUE) & (blue >= green) & (blue > 1.1 * red)
    is_bright = (grey > _SKY_BRIGHT) & (levels.max(axis=2) - levels.min(axis=2) < 0.25 * grey)
    is_smooth = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) < _SKY_SMOOTH
    is_coloured = (is_blue | is_bright) & is_smooth
    others = depth[~is_coloured & np.isfinite(depth)]
    far = np.percentile(others, 90) * _SKY_FAR if len(others) else 0.0
    is_far = ~np.isfinite(depth) | (depth >= far) | (confidence <= np.median(confidence))
    candidate = (is_coloured & is_far).astype(np.uint8)
    _, labels = cv2.connectedComponents(candidate, connectivity=4)
    at_top = np.unique(labels[0][candidate[0] > 0])
    mask = np.isin(labels, at_top)
    if not mask.any():
        return mask
    # The seam to what is not sky has mixed colours and depths, and is never smooth: one pixel goes along.
    widened: np.ndarray = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return widened
