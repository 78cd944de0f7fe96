"""The sign-flip test by item: could these differences just as well have gone the other way?

If neither side is better, the sign of each item's difference is a coin. The statistic is the mean. Up to 2^16 ways to
throw the coins, all of them are counted; beyond that, 10,000 throws with a fixed seed. Differences of zero have no
sign and change nothing. Sources: Fisher, The Design of Experiments (1935), III; Phipson & Smyth, Statistical
Applications in Genetics and Molecular Biology 9 (2010) 39: p = (b + 1) / (m + 1), never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import numpy as np

from services.scorer.analysis.statistics.resampling import RESAMPLES, all_signs, random_signs
from services.scorer.analysis.statistics.values import Values, finite

EXACT_UP_TO = 16
_ROUNDING = 1e-9
"""As a share of the sum of sizes: sums that are equal on paper differ by less."""


class Tail(StrEnum):
    """The side of the alternative to "no difference"."""

    EITHER = "either"
    GREATER = "greater"
    LESS = "less"


def sign_flip_p(sample: Values, side: Tail = Tail.EITHER, resamples: int = RESAMPLES) -> float:
    """Return p of "the differences are as likely to have the other sign", in (0, 1], for a sample of shape (n,).

    1 if no item differs.
    """
    sample = finite(sample)
    if side is Tail.LESS:
        return sign_flip_p(-sample, Tail.GREATER, resamples)
    sizes = np.sort(np.abs(sample[sample != 0]))
    if not len(sizes):
        return 1.0
    exact = len(sizes) <= EXACT_UP_TO
    signs: Iterable[Values] = [all_signs(len(sizes))] if exact else random_signs(len(sizes), resamples)
    sums = np.concatenate([rows @ sizes for rows in signs])
    observed = float(sample.sum())
    if side is Tail.EITHER:
        sums, observed = np.abs(sums), abs(observed)
    as_large = int((sums >= observed - _ROUNDING * sizes.sum()).sum())
    return as_large / len(sums) if exact else (as_large + 1) / (len(sums) + 1)
