"""How many items would settle it."""

from __future__ import annotations

import math
from bisect import bisect_left

from services.scorer.statistics.distributions import t_quantile
from services.scorer.statistics.intervals import tail
from services.scorer.statistics.values import Values, is_constant

POWER = 0.8
MOST_ITEMS = 10_000
"""Beyond this nobody speaks a suite: the answer is None."""


def items_needed(gains: Values, threshold: float, confidence: float = 0.95) -> int | None:
    """Items after which a verdict on ``threshold`` is likely (8 in 10), if what was seen is the truth.

    The smallest n with (t(n - 1, confidence) + t(n - 1, power)) · s / √n <= |mean - threshold|, more than there are
    now. None where that is beyond `MOST_ITEMS` (the difference lies too near the threshold), and where nothing can be
    said: fewer than two items, or no spread. It is a plan and no promise: mean and spread are themselves estimates.
    """
    now = len(gains)
    if now < 2 or is_constant(gains):
        return None
    spread, distance = float(gains.std(ddof=1)), abs(float(gains.mean()) - threshold)

    def settles(n: int) -> bool:
        reach = t_quantile(1 - tail(confidence), n - 1) + t_quantile(POWER, n - 1)
        return reach * spread / math.sqrt(n) <= distance

    sizes = range(now + 1, MOST_ITEMS + 1)
    found = bisect_left(sizes, True, key=settles)
    return sizes[found] if found < len(sizes) else None
