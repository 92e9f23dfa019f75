"""What decides the look of a cloud, as the shader takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from zipmap_app.scene.colors import CONFIDENCE_RAMP, DISTANCE_RAMP, TIME_RAMP, Rgba
from zipmap_app.state.appearance import ClipBox, ColorMode

_FAR = 3.0e38  # near the largest float32: GLSL 1.20 has no infinity
_RAMPS = {
    ColorMode.DEPTH: (DISTANCE_RAMP, (1.0, 0.0, 0.0)),
    ColorMode.CONFIDENCE: (CONFIDENCE_RAMP, (0.0, 1.0, 0.0)),
    ColorMode.TIME: (TIME_RAMP, (0.0, 0.0, 1.0)),
}


@dataclass(frozen=True, slots=True, eq=False)
class PointStyle:
    """How points are drawn; every change of it is a change of uniforms, never an upload."""

    size_px: float = 2.0
    reference_depth: float = 0.0  # where a point has that size; 0: the same size everywhere
    min_confidence: float = float("-inf")
    first_frame: float = float("-inf")
    last_frame: float = float("inf")
    tint: Rgba = (0.0, 0.0, 0.0, 0.0)  # mixed into every colour, by its alpha
    color_mode: ColorMode = ColorMode.RGB
    value_range: tuple[float, float] = (0.0, 1.0)  # what the ends of a colour ramp stand for
    clip_box: ClipBox | None = None
    stage_from_world: np.ndarray = field(default_factory=lambda: np.eye(3))

    @property
    def defines(self) -> tuple[str, ...]:
        """What the vertex shader has to be compiled with."""
        names = []
        if self.color_mode is not ColorMode.RGB:
            names.append("VALUE_COLORS")
        if self.clip_box is not None:
            names.append("CLIP_BOX")
        return tuple(names)

    def uniforms(self, eye: np.ndarray) -> Iterator[tuple[str, object]]:
        """Names and values that hold for a whole draw; ``eye`` is (3,) in the points' space."""
        yield "u_reference_depth", self.reference_depth
        yield "u_min_confidence", max(self.min_confidence, -_FAR)
        yield "u_frames", (max(self.first_frame, -_FAR), min(self.last_frame, _FAR))
        yield "u_tint", self.tint
        if self.color_mode is not ColorMode.RGB:
            ramp, weights = _RAMPS[self.color_mode]
            low, high = self.value_range
            yield "u_eye", eye
            yield "u_value_weights", weights
            yield "u_value_range", (low, max(high, low + 1e-6 * max(abs(low), 1.0)))
            for i, color in enumerate(ramp):
                yield f"u_ramp[{i}]", color
        if self.clip_box is not None:
            turn = np.eye(4, dtype=np.float32)
            turn[:3, :3] = self.stage_from_world.T  # rows, as the GL upload wants it
            yield "u_stage_from_visual", turn
            yield "u_box_low", self.clip_box.minimum
            yield "u_box_high", self.clip_box.maximum
