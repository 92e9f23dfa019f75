"""What every source of frames promises."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from zipmap_app.state.messages import SourceFrame

MIN_SIDE_PX = 32  # below this there is nothing to match between views


class SourceError(Exception):
    """One sentence for the user: what failed, why, and what to do."""


class SourceStalledError(SourceError):
    """No frame within the time of one read, but one may still come: call ``read`` again."""


class SourceIdleError(SourceError):
    """No frame is due yet, and nothing is wrong: call ``read`` again."""


class FrameSource(Protocol):
    """An ordered supply of upright RGB frames, used by one thread at a time."""

    name: str  # for the title bar
    is_live: bool  # live sources drop frames, files never do
    n_frames_hint: int | None  # may lie; only for a progress bar

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know so far; only grows."""

    def read(self) -> SourceFrame | None:
        """The next frame, or None at the end; blocks about one second at most.

        Raises SourceStalledError when a live source is silent for now, SourceIdleError when the next frame is
        not due within that time, SourceError when the source is lost for good.
        """

    def skip(self) -> bool:
        """Pass over one frame as cheaply as the source can; False at the end. Raises like ``read``."""

    def close(self) -> None:
        """Release the device or file; may be called twice."""


@runtime_checkable
class ReopenableSource(FrameSource, Protocol):
    """A source that can be opened a second time, even after it was closed."""

    def reopened(self, after_frame_index: int) -> FrameSource:
        """A new source that gives what this one gave after that frame: a file the same frames again, a live
        source whatever comes. Getting there may take several ``read`` calls that raise SourceIdleError.
        """


def check_size(name: str, height: int, width: int) -> None:
    """Raise SourceError for a picture too small to reconstruct from."""
    if min(height, width) < MIN_SIDE_PX:
        raise SourceError(
            f"{name} is {width}x{height} pixels, too small to reconstruct: "
            f"use pictures of at least {MIN_SIDE_PX}x{MIN_SIDE_PX}."
        )
