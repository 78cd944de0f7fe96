"""Intervals, and the methods that they are found by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """The method of an interval. docs/statistics.md says where each is used and why."""

    T = "t"
    T_AND_BOOTSTRAP = "t_and_studentised_bootstrap"
    CONSTANT = "constant"  # every item says the same: the interval is a point and says nothing of the uncertainty
    TANGO = "tango_score"
    PSEUDO_ITEMS = "t_with_pseudo_items"
    FIELLER = "fieller"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval around it, in the unit of the values, from ``n`` items. Low <= estimate <= high."""

    estimate: float
    low: float
    high: float
    confidence: float
    n: int
    method: Method


def tail(confidence: float) -> float:
    """Return the probability that is left out at either end. Raises `ValueError` outside of (0, 1)."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    return (1 - confidence) / 2
