"""A gate: what a rule of a file becomes, and what is said to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.floors import measured_floors
from services.scorer.analysis.comparison.gating import decide
from services.scorer.analysis.comparison.result import GateResult
from services.scorer.analysis.statistics.rules import FEWEST_ITEMS, Demand, Scale
from shared.gating import rules as words
from shared.gating.checking import read_rules
from shared.scores import Reason
from tests.scorer.comparison.asked import BASELINE, MOS, SAME, gate, not_worse, only
from tests.scorer.comparison.drawn import evaluated, honest, shifted, spoiled

WORSE = evaluated("v2", spoiled(honest(2), shifted(mos__dnsmos_ovrl=-0.3)), seeds=(0, 1, 2))


def test_the_words_of_a_file_are_those_of_the_statistics() -> None:
    assert {*Demand} == {*words.Demand.__args__}  # type: ignore[attr-defined]
    assert {*Scale} == {*words.Scale.__args__}  # type: ignore[attr-defined]
    assert words.FEWEST_ITEMS == FEWEST_ITEMS


def test_a_fail_says_by_how_much_and_what_was_allowed() -> None:
    result = gate(WORSE, not_worse(0.1))
    assert result.verdict == "fail"
    assert result.headline.startswith("fail: mos/dnsmos_ovrl is worse by 0.3")
    assert result.headline.endswith("] MOS, at most 0.1 MOS was allowed (35 items)")
    assert only(result).threshold == -0.1


def test_a_pass_says_how_many_rules_it_meets() -> None:
    result = gate(SAME, not_worse(0.1), not_worse(0.05, "asr/wer"))
    assert (result.verdict, result.headline) == ("pass", "pass: v2 against v1 meets 2 rules (35 items)")


def test_a_required_gain_is_failed_by_staying_the_same() -> None:
    judged = only(gate(SAME, {"metric": MOS, "better_by": 0.2}))
    assert (judged.outcome, judged.threshold) == ("fail", 0.2)
    assert judged.why.endswith("at least 0.2 MOS was required (35 items)")


def test_a_metric_that_is_better_low_is_worse_high() -> None:
    worse = evaluated("v2", spoiled(honest(2), shifted(asr__wer=0.2)), seeds=(0, 1, 2))
    judged = only(gate(worse, not_worse(0.05, "asr/wer")))
    assert (judged.outcome, judged.direction) == ("fail", "lower")
    assert judged.gain is not None
    assert judged.gain.estimate == pytest.approx(-0.2, abs=0.01)


def test_an_open_question_says_what_would_settle_it() -> None:
    gain = evaluated("v2", spoiled(honest(2, seed_noise=0.3), shifted(mos__dnsmos_ovrl=-0.08)))
    result = gate(gain, not_worse(0.1), baseline=evaluated("v1", honest(1, seed_noise=0.3)))
    judged = only(result)
    assert (result.verdict, judged.doubt) == ("inconclusive", "interval_straddles")
    assert judged.n_needed is not None
    assert judged.why.endswith(f"about {judged.n_needed} items would settle it")


def test_below_the_items_that_a_rule_asks_for_there_is_no_verdict() -> None:
    judged = only(gate(WORSE, not_worse(0.1, fewest_items=40)))
    assert (judged.outcome, judged.doubt) == ("inconclusive", "too_few_items")
    assert judged.why == "mos/dnsmos_ovrl: 35 items on both sides; the rule requires at least 40"


def test_each_emotion_is_a_question_of_its_own() -> None:
    result = gate(SAME, not_worse(0.5, scope="each_emotion"))
    assert [one.scope for one in result.judged][:2] == ["emotion/angry", "emotion/disgust"]
    assert len(result.judged) == 7
    assert {one.doubt for one in result.judged} == {"too_few_items"}


def test_one_emotion_with_enough_items_is_judged() -> None:
    spoil = spoiled(honest(2), lambda n, one: shifted(mos__dnsmos_ovrl=-0.5)(n, one) if n % 7 == 1 else one)
    sides = {"baseline": evaluated("v1", honest(1), items=84), "candidate": evaluated("v2", spoil, items=84)}
    result = gate(sides["candidate"], not_worse(0.2, scope="each_emotion"), baseline=sides["baseline"])
    outcomes = {one.scope: one.outcome for one in result.judged}
    assert outcomes.pop("emotion/happy") == "fail"
    assert set(outcomes.values()) == {"pass"}
    assert result.headline.startswith("fail: mos/dnsmos_ovrl in emotion/happy is worse by 0.489 [")


def test_many_unscored_are_never_a_pass() -> None:
    silent = spoiled(honest(1), lambda n, one: one | {MOS: Reason.NO_SPEECH} if n % 5 == 0 else one)
    judged = only(gate(evaluated("v2", silent), not_worse(0.1), baseline=evaluated("v1", honest(1))))
    assert (judged.outcome, judged.doubt) == ("inconclusive", "too_many_unscored")
    assert judged.why.endswith("20% of the pairs of clips have no score; at most 10% may be missing")


def test_coverage_fails_who_falls_silent() -> None:
    silent = spoiled(honest(1), lambda n, one: one | {MOS: Reason.NO_SPEECH} if n % 2 == 0 else one)
    judged = only(gate(evaluated("v2", silent), not_worse(0.1, f"coverage/{MOS}"), baseline=evaluated("v1", honest(1))))
    assert (judged.outcome, judged.unscored_share, judged.unit) == ("fail", 0.0, "1")


def test_a_margin_in_floors_for_the_only_language_is_that_of_the_suite() -> None:
    whole, english = gate(WORSE, not_worse("1 floors"), not_worse("1 floors", scope="language/en")).judged
    assert whole.noise_floor == english.noise_floor is not None


@pytest.mark.parametrize(
    ("rule", "doubt"),
    [
        (not_worse(0.1, "mos/dnsmos_overall", if_covered=True), "metric_unknown"),
        (not_worse(0.1, "coverage/mos/dnsmos_overall"), "metric_unknown"),
        (not_worse(0.1, "prosody/f0_median_hz"), "direction_missing"),
        (not_worse(0.1, scope="emotion/bored"), "scope_empty"),
        (not_worse(0.1, scope="each_language", metric="asr/cer_whisper"), "too_few_items"),
        (not_worse("5 %", "emotion/correct"), "relative_proportion"),
        (not_worse("1 floors", "signal/clipping_ratio"), "floor_is_zero"),
        (not_worse("5 %", "signal/clipping_ratio"), "baseline_not_positive"),
    ],
)
def test_what_cannot_be_asked_is_inconclusive_and_says_why(rule: Mapping[str, Any], doubt: str) -> None:
    judged = only(gate(SAME, rule))
    assert (judged.outcome, judged.doubt) == ("inconclusive", doubt)
    assert judged.why.startswith(f"{rule['metric']}")
    assert len(judged.why) > len(f"{judged.metric}: ") + 10


def test_a_floor_of_zero_is_not_blamed_on_the_engine_where_only_the_metric_stands_still() -> None:
    """Clips that never clip say nothing of whether the engine heeds its seed: other metrics of it do spread."""
    judged = only(gate(SAME, not_worse("1 floors", "signal/clipping_ratio")))
    assert judged.why.endswith("the floor is exactly zero: every seed gave the same score")


def test_reasons_are_told_in_words() -> None:
    sides = [evaluated(name, lambda n, _: {MOS: Reason.LANGUAGE_NOT_COVERED}) for name in ("v1", "v2")]
    judged = only(gate(sides[1], not_worse(0.1, if_covered=True), baseline=sides[0]))
    assert judged.why == f"{MOS} does not apply: no clip is scored (language not covered)"


def test_where_more_items_do_not_help_against_the_noise_more_seeds_are_named() -> None:
    noisy = [evaluated(f"v{n}", honest(n, seed_noise=0.3), seeds=(0, 1)) for n in (1, 2)]
    floors = measured_floors(noisy[0])
    comparison = compare("cmp_1", *noisy, floors)
    rules = read_rules({"schema": 1, "rule": [not_worse("0.5 floors")]})
    judged = only(decide("gate_1", comparison, *noisy, rules))
    assert (judged.doubt, judged.n_needed) == ("interval_straddles", None)
    assert judged.why.endswith("more items also narrow the noise floor; more seeds may settle it")


def test_a_metric_that_only_describes_can_be_given_a_direction() -> None:
    assert only(gate(SAME, not_worse(20, "prosody/f0_median_hz", direction="higher"))).outcome == "pass"


def test_a_margin_in_noise_floors_is_that_of_the_comparison() -> None:
    floor = measured_floors(BASELINE)[MOS].floor.run_to_run
    judged = only(gate(WORSE, not_worse("2 floors")))
    assert judged.outcome == "fail"
    assert judged.noise_floor == pytest.approx(floor)
    assert judged.threshold == pytest.approx(-2 * floor)
    assert "at most 2 floors (" in judged.why


def test_a_margin_in_floors_of_a_part_is_wider() -> None:
    whole, part = gate(WORSE, not_worse("1 floors"), not_worse("1 floors", scope="emotion/sad")).judged
    assert whole.noise_floor is not None
    assert part.noise_floor == pytest.approx(whole.noise_floor * np.sqrt(35 / 5))


def test_a_share_of_the_baseline() -> None:
    judged = only(gate(WORSE, not_worse("20 %")))
    assert judged.outcome == "pass"
    assert judged.threshold == pytest.approx(-0.2 * (judged.baseline_mean or 0))


def barely_failing() -> tuple[Evaluated, Evaluated]:
    """Worse by so much more than 0.1 that t is 2.3: one chance in seventy."""
    drawn = np.random.default_rng(5).normal(size=35)
    loss = 0.1 + 0.2 * (2.3 / np.sqrt(35) + (drawn - drawn.mean()) / drawn.std(ddof=1))
    spoil = spoiled(honest(1), lambda n, one: shifted(mos__dnsmos_ovrl=-float(loss[n]))(n, one))
    return evaluated("v1", honest(1)), evaluated("v2", spoil)


def test_a_fail_has_to_stand_among_all_rules() -> None:
    baseline, candidate = barely_failing()
    assert gate(candidate, not_worse(0.1), baseline=baseline).verdict == "fail"
    others = [not_worse(1, MOS, scope=f"tag/third:{n}") for n in range(3)]
    among = gate(candidate, not_worse(0.1), *others, baseline=baseline)
    assert (among.verdict, among.judged[0].doubt) == ("inconclusive", "not_after_correction")


def test_another_confidence_decides_otherwise() -> None:
    baseline, candidate = barely_failing()
    sure = only(gate(candidate, not_worse(0.1), baseline=baseline, confidence=0.999))
    assert (sure.outcome, sure.confidence) == ("inconclusive", 0.999)


def test_what_was_insisted_on_stays_with_the_verdict() -> None:
    other = evaluated("v2", honest(2), seeds=(5, 6, 7))
    comparison = compare("cmp_1", BASELINE, other, allow=["seeds"])
    result = decide("gate_1", comparison, BASELINE, other, read_rules({"schema": 1, "rule": [not_worse(0.1)]}))
    assert (result.verdict, result.disagreements_allowed) == ("pass", ("seeds",))


def test_a_gate_wants_the_evaluations_of_its_comparison() -> None:
    comparison = compare("cmp_1", BASELINE, SAME)
    with pytest.raises(ValueError, match="was not made of"):
        decide("gate_1", comparison, SAME, BASELINE, read_rules({"schema": 1, "rule": [not_worse(0.1)]}))


def test_a_result_survives_json() -> None:
    result = gate(WORSE, not_worse(0.1), not_worse("1 floors", scope="each_tag"), not_worse(1, "mos/utmos"))
    assert GateResult.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result
