"""Pairs two evaluations: the same items with the same seeds, spoken by baseline and candidate.

Owns what is left out and why. A pair is one item at one seed. If either side has no score, both are left out, so that
the rest compares like with like. Then seeds are averaged within each item, and items are the sample.

What is left out is counted: otherwise a candidate that fails on the hard items would look better. The share is part of
every verdict, and `whether_scored` makes being scored an outcome of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.scorer.analysis.statistics.values import Values, differences
from shared.scores import Direction, Score, Scored

ItemSeed = tuple[str, int]
"""Id of an item of the suite, and the seed it was spoken with."""

MISSING = "missing"
"""Counted if a side has no entry at all for an item and seed that the other side has."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """One metric of two evaluations.

    ``baseline`` and ``candidate`` are item means, shape (n,), in the order of ``items``.
    """

    items: tuple[str, ...]
    baseline: Values
    candidate: Values
    seeds: float
    """Number of seeds per item, on average. 1 if there is no item."""
    scored: int
    """Pairs of item and seed that both sides have scored."""
    wanted: int
    """Pairs of item and seed that either side has."""
    baseline_unscored: Mapping[str, int]
    """Number of pairs by reason."""
    candidate_unscored: Mapping[str, int]

    @property
    def unscored_share(self) -> float:
        """Share of the pairs that were left out, 0 to 1. It is 1 if there are no pairs at all."""
        return (self.wanted - self.scored) / self.wanted if self.wanted else 1.0

    def gains(self, direction: Direction) -> Values:
        """Return how much better each item became, shape (n,). Raises `ValueError` for a metric without a better
        direction."""
        if direction is Direction.NEUTRAL:
            raise ValueError("a metric that only describes has no better and no worse")
        change = differences(self.candidate, self.baseline)
        return change if direction is Direction.HIGHER else 0.0 - change


def pair(baseline: Mapping[ItemSeed, Scored], candidate: Mapping[ItemSeed, Scored]) -> Pairs:
    """Pair the scores of one metric. The caller has decided that they may be compared (scorer, suite, unit)."""
    wanted = sorted(baseline.keys() | candidate.keys())
    candidate_values: dict[str, list[float]] = defaultdict(list)
    baseline_values: dict[str, list[float]] = defaultdict(list)
    for key in wanted:
        before, after = baseline.get(key), candidate.get(key)
        if isinstance(before, Score) and isinstance(after, Score):
            baseline_values[key[0]].append(before.value)
            candidate_values[key[0]].append(after.value)
    counts = [len(values) for values in candidate_values.values()]
    return Pairs(
        items=tuple(candidate_values),
        baseline=np.array([np.mean(values) for values in baseline_values.values()], np.float64),
        candidate=np.array([np.mean(values) for values in candidate_values.values()], np.float64),
        seeds=float(np.mean(counts)) if counts else 1.0,
        scored=sum(counts),
        wanted=len(wanted),
        baseline_unscored=_unscored(baseline, wanted),
        candidate_unscored=_unscored(candidate, wanted),
    )


def _unscored(scores: Mapping[ItemSeed, Scored], wanted: list[ItemSeed]) -> Counter[str]:
    found = (scores.get(key) for key in wanted)
    return Counter(MISSING if s is None else s.reason.value for s in found if not isinstance(s, Score))


def whether_scored(scores: Mapping[ItemSeed, Scored]) -> dict[ItemSeed, Scored]:
    """Return 1 for every score and 0 for every Unscored. By this a gate fails a candidate that produces no speech."""
    return {key: Score(float(isinstance(scored, Score)), "1", "scored") for key, scored in scores.items()}
