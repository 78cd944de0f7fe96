"""One rule of a gate, and its verdict on the scores: pass, fail or inconclusive.

A rule names a threshold for the mean gain (positive: better): minus the margin for non-inferiority, the required gain
for superiority. The interval of the mean gain decides: pass if all of it is at the threshold or above, fail if all of
it is below, inconclusive if the threshold is inside. So at 95 % a candidate exactly at the threshold passes in about
2.5 % of comparisons and fails in as many (measured: docs/statistics.md). Scores that were not measured well enough
make the verdict inconclusive too, each with its reason.

Knows one metric in one scope. Several rules are combined in services/scorer/analysis/statistics/gates.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from services.scorer.analysis.statistics.intervals import Interval, tail
from services.scorer.analysis.statistics.means import mean_interval, p_mean_below
from services.scorer.analysis.statistics.noise import SeedNoise
from services.scorer.analysis.statistics.pairing import Pairs
from services.scorer.analysis.statistics.planning import items_needed
from services.scorer.analysis.statistics.proportions import p_proportion_below, proportion_interval
from services.scorer.analysis.statistics.values import Values
from shared.scores import Direction

FEWEST_ITEMS = 10
"""With fewer items there is no verdict: the intervals were not found to keep their coverage."""
_ROUNDING = 1e-9


class Demand(StrEnum):
    """What a rule asks of the candidate."""

    NOT_WORSE = "not_worse"  # by more than the amount: non-inferiority
    BETTER = "better"  # by the amount at least: a required gain


class Scale(StrEnum):
    """The scale of a rule's amount."""

    ABSOLUTE = "absolute"  # the unit of the metric
    RELATIVE = "relative"  # shares of the baseline's mean, 0.05 is 5 %
    NOISE_FLOORS = "noise_floors"  # `NoiseFloor.run_to_run` of the baseline


class RuleOutcome(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Doubt(StrEnum):
    """Why a verdict is inconclusive."""

    TOO_FEW_ITEMS = "too_few_items"  # fewer than the rule asks for
    TOO_MANY_UNSCORED = "too_many_unscored"  # what was left out could have changed the verdict
    INTERVAL_STRADDLES = "interval_straddles"  # the threshold is inside the interval
    FLOOR_MISSING = "floor_missing"  # the margin is in noise floors, and none was measured
    FLOOR_IS_ZERO = "floor_is_zero"  # every seed gave the same score: zero is no unit
    BASELINE_NOT_POSITIVE = "baseline_not_positive"  # a share of the baseline's mean says nothing
    RELATIVE_PROPORTION = "relative_proportion"  # for yes and no state the amount in points
    NOT_AFTER_CORRECTION = "not_after_correction"  # fails alone, but not after correction over all rules


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked of one metric. ``amount`` >= 0, in the unit of ``scale``."""

    direction: Direction
    demand: Demand
    amount: float
    scale: Scale = Scale.ABSOLUTE
    fewest_items: int = FEWEST_ITEMS
    unscored_at_most: float = 0.1
    """Share of pairs that may be left out."""
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.direction is Direction.NEUTRAL:
            raise ValueError("a rule needs a direction: a metric that only describes is no ground for a verdict")
        if not 0 <= self.amount < float("inf"):
            raise ValueError(f"an amount is zero or more, not {self.amount}")
        if self.fewest_items < FEWEST_ITEMS:
            raise ValueError(f"fewest_items must be at least {FEWEST_ITEMS} (found {self.fewest_items})")
        if not 0 <= self.unscored_at_most <= 1:
            raise ValueError(f"a share lies between 0 and 1, not {self.unscored_at_most}")
        tail(self.confidence)

    @property
    def signed_amount(self) -> float:
        return -self.amount if self.demand is Demand.NOT_WORSE else self.amount


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one rule. Gains are in the unit of the metric; positive is better."""

    outcome: RuleOutcome
    doubt: Doubt | None = None
    """Why it is inconclusive. None for pass and fail."""
    gain: Interval | None = None
    threshold: float | None = None
    p_fail: float | None = None
    """One-sided p of "the gain reaches the threshold"; `gates.corrected` corrects it."""
    items_needed: int | None = None
    """Items after which it would likely be decided. None if it is decided, or if that cannot be said."""


def judge(rule: Rule, pairs: Pairs, *, binary: bool = False, floor: SeedNoise | None = None) -> Verdict:
    """Apply a rule to the scores of one metric.

    ``binary``: scores are yes or no (1 or 0). ``floor``: of the baseline, for `NOISE_FLOORS`.
    """
    thresholds = _thresholds(rule, pairs, binary, floor)
    if isinstance(thresholds, Doubt):
        return Verdict(RuleOutcome.INCONCLUSIVE, thresholds)
    gains = pairs.gains(rule.direction)
    gain = _interval(rule, gains, thresholds, pairs.seeds if binary else None)
    threshold = float(thresholds.mean()) if len(thresholds) else None
    if len(gains) < rule.fewest_items:
        more = _needed(rule, gains, thresholds, pairs.seeds if binary else None) or 0
        return Verdict(
            RuleOutcome.INCONCLUSIVE, Doubt.TOO_FEW_ITEMS, gain, threshold, None, max(rule.fewest_items, more)
        )
    assert gain is not None
    assert threshold is not None  # there are items
    if pairs.unscored_share > rule.unscored_at_most:
        return Verdict(RuleOutcome.INCONCLUSIVE, Doubt.TOO_MANY_UNSCORED, gain, threshold)
    p_fail = _p_fail(gains, thresholds, pairs.seeds if binary else None)
    if reaches(gain.low, threshold):
        return Verdict(RuleOutcome.PASS, None, gain, threshold, p_fail)
    if falls_short(gain.high, threshold):
        return Verdict(RuleOutcome.FAIL, None, gain, threshold, p_fail)
    needed = _needed(rule, gains, thresholds, pairs.seeds if binary else None)
    return Verdict(RuleOutcome.INCONCLUSIVE, Doubt.INTERVAL_STRADDLES, gain, threshold, p_fail, needed)


def _thresholds(rule: Rule, pairs: Pairs, binary: bool, floor: SeedNoise | None) -> Values | Doubt:
    """Return the threshold of each item's gain, shape (n,). It differs by item only if it is a share of the
    baseline."""
    if rule.scale is Scale.ABSOLUTE:
        return np.full(len(pairs.items), rule.signed_amount)
    if rule.scale is Scale.NOISE_FLOORS:
        if floor is None:
            return Doubt.FLOOR_MISSING
        if floor.is_zero:
            return Doubt.FLOOR_IS_ZERO
        return np.full(len(pairs.items), rule.signed_amount * floor.run_to_run)
    if binary:
        return Doubt.RELATIVE_PROPORTION
    if len(pairs.items) and pairs.baseline.mean() <= 0:
        return Doubt.BASELINE_NOT_POSITIVE
    return rule.signed_amount * pairs.baseline


def _interval(rule: Rule, gains: Values, thresholds: Values, seeds: float | None) -> Interval | None:
    """Return the interval of the mean gain. ``seeds``: for a proportion, else None.

    A threshold that is a share of the baseline is as uncertain as the baseline. So the interval is that of the gain
    minus the threshold, item by item, around the threshold. A gain surely above zero passes any margin as it is.
    """
    if seeds is not None:
        return proportion_interval(gains, seeds, rule.confidence)
    plain = mean_interval(gains, rule.confidence)
    if plain is None or rule.scale is not Scale.RELATIVE or (rule.demand is Demand.NOT_WORSE and plain.low >= 0):
        return plain
    beyond = mean_interval(gains - thresholds, rule.confidence)
    assert beyond is not None
    middle = float(thresholds.mean())
    return replace(beyond, estimate=plain.estimate, low=beyond.low + middle, high=beyond.high + middle)


def _needed(rule: Rule, gains: Values, thresholds: Values, seeds: float | None) -> int | None:
    if rule.scale is Scale.RELATIVE:
        return items_needed(gains - thresholds, 0.0, rule.confidence)
    threshold = float(thresholds[0]) if len(thresholds) else 0.0
    in_floors = rule.scale is Scale.NOISE_FLOORS
    return items_needed(gains, threshold, rule.confidence, seeds=seeds, in_floors=in_floors)


def _p_fail(gains: Values, thresholds: Values, seeds: float | None) -> float:
    if seeds is not None:
        return p_proportion_below(gains, float(thresholds[0]), seeds)
    return p_mean_below(gains - thresholds, 0.0)


def reaches(low: npt.ArrayLike, threshold: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return whether an interval from ``low`` on is at the threshold or above it, up to rounding. Broadcasts."""
    low, threshold = np.asarray(low, np.float64), np.asarray(threshold, np.float64)
    return np.asarray(low >= threshold - _ROUNDING * np.maximum(np.abs(low), np.abs(threshold)))


def falls_short(high: npt.ArrayLike, threshold: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return whether an interval up to ``high`` is below the threshold, up to rounding. Broadcasts."""
    return ~reaches(high, threshold)
