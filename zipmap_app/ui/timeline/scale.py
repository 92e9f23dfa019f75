"""Where a frame lies on the strip: plain arithmetic, no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class FrameScale:
    """Maps the places of ``n_frames`` frames to pixels from the strip's left edge.

    A frame at place p covers [p, p + 1). ``px_per_frame`` None fits all frames into the width.
    """

    n_frames: int = 0
    width_px: float = 1.0
    px_per_frame: float | None = None
    first: float = 0.0  # place at the left edge
    max_px_per_frame: float = 60.0

    @property
    def fitted_px_per_frame(self) -> float:
        return min(self.width_px / max(self.n_frames, 1), self.max_px_per_frame)

    @property
    def scale(self) -> float:
        """Pixels per frame."""
        return self.px_per_frame if self.px_per_frame is not None else self.fitted_px_per_frame

    @property
    def is_fitted(self) -> bool:
        return self.px_per_frame is None

    def x_from_place(self, place: float) -> float:
        return (place - self.first) * self.scale

    def position_at(self, x: float) -> int:
        """The frame under a pixel, or the nearest one; 0 in an empty run."""
        place = math.floor(self.first + x / self.scale)
        return min(max(place, 0), max(self.n_frames - 1, 0))

    @property
    def visible(self) -> range:
        """The frames that can be seen, at least in part."""
        start = max(math.floor(self.first), 0)
        end = min(math.ceil(self.first + self.width_px / self.scale), self.n_frames)
        return range(start, max(end, start))

    def resized(self, n_frames: int, width_px: float) -> FrameScale:
        """As many frames and pixels as there are now."""
        return replace(self, n_frames=n_frames, width_px=max(width_px, 1.0))._bounded()

    def zoomed(self, factor: float, x: float) -> FrameScale:
        """Larger by ``factor``, with the frame under ``x`` staying there."""
        place = self.first + x / self.scale
        scale = min(max(self.scale * factor, self.fitted_px_per_frame), self.max_px_per_frame)
        if scale <= self.fitted_px_per_frame * (1 + 1e-9):
            return replace(self, px_per_frame=None, first=0.0)
        return replace(self, px_per_frame=scale, first=place - x / scale)._bounded()

    def scrolled(self, dx_px: float) -> FrameScale:
        return replace(self, first=self.first + dx_px / self.scale)._bounded()

    def showing(self, position: int) -> FrameScale:
        """Scrolled just so far that a frame is in sight."""
        x = self.x_from_place(position)
        if x < 0:
            return self.scrolled(x)
        beyond = x + self.scale - self.width_px
        return self.scrolled(beyond) if beyond > 0 else self

    def picture_step(self, picture_px: float) -> int:
        """Every how many frames a picture of this width has room, if a quarter of it may be cropped.

        One of 1, 2, 3, 4, 6, 8, 12, 16 ...: pictures stay put while the run grows, and leave no wide gaps.
        """
        wanted = 0.75 * picture_px / self.scale
        step = 1 << max(math.ceil(math.log2(max(wanted, 1.0))), 0)
        return step * 3 // 4 if step >= 4 and step * 3 // 4 >= wanted else step

    def _bounded(self) -> FrameScale:
        if self.px_per_frame is not None and self.px_per_frame <= self.fitted_px_per_frame:
            return replace(self, px_per_frame=None, first=0.0)
        last = max(self.n_frames - self.width_px / self.scale, 0.0)
        return replace(self, first=min(max(self.first, 0.0), last))
