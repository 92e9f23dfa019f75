"""What the user chose to open, and what the dialog needs to know of cameras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """What to open and how often to look."""

    spec: str  # as for the command line: a path, a camera number, an address, "screen:..."
    max_fps: float | None = None  # frames a second at most; None takes every frame


@dataclass(frozen=True, slots=True)
class NamedCamera:
    """A camera as a list shows it."""

    index: int
    name: str


PreviewFrame = Callable[[np.ndarray], None]  # (H, W, 3) uint8, GUI thread
PreviewFailure = Callable[[str], None]  # one sentence, GUI thread


class CameraBrowser(Protocol):
    """Finds cameras and shows what one sees, without keeping the GUI thread waiting. GUI thread only."""

    def find(self, on_found: Callable[[Sequence[NamedCamera]], None]) -> None:
        """Look for cameras; ``on_found`` is called later, in the GUI thread."""

    def start_preview(self, index: int, on_frame: PreviewFrame, on_failed: PreviewFailure) -> None:
        """Show a camera until ``stop_preview``; another preview ends first."""

    def stop_preview(self) -> None:
        """Let go of the camera; harmless without one."""
