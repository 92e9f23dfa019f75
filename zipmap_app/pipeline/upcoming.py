"""The frame that will probably come next, as the model will see it."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np
from torch import Tensor

from zipmap_app.pipeline.engine import FrameInput
from zipmap_app.pipeline.pictures import image_from_picture
from zipmap_app.state.messages import SourceFrame


class Upcoming:
    """Remembers what was prepared ahead, so that it is prepared once and known again. Inference thread only."""

    def __init__(self) -> None:
        self._announced: tuple[SourceFrame, FrameInput] | None = None
        self._images: deque[tuple[np.ndarray, Tensor]] = deque(
            maxlen=2
        )  # of this frame and the announced one

    def announce(self, frame: SourceFrame, prepared: FrameInput) -> None:
        self._announced = frame, prepared

    def forget(self) -> None:
        self._announced = None

    def taken(self, frame: SourceFrame, wait_ms: float, n_dropped: int) -> FrameInput | None:
        """What was prepared of this frame, with the counts of now; None if another one was announced."""
        announced, self._announced = self._announced, None
        if announced is None or announced[0] is not frame:
            return None
        return replace(announced[1], wait_ms=wait_ms, n_dropped=n_dropped)

    @property
    def image(self) -> Tensor | None:
        """(3, H, W) of the announced frame."""
        return None if self._announced is None else self.image_of(self._announced[1].rgb)

    def image_of(self, rgb: np.ndarray) -> Tensor:
        """(3, H, W) of a picture (H, W, 3) uint8; the same tensor for the same array, announced first or not."""
        for known, image in self._images:
            if known is rgb:
                return image
        image = image_from_picture(rgb)
        self._images.append((rgb, image))
        return image
