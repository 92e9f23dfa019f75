"""Where the user stands in the run, and playing it back."""

from __future__ import annotations

from zipmap_app.state.event import Event

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)


class Timeline:
    """A cursor over the processed frames. GUI thread only.

    ``cursor`` None stands for the newest frame, wherever that is: a growing scene is then followed.
    """

    def __init__(self) -> None:
        self.changed: Event[[]] = Event()
        self._timestamps_s: list[float] = []
        self._cursor: int | None = None
        self._is_playing = False
        self._speed = 1.0
        self._media_s = 0.0  # where playing has got to, in media time

    @property
    def n_frames(self) -> int:
        return len(self._timestamps_s)

    @property
    def cursor(self) -> int | None:
        return self._cursor

    @property
    def position(self) -> int | None:
        """The frame under the cursor, or None in an empty run."""
        if not self._timestamps_s:
            return None
        return self._cursor if self._cursor is not None else self.n_frames - 1

    @property
    def is_playing(self) -> bool:
        return self._is_playing

    @property
    def speed(self) -> float:
        """Media seconds per second."""
        return self._speed

    @property
    def time_s(self) -> float:
        """Media time of the frame under the cursor, counted from the first frame."""
        position = self.position
        return 0.0 if position is None else self._timestamps_s[position] - self._timestamps_s[0]

    @property
    def duration_s(self) -> float:
        return self._timestamps_s[-1] - self._timestamps_s[0] if self._timestamps_s else 0.0

    def append(self, timestamp_s: float) -> None:
        """One more frame was processed."""
        self._timestamps_s.append(timestamp_s)
        self.changed.emit()

    def set_timestamps(self, timestamps_s: list[float]) -> None:
        """The run has exactly these frames now; the cursor stays where it can."""
        self._timestamps_s = list(timestamps_s)
        if self._cursor is not None and self._cursor >= self.n_frames:
            self._cursor = None
        self._is_playing = self._is_playing and self.n_frames > 1
        self.changed.emit()

    def seek(self, position: int | None) -> None:
        """Stand on a frame, within the run; None goes back to the newest. Playing goes on from there."""
        if position is not None:
            position = min(max(position, 0), self.n_frames - 1) if self._timestamps_s else None
        self._cursor = position
        self._media_s = self._timestamps_s[position] if position is not None else 0.0
        if position is None:
            self._is_playing = False
        self.changed.emit()

    def step(self, n_frames: int) -> None:
        """Move by frames, and stop playing."""
        if self.position is not None:
            self._is_playing = False
            self.seek(self.position + n_frames)

    def play(self) -> None:
        """Play from the cursor, or from the start when it stands at the end."""
        if self.n_frames < 2:
            return
        if self.position == self.n_frames - 1:
            self.seek(0)
        assert self.position is not None
        self.seek(self.position)
        self._is_playing = True
        self.changed.emit()

    def pause(self) -> None:
        self._is_playing = False
        self.changed.emit()

    def set_speed(self, speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"speed: want above 0, got {speed}")
        self._speed = speed
        self.changed.emit()

    def advance(self, elapsed_s: float) -> None:
        """Let ``elapsed_s`` of real time pass; at the last frame playing ends there."""
        if not self._is_playing or self._cursor is None:
            return
        self._media_s += elapsed_s * self._speed
        position = self._cursor
        while position + 1 < self.n_frames and self._timestamps_s[position + 1] <= self._media_s:
            position += 1
        if position + 1 >= self.n_frames:
            self._is_playing = False
        elif position == self._cursor:
            return
        self._cursor = position
        self.changed.emit()
