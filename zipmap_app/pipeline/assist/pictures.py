"""What tracking needs of a source's frame: a grey picture of what the model sees, and the focal length."""

from __future__ import annotations

import math

import numpy as np

from zipmap_app.sources.opencv import cv2
from zipmap_model.images import FramedImage

_FINER = 2  # pixels of the tracked picture to one of the model's, where the source has them


def tracked_picture(rgb: np.ndarray, framed: FramedImage) -> np.ndarray:
    """The part of a frame (H, W, 3) uint8 that the model sees, grey, one or two pixels to one of its."""
    model_h, model_w = framed.image.shape[1:]
    k = _FINER if min(framed.scale_x, framed.scale_y) >= 1.5 else 1
    size_wh = (k * model_w, k * model_h)
    # As in FramedImage: the edges of the pictures meet, so pixel centres are half a pixel inside.
    left, top = round(framed.left), round(framed.top)
    right = round(framed.left + framed.scale_x * model_w)
    bottom = round(framed.top + framed.scale_y * model_h)
    grey = cv2.cvtColor(np.ascontiguousarray(rgb[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
    picture: np.ndarray = cv2.resize(grey, size_wh, interpolation=cv2.INTER_AREA)
    return picture


def focal_from_fov(fov_x_rad: float, source_width: int, framed: FramedImage) -> float:
    """Focal length in model pixels of a source picture with this horizontal field of view."""
    return 0.5 * source_width / math.tan(0.5 * fov_x_rad) / framed.scale_x
