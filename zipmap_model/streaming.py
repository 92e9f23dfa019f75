"""Reconstruction frame by frame: constant memory, no threads."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from zipmap_model.model import ZipMap
from zipmap_model.prediction import Prediction
from zipmap_model.state import SceneState

Precision = Literal["auto", "float32", "bfloat16", "float16"]


class StreamingSession:
    """Feeds views to a model one step at a time and carries the scene state.

    Stepping equals the batched run with the same windows, because updates renormalise to the norms of the
    learned initial weights (spec/model.md 11). The session never modifies a state: ``state`` can be kept, and
    assigning an older one rewinds. Not thread-safe.
    """

    def __init__(
        self, model: ZipMap, state: SceneState | None = None, *, precision: Precision = "auto"
    ) -> None:
        """``precision`` auto: bfloat16 autocast on CUDA (float16 before Ampere), else float32.

        Raises ValueError if the model's camera head looks across all views and so cannot be streamed.
        """
        if not model.config.can_stream:
            raise ValueError(
                "This model predicts all cameras together and cannot stream; use a streaming model "
                "or run it offline on all images."
            )
        self._model = model
        self._precision: Precision = precision
        self.state = state

    def step(self, image: Tensor) -> Prediction:
        """Take the next view (3, H, W), or k views (k, 3, H, W) that share one update; returns S = 1 or k."""
        views = as_views(image)
        device = next(self._model.parameters()).device
        with torch.no_grad(), autocast_for(device, self._precision):
            prediction = self._model(views[None].to(device), window=views.shape[0], state=self.state)
        self.state = prediction.state
        return prediction

    def reset(self) -> None:
        """Forget the scene."""
        self.state = None


def as_views(image: Tensor) -> Tensor:
    """One view (3, H, W) or several (k, 3, H, W) as (k, 3, H, W). Raises ValueError for another shape."""
    if image.ndim == 3:
        image = image[None]
    if image.ndim != 4:
        raise ValueError(f"image: want (3, H, W) or (k, 3, H, W), got {tuple(image.shape)}")
    return image


def autocast_for(device: torch.device, precision: Precision = "auto") -> torch.autocast:
    """The autocast context for inference on a device; disabled where float32 is used."""
    if precision == "auto":
        if device.type != "cuda":
            precision = "float32"
        else:
            precision = "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float16"
    dtype = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}[precision]
    return torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)
