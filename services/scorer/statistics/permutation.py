"""The sign-flip test by item: could these differences as well have gone the other way?

If neither side is better, the sign of each item's difference is a coin. The statistic is the mean; every way to throw
the coins is counted up to 2^16 of them, beyond that 10,000 throws with a fixed seed. Differences of zero have no sign
and change nothing. Sources: Fisher, The Design of Experiments (1935), III; Phipson & Smyth, Statistical Applications
in Genetics and Molecular Biology 9 (2010) 39: p = (b + 1) / (m + 1), never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import numpy as np

from services.scorer.statistics.resampling import RESAMPLES, all_signs, random_signs
from services.scorer.statistics.values import Values, finite

EXACT_UP_TO = 16
_ROUNDING = 1e-9
"""Of the sum of sizes: sums that are equal on paper differ by less."""


class Side(StrEnum):
    """What would speak against "no difference"."""

    EITHER = "either"
    GREATER = "greater"
    LESS = "less"


def sign_flip_p(sample: Values, side: Side = Side.EITHER, resamples: int = RESAMPLES) -> float:
    """p of "the differences are as likely to be of the other sign", in (0, 1], for a sample of shape (n,).

    1 where there is no item that differs.
    """
    sample = finite(sample)
    if side is Side.LESS:
        return sign_flip_p(-sample, Side.GREATER, resamples)
    sizes = np.sort(np.abs(sample[sample != 0]))
    if not len(sizes):
        return 1.0
    exact = len(sizes) <= EXACT_UP_TO
    signs: Iterable[Values] = [all_signs(len(sizes))] if exact else random_signs(len(sizes), resamples)
    sums = np.concatenate([rows @ sizes for rows in signs])
    observed = float(sample.sum())
    if side is Side.EITHER:
        sums, observed = np.abs(sums), abs(observed)
    as_large = int((sums >= observed - _ROUNDING * sizes.sum()).sum())
    return as_large / len(sums) if exact else (as_large + 1) / (len(sums) + 1)
