"""Two evaluations, paired: the same items with the same seeds, spoken by baseline and candidate.

Owns what is left out and why. A pair is one item at one seed; where either side has no score, both are left out, so
that what remains compares like with like. Then seeds are averaged within each item, and items are the sample.

Left out is never forgotten: a candidate that fails on the hard items would look better by it. The share is part of
every verdict, and `whether_scored` makes being scored an outcome of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.scorer.statistics.values import Values, differences
from shared.scores import Direction, Score, Scored

ItemSeed = tuple[str, int]
"""Id of an item of the suite, and the seed it was spoken with."""

MISSING = "missing"
"""Counted where a side has no entry at all for an item and seed that the other side has."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """One metric of two evaluations. ``baseline`` and ``candidate`` are item means, shape (n,), in the order of
    ``items``."""

    items: tuple[str, ...]
    baseline: Values
    candidate: Values
    seeds: float
    """Seeds that an item's means are taken over, on average; 1 where there is no item."""
    scored: int
    """Pairs of item and seed that both sides have scored."""
    wanted: int
    """Pairs of item and seed that either side has."""
    baseline_unscored: Mapping[str, int]
    """Reason -> pairs."""
    candidate_unscored: Mapping[str, int]

    @property
    def unscored_share(self) -> float:
        """Pairs left out, of all: 0 to 1; 1 where there is nothing at all."""
        return (self.wanted - self.scored) / self.wanted if self.wanted else 1.0

    def gains(self, direction: Direction) -> Values:
        """By how much each item became better, shape (n,). `ValueError` for a metric that has no better."""
        if direction is Direction.NEUTRAL:
            raise ValueError("a metric that only describes has no better and no worse")
        change = differences(self.candidate, self.baseline)
        return change if direction is Direction.HIGHER else 0.0 - change


def pair(baseline: Mapping[ItemSeed, Scored], candidate: Mapping[ItemSeed, Scored]) -> Pairs:
    """Pair the scores of one metric. Whether they may be compared (scorer, suite, unit) was decided before."""
    wanted = sorted(baseline.keys() | candidate.keys())
    ours: dict[str, list[float]] = defaultdict(list)
    theirs: dict[str, list[float]] = defaultdict(list)
    for key in wanted:
        before, after = baseline.get(key), candidate.get(key)
        if isinstance(before, Score) and isinstance(after, Score):
            theirs[key[0]].append(before.value)
            ours[key[0]].append(after.value)
    counts = [len(values) for values in ours.values()]
    return Pairs(
        items=tuple(ours),
        baseline=np.array([np.mean(values) for values in theirs.values()], np.float64),
        candidate=np.array([np.mean(values) for values in ours.values()], np.float64),
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
    """1 for every score and 0 for every Unscored: what a gate fails a candidate by that falls silent."""
    return {key: Score(float(isinstance(scored, Score)), "1", "scored") for key, scored in scores.items()}
