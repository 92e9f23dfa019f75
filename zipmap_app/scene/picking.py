"""Which point of the scene lies under the mouse: the depth of what was drawn, turned back into space.

It costs the same for any number of points, and knows no point that the user does not see: the depths are those
of the clouds alone, as filtered and clipped, without the lines and pictures drawn over them.
"""

from __future__ import annotations

import numpy as np

from zipmap_app.scene.growing_points import GrowingPoints
from zipmap_app.scene.pacing import DrawPacer
from zipmap_app.scene.stage import Stage

_RADIUS_PX = 6.0


class ScenePicker:
    """Answers for the picture that is on the screen. GUI thread only."""

    def __init__(self, stage: Stage, pacer: DrawPacer, clouds: tuple[GrowingPoints, ...]) -> None:
        self._stage = stage
        self._pacer = pacer
        self._clouds = clouds

    def point_under(self, x_px: float, y_px: float) -> np.ndarray | None:
        """(3,) model's world, the drawn point next to a place in the view; None over empty space.

        Pixels are logical, from the view's top left.
        """
        if not any(cloud.n_points for cloud in self._clouds):
            return None
        self._pacer.draw_if_stale()
        scale = self._stage.canvas.pixel_scale
        hits = [
            hit
            for cloud in self._clouds
            if (hit := cloud.point_under(x_px * scale, y_px * scale, round(_RADIUS_PX * scale))) is not None
        ]
        if not hits:
            return None
        point, _ = min(hits, key=lambda hit: hit[1])
        return np.asarray(point, float)
