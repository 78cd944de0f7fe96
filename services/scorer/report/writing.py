"""How numbers are written in the report: the digits that they justify, with the same signs and units everywhere.

Owns the format of numbers, ranges, probabilities and units. Knows no page and no chart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.scorer.analysis.comparison.result import Estimate

BETTER_IS: Mapping[str, str] = {"higher": "higher is better", "lower": "lower is better", "neutral": "describes"}
"""The words for each direction of a row."""
_MOST_PLACES = 4


@dataclass(frozen=True, slots=True)
class Writing:
    """How the values of one metric are written: ``value * factor`` with ``places`` digits after the point."""

    unit: str
    """The unit of a value; empty if it has none."""
    gap: str
    """The unit of a difference: for two shares in % it is points."""
    places: int
    factor: float = 1.0

    def value(self, value: float | None) -> str:
        """Return ``3.62``, or an en dash for None."""
        return "–" if value is None else _minus(f"{value * self.factor:.{self.places}f}")

    def signed(self, difference: float) -> str:
        """Return ``+0.35``."""
        return _signed(difference * self.factor, self.places)

    def interval(self, range_: Estimate) -> str:
        """Return ``[+0.21, +0.49]``."""
        return f"[{self.signed(range_.low)}, {self.signed(range_.high)}]"

    def with_unit(self, value: float | None) -> str:
        """Return ``3.62 MOS``."""
        return f"{self.value(value)} {self.unit}".rstrip() if value is not None else "–"


def writing(unit: str, binary: bool, scale: Iterable[float]) -> Writing:
    """Return the format for values. ``scale``: the widths that must be distinct from zero."""
    factor = 100.0 if binary else 1.0
    widths = [abs(width) * factor for width in scale if width and math.isfinite(width)]
    if binary:
        return Writing("%", "points", min(_places(min(widths)), 1) if widths else 0, factor)
    places = _places(min(widths)) if widths else 2
    plain = "" if unit == "1" else unit
    return Writing(plain, plain, places)


def percent(share: float, places: int = 1) -> str:
    """Return a relative change: ``+9.7 %``."""
    return f"{_signed(share * 100, places)} %"


def probability(p: float | None) -> str:
    """Return ``0.003`` or ``< 0.001``, or an en dash for None."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def percent_range(range_: Estimate) -> str:
    """Return ``[+5.8 %, +13.6 %]``."""
    return f"[{percent(range_.low)}, {percent(range_.high)}]"


def _places(width: float) -> int:
    """Return the digits after the point that give ``width`` two significant digits."""
    return min(_MOST_PLACES, max(0, 1 - math.floor(math.log10(width))))


def _signed(value: float, places: int) -> str:
    written = f"{value:+.{places}f}"
    return _minus(f"{0:.{places}f}" if float(written) == 0 else written)


def _minus(written: str) -> str:
    """Write a minus sign as wide as a plus, and none before a zero."""
    return (written.removeprefix("-") if float(written) == 0 else written).replace("-", "−")
