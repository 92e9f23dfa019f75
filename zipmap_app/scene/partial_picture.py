"""A picture of points that fills part by part, and what it shows so far."""

from __future__ import annotations

import numpy as np

from zipmap_app.scene.detail import Sampling
from zipmap_app.scene.point_picture import PointPicture


class PartialPicture:
    """Points in a picture, and how many of them: none yet where they were drawn elsewhere."""

    def __init__(self) -> None:
        self.picture = PointPicture()
        self.restart(None, np.eye(4), Sampling(), 1.0)

    def restart(
        self, content: object, clip_from_visual: np.ndarray, sampling: Sampling, size_px: float
    ) -> None:
        """Begin anew with other content: what is drawn, and from where."""
        self.content = content
        self.clip_from_visual = clip_from_visual
        self.sampling = sampling
        self.size_px = size_px  # of a point
        self.n_parts_done = 0
        self.n_points = 0

    @property
    def n_parts_left(self) -> int:
        return self.sampling.n_parts - self.n_parts_done
