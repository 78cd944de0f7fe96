"""The mean of differences by item: its interval, and how surely it is below a value.

There are two methods, and the wider bound is taken at either end:

- Student's t, mean ± t(n - 1) · s / √n, exact if differences are normal, too short on one side if they are skewed;
- from 10 items on, the studentised bootstrap, mean - t* · s / √n with t* the quantiles of `studentised_roots`, which
  follows the skew and is too short if tails are long on both sides.

The percentile bootstrap and BCa cover less, at 10 items far less, and are not used. Figures: docs/statistics.md, from
benchmarks/evidence/calibration.py.
"""

from __future__ import annotations

import math

import numpy as np

from services.scorer.analysis.statistics.distributions import t_below, t_quantile
from services.scorer.analysis.statistics.intervals import Interval, Method, tail
from services.scorer.analysis.statistics.resampling import studentised_roots
from services.scorer.analysis.statistics.values import Values, finite, is_constant

BOOTSTRAP_FROM = 10
"""With fewer items there is not enough to resample, and t alone is used."""


def mean_interval(sample: Values, confidence: float = 0.95) -> Interval | None:
    """Return the interval of the mean of a sample of shape (n,). None below two items, which show no spread."""
    sample = finite(sample)
    n = sample.shape[-1]
    if n < 2:
        return None
    low, high = mean_bounds(sample, confidence)
    method = Method.T_AND_BOOTSTRAP if n >= BOOTSTRAP_FROM else Method.T
    if is_constant(sample):
        method = Method.CONSTANT
    return Interval(float(np.sort(sample).mean()), float(low), float(high), confidence, n, method)


def mean_bounds(sample: Values, confidence: float = 0.95) -> tuple[Values, Values]:
    """Return the lower and upper bounds of many means: arrays of shape (...,) for samples of shape (..., n), n >= 2."""
    alpha = tail(confidence)
    n = sample.shape[-1]
    sample = np.sort(sample, axis=-1)  # so that sums do not depend on the order of the items
    mean, error = sample.mean(axis=-1), sample.std(axis=-1, ddof=1) / math.sqrt(n)
    error = np.where(is_constant(sample), 0.0, error)
    reach = t_quantile(1 - alpha, n - 1)
    low, high = mean - reach * error, mean + reach * error
    if n >= BOOTSTRAP_FROM:
        roots = studentised_roots(sample)
        beyond = max(math.floor(alpha * (roots.shape[-1] + 1)) - 1, 0)
        low = np.minimum(low, mean - roots[..., -1 - beyond] * error)
        high = np.maximum(high, mean - roots[..., beyond] * error)
    return low, high


def p_mean_below(sample: Values, value: float) -> float:
    """Return the one-sided p of "the mean is at least ``value``": small if it is surely below. Shape (n,), n >= 2.

    It is the larger p of both methods, so it is below (1 - confidence) / 2 when the interval ends below ``value``.
    """
    sample = np.sort(finite(sample))
    n = len(sample)
    mean = sample.mean()
    if is_constant(sample):
        return 1.0 if mean >= value else 0.5**n  # a sign test: n items of n on one side
    t = (mean - value) / (sample.std(ddof=1) / math.sqrt(n))
    p = float(t_below(t, n - 1))
    if n >= BOOTSTRAP_FROM:
        roots = studentised_roots(sample)
        p = max(p, (int(np.searchsorted(roots, t, side="right")) + 1) / (len(roots) + 1))
    return p
