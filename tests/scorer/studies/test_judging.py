"""Comparisons and gates from claim to outcome: what they stand on, what is recorded, what is not computed twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial

import pytest

from services.scorer import judging
from services.scorer.computed_before import CODE
from services.scorer.judge import GivenUp, JudgeFailed, JudgeRefused
from shared.errors import StoreUnavailable
from shared.jobs import FacetStatus
from shared.scores import Score
from shared.store.memory import MemoryStudyStore
from shared.studies import Step
from tests.scorer.studies.desk import MOS, Desk, scored
from tests.scorer.studies.fake_judge import RULES, FakeJudge


@pytest.fixture
def judge() -> FakeJudge:
    return FakeJudge()


def two_evaluations(desk: Desk, seeds: tuple[int, ...] = (0,)) -> tuple[str, str]:
    """Spoken and scored, the second a little better; their results are not computed yet."""
    baseline = desk.evaluation("tts-v1", seeds=seeds)
    desk.speak()
    candidate = desk.evaluation("tts-v2", seeds=seeds)
    desk.speak(partial(scored, better=0.5))
    return baseline, candidate


def test_a_comparison_is_computed_from_what_two_evaluations_came_to(desk: Desk, judge: FakeJudge) -> None:
    baseline, candidate = two_evaluations(desk)
    id_ = desk.comparison(baseline, candidate, allow=["params"])
    desk.judge(judge)
    outcome = desk.outcome(id_)
    assert outcome["comparison"]["id"] == id_
    assert outcome["comparison"]["allow"] == ["params"]
    assert set(outcome["files"]) == {"report.html", "plots/forest.svg", "comparison.json"}
    assert json.loads(desk.file(id_, "comparison.json")) == outcome["comparison"]
    [sides] = judge.compared
    assert (sides.baseline.pin, sides.candidate.pin) == ("tts-v1", "tts-v2")
    assert [clip.scores for clip in sides.baseline.clips] == [job.scores for job in desk.jobs(baseline)]


def test_a_comparison_waits_for_both(desk: Desk, judge: FakeJudge) -> None:
    baseline, candidate = desk.evaluation(), desk.evaluation("tts-v2")
    id_ = desk.comparison(baseline, candidate)
    desk.judge(judge)
    assert desk.study(id_).result.status is FacetStatus.PENDING
    desk.speak()
    desk.judge(judge)
    assert desk.study(id_).result.status is FacetStatus.DONE


def test_a_gate_is_decided_on_a_comparison(desk: Desk, judge: FakeJudge) -> None:
    id_ = desk.gate(desk.comparison(*two_evaluations(desk)), RULES)
    desk.judge(judge)
    assert judge.decided == [RULES]
    assert desk.outcome(id_)["gate"] == {"id": id_, "verdict": "pass"}
    assert desk.sounds.heard[-2:] == [f"{id_} result", "judge"]


def test_what_cannot_be_compared_fails_and_says_why(desk: Desk) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    desk.judge(FakeJudge(JudgeRefused("not_comparable", "the suites differ: --allow suite")))
    study = desk.study(id_)
    assert study.result.status is FacetStatus.FAILED
    assert study.error == {"code": "not_comparable", "message": "the suites differ: --allow suite"}


def test_what_stands_on_a_canceled_evaluation_fails_and_names_it(desk: Desk, judge: FakeJudge) -> None:
    baseline, candidate = two_evaluations(desk)
    desk.studies.cancel(candidate, desk.now)
    comparison = desk.comparison(baseline, candidate)
    gate = desk.gate(comparison, RULES)
    desk.judge(judge)
    error = desk.study(comparison).error
    assert error == {"code": "prerequisite_failed", "message": f"{candidate} has no result: it was canceled"}
    assert (desk.study(gate).error or {})["code"] == "prerequisite_failed"
    assert judge.compared == []


def test_a_child_that_is_lost_is_tried_again_later(desk: Desk) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    judge = FakeJudge(JudgeFailed("host 7 died of SIGKILL"))
    desk.judge(judge)
    assert desk.study(id_).result.status is FacetStatus.PENDING
    desk.now += 2
    desk.judge(judge)
    assert desk.study(id_).result.status is FacetStatus.DONE


@pytest.mark.parametrize("trouble", [JudgeFailed("host 7 died of SIGSEGV"), ZeroDivisionError("nobody foresaw")])
def test_what_fails_every_time_is_given_up(desk: Desk, trouble: Exception) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    judge = FakeJudge(trouble, trouble, trouble)
    for _ in range(3):
        desk.judge(judge)
        desk.now += 300
    error = desk.study(id_).error
    assert error is not None
    assert error["code"] == "scorer_error"
    assert str(trouble) in error["message"]


def test_a_study_that_fails_does_not_stop_the_others(desk: Desk) -> None:
    sides = two_evaluations(desk)
    broken, fine = desk.comparison(*sides), desk.comparison(*sides)
    desk.judge(FakeJudge(ZeroDivisionError("nobody foresaw")))
    assert desk.study(broken).result.status is FacetStatus.PENDING
    assert desk.study(fine).result.status is FacetStatus.DONE


def test_what_was_computed_after_the_lease_ran_out_is_not_recorded(desk: Desk) -> None:
    def somebody_else_takes_it() -> None:
        desk.store.sweep(desk.now + 100, tracking_budget_s=1e9, idempotency_s=1e9)
        assert desk.studies.claim(Step.RESULT, "elsewhere", 1e9, desk.now + 100) is not None

    id_ = desk.comparison(*two_evaluations(desk))
    desk.judge(FakeJudge(meanwhile=somebody_else_takes_it))
    assert desk.study(id_).result.holder == "elsewhere"
    assert f"{id_} result" not in desk.sounds.heard


def test_a_canceled_comparison_stays_canceled(desk: Desk) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    desk.judge(FakeJudge(meanwhile=lambda: desk.studies.cancel(id_, desk.now)))
    assert desk.study(id_).result.status is FacetStatus.SKIPPED
    assert desk.study(id_).outcome is None


class Persistent(FakeJudge):
    """Computes until nobody wants the answer any more."""

    def _work(self, given_up: Callable[[], bool]) -> None:
        self.meanwhile()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if given_up():
                self.given_up = True
                raise GivenUp("nobody waits")


def test_what_is_canceled_meanwhile_is_not_computed_to_its_end(desk: Desk) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    judge = Persistent(meanwhile=lambda: desk.studies.cancel(id_, desk.now) and None)
    bench = desk.bench(judge)
    bench.lease_s = 0.1
    judging.run(bench)
    assert judge.given_up
    assert desk.study(id_).result.status is FacetStatus.SKIPPED


class Away(MemoryStudyStore):
    """Does not answer when it is told that a study failed, or is to be tried later."""

    def fail(self, study_id: str, attempt: int, error: Mapping[str, str], now: float) -> bool:
        raise StoreUnavailable("away")

    def postpone(self, step: Step, study_id: str, attempt: int, due_at: float) -> bool:
        raise StoreUnavailable("away")


@pytest.mark.parametrize("trouble", [JudgeRefused("not_comparable", "no"), JudgeFailed("died"), GivenUp("stopping")])
def test_a_store_that_is_away_when_a_study_ends_leaves_it_to_its_lease(desk: Desk, trouble: Exception) -> None:
    broken, fine = (desk.comparison(*two_evaluations(desk)) for _ in range(2))
    bench = desk.bench(FakeJudge(trouble))
    bench.studies = Away(desk.store)
    judging.run(bench)
    assert desk.study(broken).result.status is FacetStatus.RUNNING
    assert desk.study(fine).result.status is FacetStatus.DONE
    assert f"{broken} result" not in desk.sounds.heard


def test_told_to_stop_it_leaves_the_study_to_another(desk: Desk, judge: FakeJudge) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    bench = desk.bench(stopped := FakeJudge())
    stopped.meanwhile = bench.stopping.set
    judging.run(bench)
    assert desk.study(id_).result.status is FacetStatus.PENDING
    desk.judge(judge)
    assert desk.study(id_).result.status is FacetStatus.DONE


def again(desk: Desk, *ids: str) -> list[str]:
    """The evaluations once more, of the clips that are there."""
    old = [desk.study(id_) for id_ in ids]
    return [desk.evaluation(one.asked["pin"], seeds=one.asked["seeds"], cached=desk.clips(one.id)) for one in old]


def test_the_same_clips_are_compared_once_and_the_outcome_bears_the_new_names(desk: Desk, judge: FakeJudge) -> None:
    old = two_evaluations(desk)
    desk.comparison(*old)
    desk.judge(judge)
    new = again(desk, *old)
    id_ = desk.comparison(*new)
    desk.judge(judge)
    assert len(judge.compared) == 1
    comparison = desk.outcome(id_)["comparison"]
    assert comparison["id"] == id_
    assert [comparison[side]["evaluation"] for side in ("baseline", "candidate")] == new
    assert desk.file(id_, "report.html").decode() == f"<p>{id_}: {new[1]} against {new[0]}</p>"
    assert [comparison[side]["cached"] for side in ("baseline", "candidate")] == [3, 3]


def test_the_other_way_round_is_another_comparison(desk: Desk, judge: FakeJudge) -> None:
    baseline, candidate = two_evaluations(desk)
    desk.comparison(baseline, candidate)
    desk.comparison(candidate, baseline)
    desk.judge(judge)
    assert len(judge.compared) == 2


def test_what_is_allowed_makes_another_comparison(desk: Desk, judge: FakeJudge) -> None:
    sides = two_evaluations(desk)
    desk.comparison(*sides)
    desk.comparison(*sides, allow=["seeds"])
    desk.judge(judge)
    assert len(judge.compared) == 2


def test_other_scores_make_another_comparison(desk: Desk, judge: FakeJudge) -> None:
    baseline, candidate = two_evaluations(desk)
    desk.comparison(baseline, candidate)
    other = desk.evaluation("tts-v2")
    desk.speak(partial(scored, better=0.25))
    desk.comparison(baseline, other)
    desk.judge(judge)
    assert len(judge.compared) == 2


def test_all_code_that_compares_and_decides_is_part_of_what_was_computed_from() -> None:
    script = "import sys, services.scorer.judge_host; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in loaded if name.startswith(("services.scorer.", "shared."))}
    assert "services.scorer.metrics.infos" in ours
    assert {name for name in ours if not name.startswith(tuple(f"{package}." for package in CODE))} == set()


def test_a_file_that_is_gone_is_made_again(desk: Desk, judge: FakeJudge) -> None:
    sides = two_evaluations(desk)
    first = desk.comparison(*sides)
    desk.judge(judge)
    desk.blobs.delete(desk.outcome(first)["files"]["report.html"])
    second = desk.comparison(*sides)
    desk.judge(judge)
    assert len(judge.compared) == 2
    assert second in desk.file(second, "report.html").decode()


def test_the_same_rules_on_the_same_clips_are_decided_once(desk: Desk, judge: FakeJudge) -> None:
    old = two_evaluations(desk)
    desk.gate(desk.comparison(*old), RULES)
    desk.judge(judge)
    comparison = desk.comparison(*again(desk, *old))
    same, stricter = desk.gate(comparison, RULES), desk.gate(comparison, {**RULES, "confidence": 0.99})
    desk.judge(judge)
    assert [rules.get("confidence") for rules in judge.decided] == [None, 0.99]
    assert desk.outcome(same)["gate"]["id"] == same
    assert desk.file(same, "summary.md").decode() == f"{same} on {comparison}: pass"
    assert desk.outcome(stricter)["gate"]["id"] == stricter


def test_the_floors_are_the_baselines_own_where_it_has_two_seeds(desk: Desk, judge: FakeJudge) -> None:
    baseline, candidate = two_evaluations(desk, seeds=(0, 1))
    desk.comparison(baseline, candidate)
    desk.judge(judge)
    [floors] = judge.floors
    assert (floors[MOS].evaluation, floors[MOS].seeds) == (baseline, 2)


def test_else_they_are_those_of_the_newest_evaluation_that_was_made_alike(desk: Desk, judge: FakeJudge) -> None:
    older, newer = desk.evaluation(seeds=(0, 1)), desk.evaluation(seeds=(0, 1, 2))
    desk.evaluation(seeds=(0, 1), preprocessing="plain@1")
    desk.evaluation(seeds=(0, 1), params={})
    desk.evaluation("tts-v2", seeds=(0, 1))
    desk.speak()
    desk.comparison(*two_evaluations(desk))
    desk.judge(judge)
    assert judge.floors[0][MOS].evaluation == newer != older


def test_a_floor_of_another_scorer_is_none(desk: Desk, judge: FakeJudge) -> None:
    desk.evaluation(seeds=(0, 1))
    desk.speak(lambda item, seed: {MOS: Score(3.0, "MOS", "9" * 64)})
    desk.comparison(*two_evaluations(desk))
    desk.judge(judge)
    assert judge.floors == [{}]
