"""What may be compared: each difference that can move a result is named and refused, unless somebody insists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from services.scorer.analysis.comparison.comparability import BLOCKING, NotComparable
from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.headline import insisted
from services.scorer.analysis.comparison.result import ComparisonResult, SetupDifference
from shared.scores import Reason, Score
from shared.suites.suite import Suite
from tests.scorer.comparison.drawn import CPU, Reading, evaluated, honest, scored, suite

BASELINE = evaluated("v1", honest(1))
GPU = CPU | {"gpu": "NVIDIA H100", "cuda": "cu130"}


def rescored(evaluation: Evaluated, metric: str, lock: str, every: int = 1) -> Evaluated:
    """The same scores, of every so-manieth clip by another scorer."""
    clips = []
    for number, clip in enumerate(evaluation.clips):
        score = clip.scores[metric]
        assert isinstance(score, Score)
        new = {metric: scored(metric, score.value, lock)} if number % every == 0 else {}
        clips.append(replace(clip, scores={**clip.scores, **new}))
    return replace(evaluation, clips=tuple(clips))


def reworded(of: Suite, items: int) -> Suite:
    """The first items say something else."""
    changed = (replace(item, text=f"Another {item.text}") for item in of.items[:items])
    return replace(of, version="2.0", items=(*changed, *of.items[items:]))


CANDIDATE = evaluated("v2", honest(2))
DIFFERING: dict[str, tuple[Evaluated, str]] = {
    "suite": (evaluated("v2", honest(2), suite=reworded(suite(35), 5)), "drawn 2.0"),
    "scorers": (rescored(CANDIDATE, "asr/wer", "fedcba9876543210"), "asr/wer by fedcba987654"),
    "preprocessing": (replace(CANDIDATE, preprocessing="wetext 1.0"), "wetext 1.0"),
    "lexicon": (replace(CANDIDATE, lexicon="ours 3 (0123456789ab)"), "ours 3 (0123456789ab)"),
    "seeds": (evaluated("v2", honest(2), seeds=(7,)), "7"),
    "params": (replace(CANDIDATE, params={"speed": 1.1}), '{"speed": 1.1}'),
    "environment": (replace(CANDIDATE, environments={"here": GPU}), "device NVIDIA H100, cuda cu130"),
}


def test_two_that_agree_in_everything_are_comparable() -> None:
    assert compare("cmp_1", BASELINE, CANDIDATE).disagreements == ()


def test_everything_that_blocks_is_tested_here() -> None:
    assert set(DIFFERING) == set(BLOCKING)


@pytest.mark.parametrize("what", BLOCKING)
def test_what_can_move_a_result_blocks_and_is_named_with_the_way_round(what: str) -> None:
    candidate, told = DIFFERING[what]
    with pytest.raises(NotComparable) as refused:
        compare("cmp_1", BASELINE, candidate)
    assert str(refused.value).startswith(f"eval_v1 and eval_v2 are not comparable: {what} differs (")
    assert told in str(refused.value)
    assert str(refused.value).endswith(f"To compare them anyway: --allow {what}")
    assert [one.what for one in refused.value.disagreements] == [what]


@pytest.mark.parametrize("what", BLOCKING)
def test_who_insists_gets_a_comparison_that_says_so(what: str) -> None:
    comparison = compare("cmp_1", BASELINE, DIFFERING[what][0], allow=[what])
    assert [(one.what, one.allowed) for one in comparison.allowed] == [(what, True)]
    assert insisted(comparison.allowed).startswith(f"Compared although these differ, as requested: {what} (")


def test_all_that_blocks_is_said_at_once() -> None:
    candidate = replace(CANDIDATE, preprocessing="wetext 1.0", params={"speed": 1.1})
    with pytest.raises(NotComparable, match=r"--allow preprocessing --allow params$"):
        compare("cmp_1", BASELINE, candidate)
    with pytest.raises(NotComparable, match=r"anyway: --allow params$"):
        compare("cmp_1", BASELINE, candidate, allow=["preprocessing"])


def test_insisting_on_what_agrees_changes_nothing() -> None:
    assert not compare("cmp_1", BASELINE, CANDIDATE, allow=BLOCKING).disagreements


def test_only_the_items_that_are_the_same_count_where_suites_differ() -> None:
    comparison = compare("cmp_1", BASELINE, DIFFERING["suite"][0], allow=["suite"])
    row = comparison.row("mos/dnsmos_ovrl")
    assert row is not None
    assert (comparison.items, row.n, row.wanted) == (30, 30, 30)


def test_suites_without_a_common_item_are_never_comparable() -> None:
    stranger = evaluated("v2", honest(2), suite=reworded(suite(35), 35))
    with pytest.raises(NotComparable, match="no common items"):
        compare("cmp_1", BASELINE, stranger, allow=BLOCKING)


def test_a_suite_under_another_name_is_the_same_suite() -> None:
    renamed = evaluated("v2", honest(2), suite=replace(suite(35), name="copy", version="9"))
    assert not compare("cmp_1", BASELINE, renamed).disagreements


def test_seeds_pair_in_their_order_where_they_are_others() -> None:
    def first_is_silent(number: int, seed: int) -> Mapping[str, Reading]:
        return {"mos/utmos": Reason.NO_SPEECH if seed == 1 else float(seed)}

    baseline = evaluated("v1", first_is_silent, seeds=(1, 2, 3))
    candidate = evaluated("v2", lambda n, seed: {"mos/utmos": float(seed)}, seeds=(12, 11))
    row = compare("cmp_1", baseline, candidate, allow=["seeds"]).row("mos/utmos")
    assert row is not None
    assert (row.baseline_mean, row.candidate_mean, row.wanted) == (2, 12, 70)


def test_a_side_that_was_scored_by_two_scorers_blocks_even_against_one_as_mixed() -> None:
    mixed = [rescored(side, "asr/wer", "fedcba9876543210", every=2) for side in (BASELINE, CANDIDATE)]
    with pytest.raises(NotComparable, match=r"scorers differs \(asr/wer by 0123456789ab and fedcba987654 / .*, too\)"):
        compare("cmp_1", *mixed)


def test_clips_of_two_kinds_of_machine_block_within_a_side_too() -> None:
    clips = (replace(CANDIDATE.clips[0], environment="there"), *CANDIDATE.clips[1:])
    candidate = replace(CANDIDATE, clips=clips, environments={"here": CPU, "there": GPU})
    with pytest.raises(NotComparable, match=r"environment differs .* and "):
        compare("cmp_1", BASELINE, candidate)


def test_an_environment_that_nobody_described_is_not_taken_for_the_same() -> None:
    with pytest.raises(NotComparable, match="unknown"):
        compare("cmp_1", BASELINE, replace(CANDIDATE, environments={}))


def test_a_pin_that_never_spoke_has_no_environment_to_differ_in() -> None:
    assert not compare("cmp_1", BASELINE, evaluated("v2", lambda n, seed: None, environments={})).disagreements


def shown(**changes: Any) -> SetupDifference:
    """The one difference of a candidate that is comparable all the same."""
    comparison: ComparisonResult = compare("cmp_1", BASELINE, replace(CANDIDATE, **changes))
    (found,) = comparison.disagreements
    return found


def test_what_else_differs_is_shown_and_does_not_block() -> None:
    os = shown(environments={"here": CPU | {"os": "Darwin"}})
    assert (os.what, os.baseline, os.candidate, os.blocks) == ("os", "Linux", "Darwin", False)
    assert shown(score=("asr", "dnsmos")).candidate == "asr, dnsmos"


def test_libraries_are_told_by_those_that_differ() -> None:
    ours = {"here": CPU | {"libraries": {"numpy": "2.4.6", "torch": "2.13.0"}}}
    theirs = {"here": CPU | {"libraries": {"numpy": "2.4.5", "torch": "2.13.0"}}}
    sides = replace(BASELINE, environments=ours), replace(CANDIDATE, environments=theirs)
    (found,) = compare("cmp_1", *sides).disagreements
    assert (found.what, found.baseline, found.candidate) == ("libraries", "numpy 2.4.6", "numpy 2.4.5")


def test_what_the_engines_do_with_a_control_is_shown() -> None:
    ours = replace(BASELINE, controls={"emotion": "no_effect"})
    (found,) = compare("cmp_1", ours, replace(CANDIDATE, controls={"emotion": "native"})).disagreements
    assert (found.what, found.baseline, found.candidate, found.blocks) == (
        "controls",
        "emotion no_effect",
        "emotion native",
        False,
    )
