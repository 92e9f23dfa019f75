"""A flight that the user wants written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zipmap_app.state.flight import FlightContent


@dataclass(frozen=True, slots=True)
class FlightOrder:
    """Where to, what of it, how fast, and which scene state answers."""

    path: Path  # .mp4 or .webm: a video; else a new folder of PNG pictures
    content: FlightContent
    frames_per_s: int
    state_id: int
