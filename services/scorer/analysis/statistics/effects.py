"""The effect of one metric in one scope: the row of the report's table.

Owns the choice of test and interval by the kind of scores. Holm's correction over the rows of a table is in
`families.holm`, verdicts are in rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.scorer.analysis.statistics.intervals import Interval
from services.scorer.analysis.statistics.means import mean_interval
from services.scorer.analysis.statistics.noise import SeedNoise
from services.scorer.analysis.statistics.pairing import Pairs
from services.scorer.analysis.statistics.permutation import sign_flip_p
from services.scorer.analysis.statistics.proportions import mcnemar_p, proportion_interval
from services.scorer.analysis.statistics.ratios import relative_change
from services.scorer.analysis.statistics.tallies import Tally, tally
from services.scorer.analysis.statistics.values import differences
from shared.scores import Direction


@dataclass(frozen=True, slots=True)
class Effect:
    """Means and their difference, candidate minus baseline, in the unit of the metric. The sign does not say what is
    better."""

    n: int
    baseline_mean: float | None
    candidate_mean: float | None
    difference: Interval | None
    relative: Interval | None
    """As a share of the baseline's mean. None if that has no meaning (`ratios.relative_change`)."""
    p: float
    """Two-sided: exact McNemar for yes and no at one seed, else the sign flip by item."""
    tally: Tally | None
    """None for a metric without a better direction."""


def effect(
    pairs: Pairs,
    direction: Direction,
    *,
    binary: bool = False,
    floor: SeedNoise | None = None,
    confidence: float = 0.95,
) -> Effect:
    """Return the row of one metric. ``binary``: scores are yes or no. ``floor``: its item band is what counts as a
    tie."""
    change = differences(pairs.candidate, pairs.baseline)
    band = floor.item_band(pairs.seeds) if floor else 0.0
    found = bool(pairs.items)
    difference = proportion_interval(change, pairs.seeds, confidence) if binary else mean_interval(change, confidence)
    return Effect(
        n=len(pairs.items),
        baseline_mean=float(pairs.baseline.mean()) if found else None,
        candidate_mean=float(pairs.candidate.mean()) if found else None,
        difference=difference,
        relative=None if binary else relative_change(pairs.candidate, pairs.baseline, confidence),
        p=mcnemar_p(change) if binary and pairs.seeds == 1 else sign_flip_p(change),
        tally=None if direction is Direction.NEUTRAL else tally(pairs.gains(direction), band),
    )
