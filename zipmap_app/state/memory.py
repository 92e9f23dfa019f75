"""One memory budget for everything a growing scene keeps."""

from __future__ import annotations

from dataclasses import dataclass

_GIB = 2**30
_POINT_SHARE, _PICTURE_SHARE, _UNDO_SHARE = 0.5, 0.2, 0.1  # the rest is the pipeline's, for rewinding


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """How much the parts of one scene may keep, in bytes; the model itself comes on top."""

    total_bytes: int

    def __post_init__(self) -> None:
        if self.total_bytes < 64 * 2**20:
            raise ValueError(f"memory budget: want at least 64 MiB, got {self.total_bytes} bytes")

    @property
    def points_bytes(self) -> int:
        """Vertices, in host memory and on the GPU together."""
        return int(self.total_bytes * _POINT_SHARE)

    @property
    def pictures_bytes(self) -> int:
        return int(self.total_bytes * _PICTURE_SHARE)

    @property
    def undo_bytes(self) -> int:
        return int(self.total_bytes * _UNDO_SHARE)

    @property
    def rewind_bytes(self) -> int:
        """Snapshots and inputs that rewinding needs."""
        return self.total_bytes - self.points_bytes - self.pictures_bytes - self.undo_bytes


def default_budget(machine_bytes: int) -> MemoryBudget:
    """A quarter of the machine's memory, at least 1 and at most 8 GiB: other programs live there too."""
    return MemoryBudget(min(max(machine_bytes // 4, _GIB), 8 * _GIB))


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """What is kept now, in bytes."""

    points_bytes: int = 0
    pictures_bytes: int = 0
    undo_bytes: int = 0
    rewind_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        return self.points_bytes + self.pictures_bytes + self.undo_bytes + self.rewind_bytes
