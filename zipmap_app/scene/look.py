"""From what the user set and where the timeline stands to the styles of the two clouds: seen and asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zipmap_app.scene.colors import QUERY_COLOR, Rgba
from zipmap_app.scene.framing import SceneFraming
from zipmap_app.scene.growing_points import GrowingPoints
from zipmap_app.scene.point_style import PointStyle
from zipmap_app.scene.stage import Stage
from zipmap_app.state.appearance import Appearance, ColorMode, ShownFrames
from zipmap_app.state.history import FrameRecord
from zipmap_app.state.messages import FrameResult
from zipmap_app.state.session import SessionModel

_QUERY_TINT: Rgba = (*QUERY_COLOR[:3], 0.6)
_CONFIDENCE_SPAN = (0.03, 0.97)  # quantiles at the ends of the colours
_MAX_MEASURED = 2_000  # points of a frame that say how far apart they are


class PointLook:
    """Keeps both clouds' styles up to date. GUI thread only."""

    def __init__(
        self,
        session: SessionModel,
        stage: Stage,
        framing: SceneFraming,
        seen: GrowingPoints,
        queried: GrowingPoints,
    ) -> None:
        self._session = session
        self._stage = stage
        self._framing = framing
        self._seen = seen
        self._queried = queried
        self._min_confidence = float("-inf")
        self._spacing = 0.0
        self.appearance = Appearance()

    def set_appearance(self, appearance: Appearance) -> None:
        self.appearance = appearance
        self.update_scene()

    def update_scene(self) -> None:
        """The scene or what is to be shown of it changed."""
        self._min_confidence = self._session.cloud.confidence_quantile(self.appearance.hidden_fraction)
        frame = self._session.current_frame
        if frame is not None and len(frame.points):
            self._spacing = _point_spacing(frame)
        self.update_view()

    def update_view(self) -> None:
        """The view moved: sizes and distances follow it."""
        look = self.appearance
        # Where neighbouring points of a frame lie two pixels apart, a size of 2 px just closes the gaps; sizes
        # that follow the distance keep them closed everywhere.
        reference_depth = 0.5 * self._spacing * self._stage.camera.view_focal_px
        first, last = self._frame_range()
        style = PointStyle(
            size_px=look.size_px,
            reference_depth=reference_depth if look.is_attenuated else 0.0,
            color_mode=look.color_mode,
            value_range=self._value_range(),
            clip_box=look.clip_box,
            stage_from_world=self._stage.stage_from_world,
        )
        # What was asked for belongs to no frame, so no frame filter hides it.
        self._queried.set_style(replace(style, tint=_QUERY_TINT))
        self._seen.set_style(
            replace(style, min_confidence=self._min_confidence, first_frame=first, last_frame=last)
        )

    def _frame_range(self) -> tuple[float, float]:
        current = self._framing.current
        if current is None or self.appearance.shown_frames is ShownFrames.ALL:
            return float("-inf"), float("inf")
        if self.appearance.shown_frames is ShownFrames.PAST:
            return float("-inf"), current.position + 0.5
        position = self._position_with_points(current)
        return position - 0.5, position + 0.5

    def _position_with_points(self, record: FrameRecord) -> int:
        """Of a frame itself or, where only keyframes give points, of the last keyframe before it."""
        if record.n_points or record.is_keyframe:
            return record.position
        before = reversed(self._session.history.records[: record.position])
        return next((earlier.position for earlier in before if earlier.is_keyframe), record.position)

    def _value_range(self) -> tuple[float, float]:
        match self.appearance.color_mode:
            case ColorMode.DEPTH:
                extent = self._framing.extent()
                if extent is None:
                    return 0.0, 1.0
                eye = self._stage.camera.pose.stage_from_camera[:3, 3]
                distance = float(np.linalg.norm(np.array(extent.centre) - eye))
                return max(distance - extent.radius, 0.0), distance + extent.radius
            case ColorMode.CONFIDENCE:
                low, high = map(self._session.cloud.confidence_quantile, _CONFIDENCE_SPAN)
                return (low, high) if np.isfinite(low) else (0.0, 1.0)
            case ColorMode.TIME:
                return 0.0, max(len(self._session.path) - 1.0, 1.0)
            case ColorMode.RGB:
                return 0.0, 1.0


def _point_spacing(frame: FrameResult) -> float:
    """Typical distance between neighbouring points of a frame, scene units."""
    step = -(-len(frame.points) // _MAX_MEASURED)
    in_camera = frame.points["position"][::step] - frame.world_from_camera[:3, 3]
    depth = float(np.median(in_camera @ frame.world_from_camera[:3, 2]))
    n_pixels_per_point = frame.depth.size / len(frame.points)
    spacing: float = depth / float(frame.intrinsics[0, 0]) * n_pixels_per_point**0.5
    return spacing
