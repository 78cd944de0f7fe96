"""Differences of two proportions by item: correct or not, the right emotion or another, scored or not.

At one seed an item is a pair of yes and no, and only the items count on which the two disagree:

- interval: Tango's score interval (Statistics in Medicine 17 (1998) 891), which keeps its coverage if few items or none
  disagree; Newcombe (same volume, 2635) compares it with its rivals;
- test: McNemar's, exact (Psychometrika 12 (1947) 153).

With k seeds an item is a share of k, and neither holds: seeds of one item are not independent, and McNemar over
items × seeds gives more than 10 % false alarms at 5 seeds (tests/scorer/statistics/test_calibration.py). Then the
differences of shares are averaged by item like any other score (`means.py`), and at either end the interval is the
wider of that one and of t with two items added, one of +1/√k and one of -1/√k, so that agreement everywhere is not
certainty:

    d~ = Σd / (n + 2),  v~ = (Σd² + 2/k) / (n + 2) - d~²,  d~ ± t(n - 1) · √(v~ / (n + 2))

At k = 1 the second would be the interval of Agresti & Min (Statistics in Medicine 24 (2005) 729) and Bonett & Price
(Journal of Educational and Behavioral Statistics 37 (2012) 479). The step to k seeds is this project's own and rests on
its measured coverage (docs/statistics.md). The test is then the sign flip by item.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from services.scorer.analysis.statistics.distributions import (
    coin_at_most,
    normal_below,
    normal_quantile,
    t_below,
    t_quantile,
    t_quantiles,
)
from services.scorer.analysis.statistics.intervals import Interval, Method, tail
from services.scorer.analysis.statistics.means import mean_bounds, p_mean_below
from services.scorer.analysis.statistics.values import Values, finite, is_constant

_HALVINGS = 50
_ROUNDING = 1e-12


def proportion_interval(sample: Values, seeds: float, confidence: float = 0.95) -> Interval | None:
    """Return the interval of the mean of ``sample``.

    ``sample``: differences of shares by item, shape (n,), of ``seeds`` seeds each on average. None without an item, or
    with a single item at several seeds. Raises `ValueError` for differences that no shares of yes and no give.
    """
    sample = _checked(sample, seeds)
    n = sample.shape[-1]
    if n < 1 or (seeds > 1 and n < 2):
        return None
    low, high = proportion_bounds(sample, seeds, confidence)
    method = Method.TANGO if seeds == 1 else Method.PSEUDO_ITEMS
    return Interval(float(np.sort(sample).mean()), float(low), float(high), confidence, n, method)


def proportion_bounds(sample: Values, seeds: float, confidence: float = 0.95) -> tuple[Values, Values]:
    """Return lower and upper bounds of many means: arrays of shape (...,) for samples of shape (..., n)."""
    alpha = tail(confidence)
    if seeds == 1:
        wins, losses = ((side * sample > 0.5).sum(axis=-1, dtype=np.float64) for side in (1, -1))
        z = normal_quantile(1 - alpha)
        n = sample.shape[-1]
        return -_tango_upper(losses, wins, n, z), _tango_upper(wins, losses, n, z)
    low, high = mean_bounds(sample, confidence)
    centre, error = _with_pseudo_items(sample, seeds)
    reach = t_quantile(1 - alpha, sample.shape[-1] - 1) * error
    return np.maximum(np.minimum(low, centre - reach), -1), np.minimum(np.maximum(high, centre + reach), 1)


def projected_bounds(
    sample: Values, sizes: npt.NDArray[np.int64], seeds: float, confidence: float = 0.95
) -> tuple[Values, Values]:
    """Return the bounds that samples of ``sizes`` items, shape (m,), would have if they looked like ``sample``, shape
    (n,).

    Two arrays of shape (m,). For several seeds they are without the bootstrap's part.
    """
    alpha = tail(confidence)
    if seeds == 1:
        wins, losses = ((side * sample > 0.5).mean() * sizes for side in (1, -1))
        z = normal_quantile(1 - alpha)
        return -_tango_upper(losses, wins, sizes, z), _tango_upper(wins, losses, sizes, z)
    reach = t_quantiles(1 - alpha, sizes - 1)
    plain = reach * sample.std(ddof=1) / np.sqrt(sizes)
    centre, error = _pseudo(sample.mean() * sizes, (sample**2).mean() * sizes, sizes, seeds)
    return (
        np.minimum(sample.mean() - plain, centre - reach * error),
        np.maximum(sample.mean() + plain, centre + reach * error),
    )


def p_proportion_below(sample: Values, value: float, seeds: float) -> float:
    """Return the one-sided p of "the difference is at least ``value``": small if it is surely below. Shape (n,), n >=
    2."""
    sample = _checked(sample, seeds)
    if seeds == 1:
        wins, losses = int((sample > 0.5).sum()), int((sample < -0.5).sum())
        return float(normal_below(_tango_z(wins, losses, len(sample), value)))
    centre, error = _with_pseudo_items(sample, seeds)
    p = float(t_below((centre - value) / error, len(sample) - 1))
    return p if is_constant(sample) else max(p, p_mean_below(sample, value))


def mcnemar_p(sample: Values) -> float:
    """Return the two-sided exact p of "as many items won as lost".

    ``sample``: differences of -1, 0 and 1 by item, shape (n,), one seed. The result is twice the smaller tail of the
    binomial, at most 1. Raises `ValueError` for anything in between, which several seeds give.
    """
    sample = _checked(sample, 1)
    wins, losses = int((sample > 0.5).sum()), int((sample < -0.5).sum())
    return min(1.0, 2 * coin_at_most(min(wins, losses), wins + losses)) if wins + losses else 1.0


def _checked(sample: Values, seeds: float) -> Values:
    sample = finite(sample)
    if seeds < 1 or (np.abs(sample) > 1 + _ROUNDING).any():
        raise ValueError("differences of shares lie between -1 and 1, of at least one seed")
    if seeds == 1 and (np.abs(sample - np.round(sample)) > _ROUNDING).any():
        raise ValueError("at one seed an item is won, lost or neither: more than one seed was averaged")
    return sample


def _with_pseudo_items(sample: Values, seeds: float) -> tuple[Values, Values]:
    """Return mean and standard error with the two items added, shape (...,) each."""
    ordered = np.sort(sample, axis=-1)
    return _pseudo(ordered.sum(axis=-1), (ordered**2).sum(axis=-1), sample.shape[-1], seeds)


def _pseudo(total: Values, squares: Values, n: int | npt.NDArray[np.int64], seeds: float) -> tuple[Values, Values]:
    """Return the same from the sum and the sum of squares of ``n`` items. Broadcasts."""
    centre = total / (n + 2)
    variance = (squares + 2 / seeds) / (n + 2) - centre**2
    return centre, np.sqrt(variance / (n + 2))


def _tango_upper(wins: Values, losses: Values, n: int | npt.NDArray[np.int64], z: float) -> Values:
    """Return where the score statistic falls below -z: between the estimate and 1, found by halving. Broadcasts."""
    inside = (wins - losses) / n
    outside = np.ones_like(inside)
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        within = _tango_z(wins, losses, n, middle) >= -z
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return np.asarray(outside)


def _tango_z(
    wins: npt.ArrayLike, losses: npt.ArrayLike, n: int | npt.NDArray[np.int64], value: npt.ArrayLike
) -> Values:
    """Return the score statistic of "the difference is ``value``", which is standard normal if it is. Broadcasts."""
    b, c, d = (np.asarray(x, np.float64) for x in (wins, losses, value))
    excess = b - c - n * d
    linear = -b - c + (2 * n - b + c) * d
    # The most likely probability of a loss, given the difference.
    loss = (np.sqrt(np.maximum(linear**2 + 8 * n * c * d * (1 - d), 0)) - linear) / (4 * n)
    variance = n * (2 * loss + d * (1 - d))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = excess / np.sqrt(np.maximum(variance, 0))
    certain = np.where(np.abs(excess) <= _ROUNDING * n, 0.0, np.copysign(math.inf, excess))
    return np.where(variance <= _ROUNDING, certain, z)
