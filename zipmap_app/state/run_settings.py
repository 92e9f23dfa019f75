"""What can be set about a run while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Holds from the next frame on, where nothing else is said.

    Raises ValueError on construction for values that make no sense.
    """

    leaves_out_sky: bool = False  # by a rule of thumb on colour and depth
    leaves_out_black: bool = False  # a plain black background, as of rendered objects
    leaves_out_white: bool = False
    has_keyframe_points_only: bool = False  # the other frames still move the camera and the scene state
    has_assist: bool = True  # corners followed from frame to frame steady the cameras; from the next scene on
    fov_x_deg: float | None = None  # horizontal field of view; None: from the source, else from the model
    companion: str | None = None  # the model that answers questions where the run's cannot; holds at once
    has_one_model_at_a_time: bool = False  # where memory does not hold both; likewise

    def __post_init__(self) -> None:
        if self.fov_x_deg is not None and not 10 <= self.fov_x_deg <= 150:
            raise ValueError(f"fov_x_deg: want 10 to 150, got {self.fov_x_deg}")
