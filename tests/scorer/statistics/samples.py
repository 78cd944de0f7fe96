"""Samples and pairs that the tests of the statistics share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from services.scorer.analysis.statistics.pairing import ItemSeed, Pairs, pair
from services.scorer.analysis.statistics.values import Values
from shared.scores import Reason, Score, Scored, Unscored

SAMPLES = st.lists(st.integers(-40, 40).map(lambda tenths: tenths / 10), min_size=2, max_size=24).map(np.array)
"""Differences by item as tenths of a point: with ties, zeros and constant samples among them."""


def gauss(n: int, mean: float = 0.0, spread: float = 1.0, seed: int = 0) -> Values:
    """A sample of shape (n,), the same for the same arguments."""
    return np.random.default_rng(seed).normal(mean, spread, n)


def signs(wins: int, losses: int, n: int) -> Values:
    """Differences of yes and no: so many won, so many lost, the rest equal."""
    return np.repeat([1.0, -1.0, 0.0], [wins, losses, n - wins - losses])


def scored(values: Sequence[Sequence[float | None]]) -> dict[ItemSeed, Scored]:
    """Scores of items (rows) and seeds (columns); None is silence."""
    return {
        (f"item-{i:02}", seed): Unscored(Reason.NO_SPEECH) if value is None else Score(value, "MOS", "lock")
        for i, row in enumerate(values)
        for seed, value in enumerate(row)
    }


def pairs_of(baseline: Sequence[float], candidate: Sequence[float]) -> Pairs:
    """Pairs of one seed."""
    return pair(scored([[x] for x in baseline]), scored([[x] for x in candidate]))
