"""PLY point clouds: binary, little-endian, x y z, red green blue, confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

import numpy as np

from zipmap_app.state.lengths import LengthUnit

_VERTEX_DTYPE = np.dtype(
    [
        ("position", "<f4", (3,)),
        ("colour", "u1", (3,)),
        ("confidence", "<f4"),
    ]
)
_HEADER_PROPERTIES = """\
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
property float confidence
end_header
"""
_COUNT_WIDTH = 20
_UNSCALED = LengthUnit()


class PlyWriter:
    """Writes a cloud of unknown size as it comes; the count in the header is filled in at the end."""

    def __init__(self, path: Path, unit: LengthUnit = _UNSCALED) -> None:
        """``unit``: what coordinates are written in."""
        self.n_points = 0
        self._unit = unit
        self._file = path.open("wb")
        self._file.write(_header(0, unit))

    def append(self, points: np.ndarray) -> None:
        """Add points (K,) POINT_DTYPE, in world space with OpenCV axes."""
        vertices = np.empty(len(points), _VERTEX_DTYPE)
        vertices["position"] = points["position"] * np.float32(self._unit.number(1.0))
        packed = points["rgb"].astype(np.uint32)
        for channel in range(3):
            vertices["colour"][:, channel] = (packed >> (8 * channel)) & 255
        vertices["confidence"] = points["confidence"]
        self._file.write(vertices.tobytes())
        self.n_points += len(points)

    def close(self) -> None:
        """Complete the file; harmless twice."""
        if self._file.closed:
            return
        self._file.seek(0)
        self._file.write(_header(self.n_points, self._unit))
        self._file.close()

    def __enter__(self) -> PlyWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def save_ply(
    path: Path,
    blocks: Iterable[np.ndarray],
    *,
    unit: LengthUnit = _UNSCALED,
    report: Callable[[int], None] | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> int | None:
    """Write blocks of POINT_DTYPE points as one cloud; an existing file is replaced only when complete.

    ``unit``: what coordinates are written in. ``report`` hears the number of points after each block. Returns
    the number of points, or None if cancelled.
    Raises OSError.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with PlyWriter(partial, unit) as writer:
            for block in blocks:
                if is_cancelled():
                    return None
                writer.append(block)
                if report is not None:
                    report(writer.n_points)
        partial.replace(path)
        return writer.n_points
    finally:
        partial.unlink(missing_ok=True)


def _header(n_points: int, unit: LengthUnit) -> bytes:
    """The header, equally long for every count: a comment takes up what the number leaves."""
    count = str(n_points)
    scale = unit.name if unit.is_metric else "relative scale"
    filler = "." * (_COUNT_WIDTH - len(count))
    return (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment ZipMap Studio; OpenCV axes (x right, y down, z forward), {scale}\n"
        f"comment {filler}\nelement vertex {count}\n{_HEADER_PROPERTIES}"
    ).encode("ascii")
