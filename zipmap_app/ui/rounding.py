"""Round numbers, for axes and steps."""

from __future__ import annotations

import math


def round_ceiling(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 ... above a positive value."""
    magnitude = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    return next(step * magnitude for step in (1, 2, 5, 10) if step * magnitude >= value)
