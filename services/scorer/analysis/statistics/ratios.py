"""The relative change: how much higher, as a share of the baseline.

Fieller's interval for the ratio of two paired means (Journal of the Royal Statistical Society B 16 (1954) 175): the set
of ratios r that the t test of "mean of candidate - r · baseline is zero" does not reject. It needs no logarithm, so a
score may be zero. It is asymmetric if the baseline is uncertain. If the baseline cannot be told from zero there is no
interval, and none is made up.
"""

from __future__ import annotations

import math

import numpy as np

from services.scorer.analysis.statistics.distributions import t_quantile
from services.scorer.analysis.statistics.intervals import Interval, Method, tail
from services.scorer.analysis.statistics.values import Values, finite


def relative_change(candidate: Values, baseline: Values, confidence: float = 0.95) -> Interval | None:
    """Return mean(candidate) / mean(baseline) - 1 with its interval, for item means of shape (n,) each.

    None below two items, and if the mean of the baseline is not surely above zero: the change of a MOS is a share of
    it,
    the change of a loudness in dB is not.
    """
    candidate, baseline = finite(candidate), finite(baseline)
    n = len(baseline)
    if n < 2 or baseline.mean() <= 0:
        return None
    reach = t_quantile(1 - tail(confidence), n - 1)
    covariance = np.cov(candidate, baseline, ddof=1) * reach**2 / n
    ours, theirs = candidate.mean(), baseline.mean()
    # a r² - 2 b r + c = 0 at the ends of the interval of the ratio r
    a = theirs**2 - covariance[1, 1]
    b = ours * theirs - covariance[0, 1]
    c = ours**2 - covariance[0, 0]
    if a <= 0:
        return None
    root = math.sqrt(max(b**2 - a * c, 0.0))
    ratio = float(ours / theirs)
    low, high = min((b - root) / a, ratio), max((b + root) / a, ratio)  # equal up to rounding if nothing spreads
    return Interval(ratio - 1, float(low) - 1, float(high) - 1, confidence, n, Method.FIELLER)
