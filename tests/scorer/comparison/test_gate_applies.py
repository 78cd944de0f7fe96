"""Rules that are asked only where a metric covers something: what that is, and what is no excuse."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.gating import NOT_APPLICABLE
from shared.scores import Reason
from tests.scorer.comparison.asked import MOS, SAME, gate, not_worse, only
from tests.scorer.comparison.drawn import Reading, evaluated, spoiled


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (Reason.LANGUAGE_NOT_COVERED, NOT_APPLICABLE),
        (Reason.NEEDS_REFERENCE, NOT_APPLICABLE),
        (Reason.NEEDS_TEXT, NOT_APPLICABLE),
        (Reason.CLASS_NOT_COVERED, NOT_APPLICABLE),
        (Reason.MODEL_NOT_PULLED, NOT_APPLICABLE),
        (Reason.NO_SPEECH, "inconclusive"),
        (Reason.SCORER_ERROR, "inconclusive"),
        (Reason.TOO_SHORT, "inconclusive"),
    ],
)
def test_a_rule_does_not_apply_where_the_metric_covers_nothing(reason: Reason, outcome: str) -> None:
    sides = [evaluated(name, lambda n, _: {MOS: reason}) for name in ("v1", "v2")]
    result = gate(sides[1], not_worse(0.1, if_covered=True), baseline=sides[0])
    assert (only(result).outcome, result.verdict) == (outcome, "inconclusive")
    assert only(gate(sides[1], not_worse(0.1), baseline=sides[0])).outcome == "inconclusive"


def test_a_rule_does_not_apply_where_nobody_asked_for_the_metric() -> None:
    result = gate(SAME, not_worse(0.1), not_worse(0.1, "mos/utmos", if_covered=True))
    assert result.judged[1].why == "mos/utmos does not apply: no clip is scored (not asked for, or not pulled)"
    assert result.headline == "pass: v2 against v1 meets 1 rule (35 items); 1 rule did not apply: mos/utmos"


def test_silence_among_the_covered_items_is_not_thinned_by_those_that_are_not() -> None:
    """Eight of twenty English sentences are silent: two in five of what could be scored, not one in five of all."""

    def spoken(number: int, seed: int) -> Mapping[str, Reading]:
        return {MOS: Reason.LANGUAGE_NOT_COVERED if number >= 20 else 3.0 + number / 100}

    silent = spoiled(spoken, lambda n, one: {MOS: Reason.NO_SPEECH} if n < 8 else one)
    sides = [evaluated(name, measure, items=40) for name, measure in (("v1", spoken), ("v2", silent))]
    rules = [not_worse(0.1, metric, if_covered=True, unscored_at_most=0.3) for metric in (MOS, f"coverage/{MOS}")]
    scored, coverage = gate(sides[1], *rules, baseline=sides[0]).judged
    assert (scored.doubt, scored.unscored_share) == ("too_many_unscored", 0.4)
    assert (coverage.outcome, coverage.n, coverage.candidate_mean) == ("fail", 20, 0.6)


def test_an_item_that_was_not_spoken_is_not_left_out_as_uncovered() -> None:
    def crashing(number: int, seed: int) -> Mapping[str, Reading] | None:
        return None if number < 8 else {MOS: 3.0 + number / 100}

    sides = [evaluated(name, crashing) for name in ("v1", "v2")]
    judged = only(gate(sides[1], not_worse(0.1, if_covered=True), baseline=sides[0]))
    assert (judged.doubt, judged.unscored_share) == ("too_many_unscored", pytest.approx(8 / 35))


def test_one_scored_clip_is_enough_for_a_rule_to_apply() -> None:
    def seldom(number: int, seed: int) -> Mapping[str, Reading]:
        return {MOS: 3.0 if number == 0 else Reason.LANGUAGE_NOT_COVERED}

    sides: list[Evaluated] = [evaluated(name, seldom) for name in ("v1", "v2")]
    assert only(gate(sides[1], not_worse(0.1, if_covered=True), baseline=sides[0])).outcome == "inconclusive"


@pytest.mark.parametrize(
    ("others", "outcome"),
    [(Reason.NOT_SPOKEN, "inconclusive"), (Reason.LANGUAGE_NOT_COVERED, NOT_APPLICABLE)],
)
def test_clips_without_audio_tell_nothing_of_what_a_metric_covers(others: Reason, outcome: str) -> None:
    def seldom_spoken(number: int, seed: int) -> Mapping[str, Reading]:
        return {MOS: Reason.NOT_SPOKEN if number % 2 else others}

    sides = [evaluated(name, seldom_spoken) for name in ("v1", "v2")]
    assert only(gate(sides[1], not_worse(0.1, if_covered=True), baseline=sides[0])).outcome == outcome


def test_a_gate_of_rules_that_do_not_apply_has_passed_nothing() -> None:
    result = gate(SAME, not_worse(0.1, "mos/utmos", if_covered=True))
    assert result.verdict == "inconclusive"
    assert result.headline == "inconclusive: no rule applies; 1 rule did not apply: mos/utmos"
