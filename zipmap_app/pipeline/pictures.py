"""Pictures as bytes, which are kept, and as tensors for a model; one follows exactly from the other."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def picture_from_image(image: Tensor) -> np.ndarray:
    """(3, H, W) made of bytes / 255 -> those bytes (H, W, 3), exactly."""
    picture: np.ndarray = (image.permute(1, 2, 0) * 255).round().byte().contiguous().numpy()
    return picture


def image_from_picture(picture: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [0, 1]."""
    # A copy: torch does not know read-only arrays.
    return torch.from_numpy(picture.copy()).permute(2, 0, 1).float().div(255)
