"""Numbers as people read them in a sentence or a table.

Owns how many digits are worth saying: an estimate and its interval get as many, by the largest of them.
"""

from __future__ import annotations

import math

from services.scorer.comparison.result import Range

_DIGITS = 2
_MOST_DECIMALS = 6


def decimals(*values: float) -> int:
    """Decimals that show the largest of ``values`` with three digits, from 2 for what is about 1 to 0 from 100 on."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest == 0:
        return _DIGITS
    return min(max(_DIGITS - math.floor(math.log10(largest)), 0), _MOST_DECIMALS)


def number(value: float, places: int | None = None) -> str:
    """``value`` with so many decimals, or as many as it needs; zero has no sign."""
    text = f"{value:.{decimals(value) if places is None else places}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def amount(value: float) -> str:
    """A number that somebody wrote, with no digit that was not written."""
    return f"{value:.6g}"


def ranged(value: Range) -> str:
    """``0.31 [0.22, 0.40]``"""
    places = decimals(value.estimate, value.low, value.high)
    return f"{number(value.estimate, places)} [{number(value.low, places)}, {number(value.high, places)}]"


def within(value: Range) -> str:
    """``[-0.10, 0.10]``"""
    return ranged(value).partition(" ")[2]


def turned(value: Range) -> Range:
    """The same seen from the other side: a loss for a gain."""
    return Range(0.0 - value.estimate, 0.0 - value.high, 0.0 - value.low)


def with_unit(text: str, unit: str) -> str:
    """Shares and ratios have no unit to show."""
    return text if unit in ("", "1") else f"{text} {unit}"


def counted(count: int, one: str) -> str:
    """``1 item``, ``35 items``"""
    return f"{count} {one}" if count == 1 else f"{count} {one}s"
