"""The vertex format of the cloud, and sealing of arrays that are shared."""

from __future__ import annotations

import numpy as np

# One vertex of the growing cloud, 24 bytes: VisPy attributes are float32 only, so the colour travels as one
# exact integer r + 256 g + 65536 b (below 2**24) and is unpacked in the shader. ``frame`` is the position of the
# frame the point came from, in the order of processing.
POINT_DTYPE = np.dtype(
    [
        ("position", np.float32, (3,)),
        ("rgb", np.float32),
        ("confidence", np.float32),
        ("frame", np.float32),
    ]
)
QUERIED_FRAME = -1.0  # ``frame`` of points that the model was asked for rather than saw


def seal(*arrays: np.ndarray | None) -> None:
    """Make arrays read-only, so that a message can be shared between threads without a lock."""
    for array in arrays:
        if array is not None:
            array.setflags(write=False)
