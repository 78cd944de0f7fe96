"""Comparisons and gates from claim to outcome: what they stand on, what is recorded, what is tried again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping

import pytest

from services.scorer.studies import compute_studies
from services.scorer.studies.analyzer import AnalysisFailed, AnalysisRefused, GivenUp
from shared.errors import StoreUnavailable
from shared.jobs import FacetStatus
from shared.studies import Step, Study
from tests.memory_store import MemoryStudyStore
from tests.scorer.studies.desk import Desk, two_evaluations
from tests.scorer.studies.fake_analyzer import RULES, FakeAnalyzer


@pytest.fixture
def analyzer() -> FakeAnalyzer:
    return FakeAnalyzer()


def test_a_comparison_is_computed_from_what_two_evaluations_came_to(desk: Desk, analyzer: FakeAnalyzer) -> None:
    baseline, candidate = two_evaluations(desk)
    id_ = desk.comparison(baseline, candidate, allow=["params"])
    desk.compute(analyzer)
    outcome = desk.outcome(id_)
    assert outcome["comparison"]["id"] == id_
    assert outcome["comparison"]["allow"] == ["params"]
    assert set(outcome["files"]) == {"report.html", "plots/forest.svg", "comparison.json"}
    assert json.loads(desk.file(id_, "comparison.json")) == outcome["comparison"]
    [sides] = analyzer.compared
    assert (sides.baseline.pin, sides.candidate.pin) == ("tts-v1", "tts-v2")
    assert [clip.scores for clip in sides.baseline.clips] == [job.scores for job in desk.jobs(baseline)]


def test_a_comparison_waits_for_both(desk: Desk, analyzer: FakeAnalyzer) -> None:
    baseline, candidate = desk.evaluation(), desk.evaluation("tts-v2")
    id_ = desk.comparison(baseline, candidate)
    desk.compute(analyzer)
    assert desk.study(id_).result.status is FacetStatus.PENDING
    desk.speak()
    desk.compute(analyzer)
    assert desk.study(id_).result.status is FacetStatus.DONE


def test_a_gate_is_decided_on_a_comparison(desk: Desk, analyzer: FakeAnalyzer) -> None:
    id_ = desk.gate(desk.comparison(*two_evaluations(desk)), RULES)
    desk.compute(analyzer)
    assert analyzer.decided == [RULES]
    assert desk.outcome(id_)["gate"] == {"id": id_, "verdict": "pass"}
    assert desk.sounds.heard[-2:] == [f"{id_} result", "judge"]


def test_what_cannot_be_compared_fails_and_says_why(desk: Desk) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    desk.compute(FakeAnalyzer(AnalysisRefused("not_comparable", "the suites differ: --allow suite")))
    study = desk.study(id_)
    assert study.result.status is FacetStatus.FAILED
    assert study.error == {"code": "not_comparable", "message": "the suites differ: --allow suite"}


def test_what_stands_on_a_canceled_evaluation_fails_and_names_it(desk: Desk, analyzer: FakeAnalyzer) -> None:
    baseline, candidate = two_evaluations(desk)
    desk.studies.cancel(candidate, desk.now)
    comparison = desk.comparison(baseline, candidate)
    gate = desk.gate(comparison, RULES)
    desk.compute(analyzer)
    error = desk.study(comparison).error
    assert error == {"code": "prerequisite_failed", "message": f"{candidate} has no result: it was canceled"}
    assert (desk.study(gate).error or {})["code"] == "prerequisite_failed"
    assert analyzer.compared == []


def test_a_child_that_is_lost_is_tried_again_later(desk: Desk) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    analyzer = FakeAnalyzer(AnalysisFailed("host 7 died of SIGKILL"))
    desk.compute(analyzer)
    assert desk.study(id_).result.status is FacetStatus.PENDING
    desk.now += 2
    desk.compute(analyzer)
    assert desk.study(id_).result.status is FacetStatus.DONE


@pytest.mark.parametrize("trouble", [AnalysisFailed("host 7 died of SIGSEGV"), ZeroDivisionError("nobody foresaw")])
def test_what_fails_every_time_is_given_up(desk: Desk, trouble: Exception) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    analyzer = FakeAnalyzer(trouble, trouble, trouble)
    for _ in range(3):
        desk.compute(analyzer)
        desk.now += 300
    error = desk.study(id_).error
    assert error is not None
    assert error["code"] == "scorer_error"
    assert str(trouble) in error["message"]


def test_a_study_that_fails_does_not_stop_the_others(desk: Desk) -> None:
    sides = two_evaluations(desk)
    broken, fine = desk.comparison(*sides), desk.comparison(*sides)
    desk.compute(FakeAnalyzer(ZeroDivisionError("nobody foresaw")))
    assert desk.study(broken).result.status is FacetStatus.PENDING
    assert desk.study(fine).result.status is FacetStatus.DONE


def test_what_was_computed_after_the_lease_ran_out_is_not_recorded(desk: Desk) -> None:
    def somebody_else_takes_it() -> None:
        desk.store.sweep(desk.now + 100, tracking_budget_s=1e9, idempotency_s=1e9)
        assert desk.studies.claim(Step.RESULT, "elsewhere", 1e9, desk.now + 100) is not None

    id_ = desk.comparison(*two_evaluations(desk))
    desk.compute(FakeAnalyzer(meanwhile=somebody_else_takes_it))
    assert desk.study(id_).result.holder == "elsewhere"
    assert f"{id_} result" not in desk.sounds.heard


def test_a_canceled_comparison_stays_canceled(desk: Desk) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    desk.compute(FakeAnalyzer(meanwhile=lambda: desk.studies.cancel(id_, desk.now)))
    assert desk.study(id_).result.status is FacetStatus.SKIPPED
    assert desk.study(id_).outcome is None


class Persistent(FakeAnalyzer):
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
    analyzer = Persistent(meanwhile=lambda: desk.studies.cancel(id_, desk.now) and None)
    deps = desk.computing(analyzer)
    deps.lease_s = 0.1
    compute_studies.run(deps)
    assert analyzer.given_up
    assert desk.study(id_).result.status is FacetStatus.SKIPPED


class Away(MemoryStudyStore):
    """Does not answer when it is told that a study failed, or is to be tried later."""

    def fail(self, study_id: str, attempt: int, error: Mapping[str, str], now: float) -> bool:
        raise StoreUnavailable("away")

    def lose(self, study_id: str, attempt: int, error: Mapping[str, str], due_at: float, now: float) -> Study | None:
        raise StoreUnavailable("away")

    def postpone(self, step: Step, study_id: str, attempt: int, due_at: float) -> bool:
        raise StoreUnavailable("away")


@pytest.mark.parametrize(
    "trouble", [AnalysisRefused("not_comparable", "no"), AnalysisFailed("died"), GivenUp("stopping")]
)
def test_a_store_that_is_away_when_a_study_ends_leaves_it_to_its_lease(desk: Desk, trouble: Exception) -> None:
    broken, fine = (desk.comparison(*two_evaluations(desk)) for _ in range(2))
    deps = desk.computing(FakeAnalyzer(trouble))
    deps.studies = Away(desk.store)
    compute_studies.run(deps)
    assert desk.study(broken).result.status is FacetStatus.RUNNING
    assert desk.study(fine).result.status is FacetStatus.DONE
    assert f"{broken} result" not in desk.sounds.heard


def test_told_to_stop_it_leaves_the_study_to_another(desk: Desk, analyzer: FakeAnalyzer) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    deps = desk.computing(stopped := FakeAnalyzer())
    stopped.meanwhile = deps.stopping.set
    compute_studies.run(deps)
    assert desk.study(id_).result.status is FacetStatus.PENDING
    desk.compute(analyzer)
    assert desk.study(id_).result.status is FacetStatus.DONE


def test_what_was_handed_back_does_not_count_as_failed(desk: Desk) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    for _ in range(2):
        deps = desk.computing(stopped := FakeAnalyzer())
        stopped.meanwhile = deps.stopping.set
        compute_studies.run(deps)
    desk.compute(FakeAnalyzer(AnalysisFailed("host 7 died of SIGKILL")))
    assert (desk.study(id_).result.status, desk.study(id_).error) == (FacetStatus.PENDING, None)


def test_leases_that_ran_out_do_not_count_as_failed(desk: Desk) -> None:
    id_ = desk.comparison(*two_evaluations(desk))
    desk.compute(killed := FakeAnalyzer(AnalysisFailed("host 7 died of SIGKILL")))
    assert killed.compared
    for _ in range(4):
        desk.now += 300
        assert desk.studies.claim(Step.RESULT, "dies", 30, desk.now) is not None
        desk.now += 300
        desk.store.sweep(desk.now, tracking_budget_s=1e9, idempotency_s=1e9)
    assert desk.study(id_).result.status is FacetStatus.PENDING
    for _ in range(2):
        desk.now += 300
        desk.compute(FakeAnalyzer(AnalysisFailed("host 8 died of SIGKILL")))
    assert desk.study(id_).result.status is FacetStatus.FAILED
