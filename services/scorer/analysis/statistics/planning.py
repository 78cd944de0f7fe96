"""How many items a verdict needs."""

from __future__ import annotations

import numpy as np

from services.scorer.analysis.statistics.distributions import t_quantiles
from services.scorer.analysis.statistics.intervals import tail
from services.scorer.analysis.statistics.proportions import projected_bounds
from services.scorer.analysis.statistics.values import Values, is_constant

POWER = 0.8
MOST_ITEMS = 10_000
"""Nobody speaks a larger suite, so the answer is None."""


def items_needed(
    gains: Values, threshold: float, confidence: float = 0.95, *, seeds: float | None = None, in_floors: bool = False
) -> int | None:
    """Return the number of items after which a verdict on ``threshold`` is likely (8 in 10), if the sample is typical.

    This is the smallest n, larger than now, at which the threshold is outside of the interval around the same mean by
    at least t(n - 1, power) · s / √n, by which a mean of n items strays. The interval is mean ± t(n - 1, confidence) ·
    s / √n. ``seeds``: for a proportion, the seeds per item; its interval is that of proportions.py, which narrows even
    if no two items differ. ``in_floors``: the threshold narrows with √n, as the noise floor does.

    None if the number is beyond `MOST_ITEMS` (the difference is too close to the threshold), and if nothing can be
    said:
    fewer than two items, or numbers without spread. It is a plan and no promise: mean and spread are estimates.
    """
    now = len(gains)
    if now < 2 or (seeds is None and is_constant(gains)):
        return None
    sizes = np.arange(now + 1, MOST_ITEMS + 1)
    thresholds = threshold * np.sqrt(now / sizes) if in_floors else np.full(len(sizes), threshold)
    error = gains.std(ddof=1) / np.sqrt(sizes)
    if seeds is None:
        reach = t_quantiles(1 - tail(confidence), sizes - 1) * error
        low, high = gains.mean() - reach, gains.mean() + reach
    else:
        low, high = projected_bounds(gains, sizes, seeds, confidence)
    stray = t_quantiles(POWER, sizes - 1) * error
    settled = (low - stray >= thresholds) | (high + stray < thresholds)
    return int(sizes[settled.argmax()]) if settled.any() else None
