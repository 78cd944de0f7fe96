"""Corrects several tests together: the more there are, the more of them reject by chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.scorer.analysis.statistics.values import finite


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return adjusted p values, in the order given.

    Rejecting below α keeps the chance of any false alarm in the family below α. The i-th smallest of m is multiplied by
    m - i + 1, and no smaller one may come out larger. Raises `ValueError` for a p outside of [0, 1]. Source: Holm,
    Scandinavian Journal of Statistics 6 (1979) 65.
    """
    p = finite(p_values)
    if ((p < 0) | (p > 1)).any():
        raise ValueError("a p value lies between 0 and 1")
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return tuple(float(value) for value in result)
