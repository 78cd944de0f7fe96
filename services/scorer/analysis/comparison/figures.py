"""Numbers as people read them in a sentence or a table.

Owns the number of digits: an estimate and its interval get the same, according to the largest of them.
"""

from __future__ import annotations

import math

from services.scorer.analysis.comparison.result import Estimate

_DIGITS = 2
_MOST_DECIMALS = 6


def decimals(*values: float) -> int:
    """Return how many decimals show the largest of ``values`` with three digits: 2 for about 1, 0 from 100 on."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest == 0:
        return _DIGITS
    return min(max(_DIGITS - math.floor(math.log10(largest)), 0), _MOST_DECIMALS)


def number(value: float, places: int | None = None) -> str:
    """Return ``value`` with ``places`` decimals, or with as many as it needs. Zero has no sign."""
    text = f"{value:.{decimals(value) if places is None else places}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def amount(value: float) -> str:
    """Return a number that a user wrote, without digits that were not written."""
    return f"{value:.6g}"


def ranged(value: Estimate) -> str:
    """Return the estimate with its interval: ``0.31 [0.22, 0.40]``."""
    places = decimals(value.estimate, value.low, value.high)
    return f"{number(value.estimate, places)} [{number(value.low, places)}, {number(value.high, places)}]"


def within(value: Estimate) -> str:
    """Return the interval alone: ``[-0.10, 0.10]``."""
    return ranged(value).partition(" ")[2]


def turned(value: Estimate) -> Estimate:
    """Return the range seen from the other side: a gain as a loss."""
    return Estimate(0.0 - value.estimate, 0.0 - value.high, 0.0 - value.low)


def with_unit(text: str, unit: str) -> str:
    """Return the text with its unit. Shares and ratios show none."""
    return text if unit in ("", "1") else f"{text} {unit}"


def counted(count: int, one: str) -> str:
    """Return the number with its noun: ``1 item``, ``35 items``."""
    return f"{count} {one}" if count == 1 else f"{count} {one}s"
