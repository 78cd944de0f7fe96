"""One rule: pass, fail, and every way to be inconclusive."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scorer.analysis.statistics.noise import SeedNoise
from services.scorer.analysis.statistics.pairing import pair, whether_scored
from services.scorer.analysis.statistics.rules import Demand, Doubt, Rule, RuleOutcome, Scale, Verdict, judge
from services.scorer.analysis.statistics.values import Values
from shared.scores import Direction
from tests.scorer.statistics.samples import SAMPLES, gauss, pairs_of, scored

PASS, FAIL = (RuleOutcome.PASS, None), (RuleOutcome.FAIL, None)
BASELINE = gauss(35, 3.6, 0.3)
FLOOR = SeedNoise(sigma=0.2, freedom=140, items=35)


def not_worse(amount: float, **more: Any) -> Rule:
    return Rule(Direction.HIGHER, Demand.NOT_WORSE, amount, **more)


def better(amount: float, **more: Any) -> Rule:
    return Rule(Direction.HIGHER, Demand.BETTER, amount, **more)


def said(rule: Rule, gain: float | Values, **more: Any) -> tuple[RuleOutcome, Doubt | None]:
    """What a candidate gets that gains so much, give or take a little by item."""
    verdict = judge(rule, pairs_of(BASELINE, BASELINE + gain + gauss(35, 0, 0.05, seed=1)), **more)
    return verdict.outcome, verdict.doubt


@pytest.mark.parametrize(("gain", "expected"), [(0.0, PASS), (-0.05, PASS), (-0.2, FAIL)])
def test_a_margin_allows_so_much_loss(gain: float, expected: object) -> None:
    assert said(not_worse(0.1), gain) == expected


@pytest.mark.parametrize(("gain", "expected"), [(0.2, PASS), (0.0, FAIL), (0.05, FAIL)])
def test_a_required_gain_asks_for_so_much(gain: float, expected: object) -> None:
    assert said(better(0.1), gain) == expected


def test_at_the_threshold_it_is_open_and_says_how_many_items_would_settle_it() -> None:
    verdict = judge(not_worse(0.1), pairs_of(BASELINE, BASELINE - 0.08 + gauss(35, 0, 0.1, seed=1)))
    assert verdict.doubt is Doubt.INTERVAL_STRADDLES
    assert verdict.gain is not None
    assert verdict.gain.low < -0.1 < verdict.gain.high
    assert verdict.items_needed is not None
    assert verdict.items_needed > 35


def test_lower_is_better_where_the_metric_says_so() -> None:
    rule = Rule(Direction.LOWER, Demand.NOT_WORSE, 0.1)
    assert said(rule, -0.3) == PASS
    assert said(rule, 0.3) == FAIL


@pytest.mark.parametrize(("gain", "expected"), [(0.0, PASS), (-0.05, PASS), (-0.4, FAIL)])
def test_a_relative_margin_is_a_share_of_the_baseline(gain: float, expected: object) -> None:
    assert said(not_worse(0.05, scale=Scale.RELATIVE), gain) == expected


@pytest.mark.parametrize(("gain", "expected"), [(0.4, PASS), (0.1, FAIL)])
def test_a_relative_gain_too(gain: float, expected: object) -> None:
    assert said(better(0.05, scale=Scale.RELATIVE), gain) == expected


def test_the_same_sound_passes_a_relative_margin_however_the_baseline_spreads() -> None:
    mostly_zero = [0.0] * 14 + [0.5]
    rule = Rule(Direction.LOWER, Demand.NOT_WORSE, 0.05, Scale.RELATIVE)
    assert judge(rule, pairs_of(mostly_zero, mostly_zero)).outcome is RuleOutcome.PASS


@pytest.mark.parametrize(("gain", "expected"), [(0.0, PASS), (-0.2, FAIL)])
def test_a_margin_in_noise_floors_is_measured(gain: float, expected: object) -> None:
    assert 0.09 < FLOOR.run_to_run < 0.1
    assert said(not_worse(1, scale=Scale.NOISE_FLOORS), gain, floor=FLOOR) == expected


@pytest.mark.parametrize(
    ("rule", "more", "doubt"),
    [
        (not_worse(1, scale=Scale.NOISE_FLOORS), {}, Doubt.FLOOR_MISSING),
        (not_worse(1, scale=Scale.NOISE_FLOORS), {"floor": SeedNoise(0.0, 140, 35)}, Doubt.FLOOR_IS_ZERO),
        (not_worse(0.1, fewest_items=36), {}, Doubt.TOO_FEW_ITEMS),
        (not_worse(0.1, scale=Scale.RELATIVE), {"binary": True}, Doubt.RELATIVE_PROPORTION),
    ],
)
def test_what_a_rule_cannot_stand_on_is_inconclusive(rule: Rule, more: dict[str, Any], doubt: Doubt) -> None:
    assert said(rule, 0.0, **more) == (RuleOutcome.INCONCLUSIVE, doubt)


def test_a_share_of_what_is_not_positive_is_inconclusive() -> None:
    verdict = judge(not_worse(0.1, scale=Scale.RELATIVE), pairs_of(-BASELINE, -BASELINE))
    assert verdict.doubt is Doubt.BASELINE_NOT_POSITIVE


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_below_ten_items_there_is_no_verdict(n: int) -> None:
    verdict = judge(not_worse(0.1), pairs_of(BASELINE[:n], BASELINE[:n] - 2))
    assert (verdict.outcome, verdict.doubt) == (RuleOutcome.INCONCLUSIVE, Doubt.TOO_FEW_ITEMS)
    assert verdict.items_needed == 10


def test_too_many_unscored_is_never_a_pass() -> None:
    spoken = [[3.6]] * 16 + [[None]] * 4
    pairs = pair(scored([[3.6]] * 20), scored(spoken))
    verdict = judge(not_worse(0.1), pairs)
    assert (verdict.outcome, verdict.doubt) == (RuleOutcome.INCONCLUSIVE, Doubt.TOO_MANY_UNSCORED)
    assert judge(not_worse(0.1, unscored_at_most=0.2), pairs).outcome is RuleOutcome.PASS


@pytest.mark.parametrize(("silent", "most"), [(21, 0.3), (7, 0.1)])
def test_exactly_as_many_unscored_as_a_rule_allows_are_allowed(silent: int, most: float) -> None:
    """In floating point 1 - 49 / 70 is more than 0.3."""
    pairs = pair(scored([[3.6]] * 70), scored([[None]] * silent + [[3.6]] * (70 - silent)))
    assert judge(not_worse(0.1, unscored_at_most=most), pairs).outcome is RuleOutcome.PASS


def test_a_candidate_that_falls_silent_fails_by_its_silence() -> None:
    before, after = scored([[3.6]] * 35), scored([[3.6]] * 20 + [[None]] * 15)
    verdict = judge(not_worse(0.1), pair(whether_scored(before), whether_scored(after)), binary=True)
    assert verdict.outcome is RuleOutcome.FAIL


@pytest.mark.parametrize("gain", [0.1, -0.1])
def test_a_constant_gain_at_the_threshold_reaches_it_in_spite_of_rounding(gain: float) -> None:
    rule = better(gain) if gain > 0 else not_worse(-gain)
    assert judge(rule, pairs_of(BASELINE, BASELINE + gain)).outcome is RuleOutcome.PASS


@pytest.mark.parametrize(
    "wrong",
    [
        {"direction": Direction.NEUTRAL},
        {"amount": -0.1},
        {"amount": float("nan")},
        {"fewest_items": 9},
        {"unscored_at_most": 1.1},
        {"confidence": 95},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Rule(**{"direction": Direction.HIGHER, "demand": Demand.NOT_WORSE, "amount": 0.1, **wrong})


RANK = {RuleOutcome.FAIL: 0, RuleOutcome.INCONCLUSIVE: 1, RuleOutcome.PASS: 2}


@settings(max_examples=40, deadline=None)
@given(SAMPLES.filter(lambda sample: len(sample) >= 10), st.floats(0, 3), st.floats(0, 3))
def test_a_wider_margin_is_never_harder(gains: Values, one: float, other: float) -> None:
    pairs = pairs_of(np.zeros(len(gains)), gains)
    narrow, wide = (judge(not_worse(amount), pairs).outcome for amount in sorted((one, other)))
    assert RANK[narrow] <= RANK[wide]


@settings(max_examples=40, deadline=None)
@given(SAMPLES.filter(lambda sample: len(sample) >= 10), st.floats(0.01, 3))
def test_what_is_surely_better_by_more_than_a_margin_is_surely_worse_the_other_way(
    gains: Values, amount: float
) -> None:
    zeros = np.zeros(len(gains))
    forth: Verdict = judge(better(amount), pairs_of(zeros, gains))
    back: Verdict = judge(not_worse(amount), pairs_of(gains, zeros))
    if back.outcome is RuleOutcome.FAIL:
        assert forth.outcome is RuleOutcome.PASS
    if forth.outcome is RuleOutcome.FAIL:
        assert back.outcome is RuleOutcome.PASS
