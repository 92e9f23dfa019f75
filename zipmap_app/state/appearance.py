"""How the scene is shown; nothing here changes what was reconstructed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from zipmap_app.state.event import Event
from zipmap_app.state.sample import SceneExtent


class ColorMode(Enum):
    """What the colour of a point says."""

    RGB = "picture"
    DEPTH = "distance"  # from the eye
    CONFIDENCE = "confidence"
    TIME = "time"  # when it was seen, from blue (first) to amber (newest)


class ShownFrames(Enum):
    """Whose points are drawn, relative to the frame that the timeline stands on."""

    ALL = "all"
    PAST = "past"  # up to and including the current frame
    CURRENT = "current"


class ShownFrusta(Enum):
    """Which camera frusta are drawn."""

    ALL = "all"
    CURRENT = "current"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ClipBox:
    """Only points inside are drawn. Corners in stage space: the world turned upright by the alignment."""

    minimum: tuple[float, float, float]
    maximum: tuple[float, float, float]

    def __post_init__(self) -> None:
        if any(low >= high for low, high in zip(self.minimum, self.maximum, strict=True)):
            raise ValueError(f"clip box: want minimum below maximum, got {self.minimum} and {self.maximum}")

    @classmethod
    def around(cls, extent: SceneExtent) -> ClipBox:
        """A cube that holds the bulk of the points; ``extent`` in stage space."""
        reach = 1.25 * extent.radius
        x, y, z = extent.centre
        return cls((x - reach, y - reach, z - reach), (x + reach, y + reach, z + reach))


@dataclass(frozen=True, slots=True)
class Appearance:
    """Everything about drawing that the user can set."""

    size_px: float = 2.5
    is_attenuated: bool = True  # nearer points are larger
    is_shaded: bool = True  # eye-dome lighting, which makes edges and shapes readable
    hidden_fraction: float = 0.0  # of the least confident points, 0 to 1
    color_mode: ColorMode = ColorMode.RGB
    shown_frames: ShownFrames = ShownFrames.ALL
    clip_box: ClipBox | None = None
    shown_frusta: ShownFrusta = ShownFrusta.ALL
    frustum_scale: float = 1.0  # 1 is a size that fits the scene
    has_pictures: bool = True  # frusta carry their frame's picture

    def __post_init__(self) -> None:
        if not 0 <= self.hidden_fraction <= 1:
            raise ValueError(f"hidden_fraction: want 0 to 1, got {self.hidden_fraction}")
        if self.size_px <= 0 or self.frustum_scale <= 0:
            raise ValueError("size_px and frustum_scale must be positive")


class AppearanceModel:
    """The appearance in force; everything that edits or shows it meets here. GUI thread only."""

    def __init__(self) -> None:
        self.changed: Event[[Appearance]] = Event()
        self.value = Appearance()

    def set(self, appearance: Appearance) -> None:
        """Announce another appearance; nothing when it is the same."""
        if appearance != self.value:
            self.value = appearance
            self.changed.emit(appearance)

    def edit(self, **fields: Any) -> None:
        """Change some fields of Appearance. Raises ValueError for values that make no sense."""
        self.set(replace(self.value, **fields))
