"""A comparison's table: which rows, which numbers, which of them corrected together."""

from __future__ import annotations

import itertools
import json
import random
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.floors import floors_from_json, measured_floors
from services.scorer.analysis.comparison.result import ComparisonResult, MetricRow
from shared.scores import Reason, Score
from tests.scorer.comparison.drawn import Measure, evaluated, honest, shifted, spoiled, suite

MOS = "mos/dnsmos_ovrl"


def row_of(comparison: ComparisonResult, metric: str, scope: str = "overall") -> MetricRow:
    row = comparison.row(metric, scope)
    assert row is not None
    return row


def item_means(evaluation: Evaluated, metric: str) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for clip in evaluation.clips:
        score = clip.scores[metric]
        assert isinstance(score, Score)
        values.setdefault(clip.item, []).append(score.value)
    return {item: float(np.mean(of)) for item, of in values.items()}


BASELINE = evaluated("v1", honest(1), seeds=(0, 1, 2))
CANDIDATE = evaluated("v2", spoiled(honest(2), shifted(mos__dnsmos_ovrl=0.2)), seeds=(0, 1, 2))
COMPARISON = compare("cmp_1", BASELINE, CANDIDATE)


def test_a_row_equals_a_few_lines_of_scipy() -> None:
    ours, theirs = item_means(CANDIDATE, MOS), item_means(BASELINE, MOS)
    differences = np.array([ours[item] - theirs[item] for item in theirs])
    row = row_of(COMPARISON, MOS)
    assert row.difference is not None
    assert (row.n, row.seeds, row.scored, row.wanted) == (35, 3.0, 105, 105)
    assert row.baseline_mean == pytest.approx(np.mean(list(theirs.values())))
    assert row.difference.estimate == pytest.approx(differences.mean())
    student = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    boot = stats.bootstrap((differences,), np.mean, n_resamples=4000, method="percentile", rng=1).confidence_interval
    width = row.difference.high - row.difference.low
    assert row.difference.low <= student.low + 1e-12
    assert row.difference.high >= student.high - 1e-12
    assert width == pytest.approx(boot.high - boot.low, rel=0.3)
    assert row.p == pytest.approx(
        stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=9999, rng=1).pvalue,
        abs=1e-3,
    )


def test_yes_and_no_at_one_seed_is_mcnemars() -> None:
    right = np.random.default_rng(3).random((2, 40)) < [[0.9], [0.6]]
    sides = [
        evaluated(name, lambda n, _, of=of: {"emotion/correct": float(of[n])}, items=40)
        for name, of in zip(("v1", "v2"), right, strict=True)
    ]
    table = [[sum((right[0] == a) & (right[1] == b)) for b in (True, False)] for a in (True, False)]
    row = row_of(compare("cmp_1", *sides), "emotion/correct")
    assert row.binary
    assert row.p == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert row.relative is None


def test_scopes_are_the_groups_of_the_items() -> None:
    row = row_of(COMPARISON, MOS, "emotion/happy")
    happy = {item.id for item in BASELINE.suite.items if item.emotion == "happy"}
    means = item_means(CANDIDATE, MOS)
    assert row.n == 5
    assert row.candidate_mean == pytest.approx(np.mean([means[item] for item in happy]))
    scopes = {one.scope for one in COMPARISON.rows}
    assert {"overall", "emotion/neutral", "tag/third:2"} <= scopes
    assert not any(scope.startswith("language/") for scope in scopes)


def test_languages_are_told_apart_where_there_are_several() -> None:
    of = suite(20)
    mixed = replace(of, items=tuple(replace(item, language="zh" if n % 2 else "en") for n, item in enumerate(of.items)))
    sides = [evaluated(name, honest(draw), suite=mixed) for draw, name in enumerate(("v1", "v2"))]
    comparison = compare("cmp_1", *sides)
    assert row_of(comparison, MOS, "language/zh").n == 10


def test_p_is_corrected_within_one_kind_of_scope_over_rows_that_judge_costs_apart() -> None:
    judging = [row for row in COMPARISON.rows if row.direction != "neutral"]
    families = itertools.groupby(judging, lambda row: (row.scope.partition("/")[0], row.metric.startswith("cost/")))
    gathered: dict[tuple[str, bool], list[MetricRow]] = defaultdict(list)
    for family, some in families:
        gathered[family] += some
    assert {kind for kind, _ in gathered} == {"overall", "emotion", "tag"}
    for rows in gathered.values():
        expected = multipletests([row.p for row in rows], method="holm")[1]
        assert [row.p_corrected for row in rows] == pytest.approx(expected)
    assert row_of(COMPARISON, "prosody/f0_median_hz").p_corrected is None


def test_a_metric_that_only_describes_has_no_winner() -> None:
    row = row_of(COMPARISON, "prosody/f0_median_hz")
    assert (row.direction, row.wins, row.difference is not None) == ("neutral", None, True)


def test_a_quantity_that_nobody_knows_is_described() -> None:
    sides = [evaluated(name, lambda n, _: {"house/warmth": float(n % 3)}, items=12) for name in ("v1", "v2")]
    row = row_of(compare("cmp_1", *sides), "house/warmth")
    assert (row.direction, row.baseline_mean, row.wins) == ("neutral", 1.0, None)


def test_costs_are_compared_too() -> None:
    slow = evaluated("v2", spoiled(honest(2), shifted(cost__rtf=0.1)))
    row = row_of(compare("cmp_1", evaluated("v1", honest(1)), slow), "cost/rtf")
    assert (row.direction, row.wins, row.losses) == ("lower", 0, 35)


def test_coverage_is_told_where_something_is_unscored_and_nowhere_else() -> None:
    silent = spoiled(honest(2), lambda n, one: one | {MOS: Reason.NO_SPEECH} if n % 5 == 0 else one)
    comparison = compare("cmp_1", evaluated("v1", honest(1)), evaluated("v2", silent))
    row = row_of(comparison, f"coverage/{MOS}")
    assert (row.baseline_mean, row.candidate_mean) == (1.0, 0.8)
    assert (row.scored, row.n, row.wins, row.losses) == (35, 35, 0, 7)
    assert [one.metric for one in comparison.rows if one.metric.startswith("coverage/") and one.scope == "overall"] == [
        f"coverage/{MOS}"
    ]
    assert row_of(comparison, MOS).candidate_unscored == {"no_speech": 7}
    assert row_of(comparison, MOS).n == 28


@pytest.mark.parametrize("every", [1, 2])
def test_what_the_metric_cannot_cover_is_no_gap_on_either_side(every: int) -> None:
    def lacking(measure: Measure) -> Measure:
        told = Reason.LANGUAGE_NOT_COVERED
        return spoiled(measure, lambda n, one: one | {"asr/wer": told} if n % every == 0 else one)

    sides = evaluated("v1", lacking(honest(1))), evaluated("v2", lacking(honest(2)))
    assert compare("cmp_1", *sides).row("coverage/asr/wer") is None


def test_a_job_that_failed_is_unscored_in_everything() -> None:
    broken = spoiled(honest(2), lambda n, one: None if n == 4 else one)
    comparison = compare("cmp_1", evaluated("v1", honest(1)), evaluated("v2", broken))
    assert row_of(comparison, "asr/wer").candidate_unscored == {"not_spoken": 1}
    assert row_of(comparison, "coverage/asr/wer").losses == 1
    assert comparison.candidate.failed == 1
    assert comparison.row("coverage/cost/rtf") is None


def test_a_candidate_that_never_spoke_is_compared_all_the_same() -> None:
    comparison = compare("cmp_1", evaluated("v1", honest(1)), evaluated("v2", lambda n, seed: None))
    assert row_of(comparison, MOS).n == 0
    assert row_of(comparison, MOS).p is None
    assert row_of(comparison, f"coverage/{MOS}").candidate_mean == 0.0


def without(*names: str) -> Measure:
    """Of one item in five there is no entry of these names at all."""
    return spoiled(honest(2), lambda n, one: one if n % 5 else {name: one[name] for name in one if name not in names})


def test_an_entry_that_should_be_there_counts_as_the_scorers_fault_and_a_cost_does_not() -> None:
    comparison = compare("cmp_1", evaluated("v1", honest(1)), evaluated("v2", without("asr/wer", "cost/rtf")))
    assert row_of(comparison, "asr/wer").candidate_unscored == {"scorer_error": 7}
    assert row_of(comparison, "cost/rtf").candidate_unscored == {"missing": 7}


def test_what_only_one_side_was_asked_for_is_missing_on_the_other() -> None:
    unasked = spoiled(honest(2), lambda n, one: {name: one[name] for name in one if name != "asr/wer"})
    comparison = compare("cmp_1", evaluated("v1", honest(1)), evaluated("v2", unasked))
    row = row_of(comparison, "asr/wer")
    assert (row.n, row.candidate_unscored) == (0, {"missing": 35})
    assert comparison.row("coverage/asr/wer") is None


def test_the_noise_floor_of_the_baseline_is_the_band_of_a_tie() -> None:
    floors = measured_floors(BASELINE)
    kept = floors_from_json(json.loads(json.dumps({name: one.to_json() for name, one in floors.items()})), "eval_v1", 3)
    assert kept == floors
    again = evaluated("v1-again", honest(3), seeds=(0, 1, 2))
    row = row_of(compare("cmp_1", BASELINE, again, kept), MOS)
    assert row.floor is not None
    assert (row.floor.evaluation, row.floor.seeds, row.floor.is_zero) == ("eval_v1", 3, False)
    assert row.ties is not None
    assert row.ties >= 31  # 19 of 20, and luck
    assert row_of(compare("cmp_1", BASELINE, again), MOS).ties == 0


def test_the_floor_of_a_part_of_the_suite_is_that_of_fewer_items() -> None:
    comparison = compare("cmp_1", BASELINE, CANDIDATE, measured_floors(BASELINE))
    whole, part = row_of(comparison, MOS).floor, row_of(comparison, MOS, "emotion/sad").floor
    assert whole is not None
    assert part is not None
    assert part.run_to_run == pytest.approx(whole.run_to_run * np.sqrt(35 / 5))
    assert part.item_band == whole.item_band


def test_a_floor_by_another_scorer_is_none() -> None:
    other = {name: replace(one, scorer_lock="another") for name, one in measured_floors(BASELINE).items()}
    assert row_of(compare("cmp_1", BASELINE, CANDIDATE, other), MOS).floor is None


def test_what_two_scorers_measured_has_no_floor() -> None:
    first, *rest = BASELINE.clips
    other = replace(first, scores={**first.scores, MOS: Score(3.0, "MOS", "another")})
    floors = measured_floors(replace(BASELINE, clips=(other, *rest)))
    assert MOS not in floors
    assert "asr/wer" in floors


def test_one_seed_has_no_floor() -> None:
    assert not measured_floors(evaluated("v1", honest(1)))


def test_a_comparison_survives_json() -> None:
    gaps = spoiled(honest(2), lambda n, one: one | {MOS: Reason.NO_SPEECH} if n % 5 == 0 else one)
    candidate = evaluated("v2", gaps, seeds=(0, 1, 2))
    comparison = compare("cmp_1", BASELINE, candidate, measured_floors(BASELINE))
    said = json.dumps(comparison.to_json(), allow_nan=False)
    assert ComparisonResult.from_json(json.loads(said)) == comparison


@settings(max_examples=15, deadline=None)
@given(draw=st.integers(0, 10_000), items=st.integers(2, 14), gaps=st.integers(2, 9), order=st.randoms())
def test_swapping_the_sides_only_turns_the_signs(draw: int, items: int, gaps: int, order: random.Random) -> None:
    spoil = spoiled(honest(draw), lambda n, one: one | {MOS: Reason.NO_SPEECH} if n % gaps == 1 else one)
    ours, theirs = evaluated("v1", honest(draw + 1), items=items), evaluated("v2", spoil, items=items)
    forth, back = compare("cmp_1", ours, _shuffled(theirs, order)), compare("cmp_1", theirs, ours)
    for row in forth.rows:
        other = row_of(back, row.metric, row.scope)
        assert (row.n, row.p, row.p_corrected) == (other.n, other.p, other.p_corrected)
        assert (row.wins, row.ties, row.losses) == (other.losses, other.ties, other.wins)
        assert (row.difference is None) is (other.difference is None)
        if row.difference and other.difference:
            assert row.difference.low == pytest.approx(-other.difference.high, abs=1e-9)
            assert row.difference.estimate == pytest.approx(-other.difference.estimate, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(order=st.randoms())
def test_the_order_of_the_clips_means_nothing(order: random.Random) -> None:
    assert compare("cmp_1", _shuffled(BASELINE, order), _shuffled(CANDIDATE, order)).rows == COMPARISON.rows


def test_more_seeds_are_no_more_items() -> None:
    one, three = (row_of(compare("c", *_pair(seeds)), MOS) for seeds in ((0,), (0, 1, 2)))
    assert (one.n, three.n) == (35, 35)


def _pair(seeds: tuple[int, ...]) -> tuple[Evaluated, Evaluated]:
    measures: tuple[Measure, Measure] = honest(1), honest(2)
    return evaluated("v1", measures[0], seeds=seeds), evaluated("v2", measures[1], seeds=seeds)


def _shuffled(evaluation: Evaluated, order: random.Random) -> Evaluated:
    return replace(evaluation, clips=tuple(order.sample(evaluation.clips, len(evaluation.clips))))
