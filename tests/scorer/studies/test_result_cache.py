"""Comparisons and gates of the same inputs are computed once, and the copy bears the names of its own study."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest

from services.scorer.studies.result_cache import CODE
from tests.scorer.studies.desk import Desk, scored, two_evaluations
from tests.scorer.studies.fake_analyzer import RULES, FakeAnalyzer


@pytest.fixture
def analyzer() -> FakeAnalyzer:
    return FakeAnalyzer()


def again(desk: Desk, *ids: str) -> list[str]:
    """The evaluations once more, of the clips that are there."""
    old = [desk.study(id_) for id_ in ids]
    return [desk.evaluation(one.asked["pin"], seeds=one.asked["seeds"], cached=desk.clips(one.id)) for one in old]


def test_the_same_clips_are_compared_once_and_the_outcome_bears_the_new_names(
    desk: Desk, analyzer: FakeAnalyzer
) -> None:
    old = two_evaluations(desk)
    desk.comparison(*old)
    desk.compute(analyzer)
    new = again(desk, *old)
    id_ = desk.comparison(*new)
    desk.compute(analyzer)
    assert len(analyzer.compared) == 1
    comparison = desk.outcome(id_)["comparison"]
    assert comparison["id"] == id_
    assert [comparison[side]["evaluation"] for side in ("baseline", "candidate")] == new
    assert desk.file(id_, "report.html").decode() == f"<p>{id_}: {new[1]} against {new[0]}</p>"
    assert [comparison[side]["cached"] for side in ("baseline", "candidate")] == [3, 3]


def test_the_other_way_round_is_another_comparison(desk: Desk, analyzer: FakeAnalyzer) -> None:
    baseline, candidate = two_evaluations(desk)
    desk.comparison(baseline, candidate)
    desk.comparison(candidate, baseline)
    desk.compute(analyzer)
    assert len(analyzer.compared) == 2


def test_what_is_allowed_makes_another_comparison(desk: Desk, analyzer: FakeAnalyzer) -> None:
    sides = two_evaluations(desk)
    desk.comparison(*sides)
    desk.comparison(*sides, allow=["seeds"])
    desk.compute(analyzer)
    assert len(analyzer.compared) == 2


def test_other_scores_make_another_comparison(desk: Desk, analyzer: FakeAnalyzer) -> None:
    baseline, candidate = two_evaluations(desk)
    desk.comparison(baseline, candidate)
    other = desk.evaluation("tts-v2")
    desk.speak(partial(scored, better=0.25))
    desk.comparison(baseline, other)
    desk.compute(analyzer)
    assert len(analyzer.compared) == 2


def test_all_code_that_compares_and_decides_is_part_of_what_was_computed_from() -> None:
    script = "import sys, services.scorer.studies.analysis_host; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in loaded if name.startswith(("services.scorer.", "shared."))}
    assert "shared.metrics" in ours
    assert {name for name in ours if not name.startswith(tuple(f"{package}." for package in CODE))} == set()


def test_a_file_that_is_gone_is_made_again(desk: Desk, analyzer: FakeAnalyzer) -> None:
    sides = two_evaluations(desk)
    first = desk.comparison(*sides)
    desk.compute(analyzer)
    desk.blobs.delete(desk.outcome(first)["files"]["report.html"])
    second = desk.comparison(*sides)
    desk.compute(analyzer)
    assert len(analyzer.compared) == 2
    assert second in desk.file(second, "report.html").decode()


def test_the_same_rules_on_the_same_clips_are_decided_once(desk: Desk, analyzer: FakeAnalyzer) -> None:
    old = two_evaluations(desk)
    desk.gate(desk.comparison(*old), RULES)
    desk.compute(analyzer)
    comparison = desk.comparison(*again(desk, *old))
    same, stricter = desk.gate(comparison, RULES), desk.gate(comparison, {**RULES, "confidence": 0.99})
    desk.compute(analyzer)
    assert [rules.get("confidence") for rules in analyzer.decided] == [None, 0.99]
    assert desk.outcome(same)["gate"]["id"] == same
    assert desk.file(same, "summary.md").decode() == f"{same} on {comparison}: pass"
    assert desk.outcome(stricter)["gate"]["id"] == stricter
