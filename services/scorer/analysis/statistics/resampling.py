"""Resampling with a fixed seed: the studentised bootstrap of a mean, and its sign flips.

The same numbers give the same answer on every run and in every order, because values are sorted first. Resamples come
in pairs, each with the one that draws the items of mirrored rank (antithetic; Hall, Biometrika 76 (1989) 713), so
swapping the two sides of a comparison only changes signs.

Both are matrix products. A resample is how often each item was drawn, a row of ``weights``. Means and mean squares of
all resamples of all samples are then two products, some hundred times faster than a loop
(benchmarks/scoring/resampling.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from services.scorer.analysis.statistics.values import Values

RESAMPLES = 10_000
SEED = 20_201
_BLOCK = 2**22
"""Numbers held at once while drawing: 32 MB."""
_LEAST_SPREAD = 0.25
"""The least spread of a resample, as a share of the sample's.

A resample that missed the only item that differs would otherwise have a t without bound, and the interval no end.
"""


def studentised_roots(sample: Values, resamples: int = RESAMPLES) -> Values:
    """Return the bootstrap distribution of t = (mean* - mean) / se*, sorted, shape (..., resamples), for (..., n).

    All zero for a constant sample. Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), 12.5; DiCiccio
    & Efron, Statistical Science 11 (1996) 189.
    """
    ordered = np.sort(sample, axis=-1)
    centred = ordered - ordered.mean(axis=-1, keepdims=True)
    n = sample.shape[-1]
    least = _LEAST_SPREAD**2 * np.mean(centred**2, axis=-1, keepdims=True)
    least = np.where(least > 0, least, np.inf)
    parts = []
    for half in _weights(n, resamples // 2):
        weights = np.concatenate([half, half[:, ::-1]])
        mean = centred @ weights.T / n
        variance = centred**2 @ weights.T / n - mean**2
        parts.append(mean / np.sqrt(np.maximum(variance, least) / (n - 1)))
    return np.sort(np.concatenate(parts, axis=-1), axis=-1)


def _weights(n: int, resamples: int) -> Iterator[Values]:
    """Yield how often each of n items is in a resample, shape (rows, n), in blocks of rows."""
    random = np.random.default_rng(SEED)
    for rows in _blocks(n, resamples):
        drawn = random.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def random_signs(n: int, resamples: int = RESAMPLES) -> Iterator[Values]:
    """Yield signs of -1 and +1, shape (rows, n), in blocks of rows, ``resamples`` rows in all."""
    random = np.random.default_rng(SEED)
    for rows in _blocks(n, resamples):
        yield random.integers(2, size=(rows, n), dtype=np.int8).astype(np.float64) * 2 - 1


def all_signs(n: int) -> Values:
    """Return every way to give n numbers a sign, shape (2 ** n, n)."""
    bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
    return bits.astype(np.float64) * 2 - 1


def _blocks(n: int, resamples: int) -> Iterator[int]:
    rows = max(1, _BLOCK // max(n, 1))
    for done in range(0, resamples, rows):
        yield min(rows, resamples - done)
