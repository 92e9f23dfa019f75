"""In which unit lengths are read and typed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LengthUnit:
    """Metres once the scale is known, else the model's own unit, which has no name.

    Everything that shows a length or takes one from the user converts here.
    """

    metres_per_unit: float | None = None  # None: the scale is unknown

    def __post_init__(self) -> None:
        if self.metres_per_unit is not None and not self.metres_per_unit > 0:
            raise ValueError(f"metres_per_unit: want above 0, got {self.metres_per_unit}")

    @property
    def is_metric(self) -> bool:
        return self.metres_per_unit is not None

    @property
    def name(self) -> str:
        return "metres" if self.is_metric else "scene units"

    @property
    def suffix(self) -> str:
        """What stands behind a typed number."""
        return " m" if self.is_metric else ""

    def number(self, length_in_units: float) -> float:
        """The number that the user reads for a length of the model's world."""
        return length_in_units * (self.metres_per_unit or 1.0)

    def in_units(self, number: float) -> float:
        """The length of the model's world for a number that the user typed."""
        return number / (self.metres_per_unit or 1.0)

    def text(self, length_in_units: float) -> str:
        """A length in words, with the prefix that keeps the number short."""
        length = self.number(length_in_units)
        if not self.is_metric:
            return f"{length:.3g} units"
        if length < 1:
            return f"{length * 100:.3g} cm"
        return f"{length:.3g} m" if length < 1000 else f"{length / 1000:.3g} km"
