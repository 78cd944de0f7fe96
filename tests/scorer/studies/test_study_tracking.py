"""Studies arrive in the tracking server: parents with their clips below them, each once, whoever dies when."""

from __future__ import annotations

import json

import pytest

from services.scorer.tracking.runs import RunStatus, TrackerRefused, TrackerUnavailable
from shared.jobs import FacetStatus
from tests.scorer.studies.desk import MOS, Desk, logged
from tests.scorer.studies.fake_analyzer import RULES, FakeAnalyzer
from tests.scorer.studies.fake_tracker import FakeTracker


@pytest.fixture
def tracker() -> FakeTracker:
    return FakeTracker()


def parents_of_clips(desk: Desk, tracker: FakeTracker, id_: str) -> list[str]:
    """By clip, the run that its own run hangs below."""
    return [tracker.runs[job.run_id or ""].tags["mlflow.parentRunId"] for job in desk.jobs(id_)]


def test_the_first_clip_that_is_logged_makes_the_run_that_all_hang_below(desk: Desk, tracker: FakeTracker) -> None:
    id_ = desk.evaluation()
    desk.speak()
    assert desk.log_jobs(tracker) == 3
    [parent] = tracker.of(id_)
    assert parents_of_clips(desk, tracker, id_) == [parent] * 3
    assert tracker.runs[parent].status is RunStatus.RUNNING
    assert desk.study(id_).run_id == parent


def test_a_clips_run_says_which_item_of_which_suite_it_is(desk: Desk, tracker: FakeTracker) -> None:
    id_ = desk.evaluation(preprocessing="plain@1")
    logged(desk, tracker, id_)
    run = tracker.runs[desk.jobs(id_)[1].run_id or ""]
    assert run.record.experiment == "ringtrue/little"
    assert run.params["text_preprocessing"] == "plain@1, nfc"
    told = {"tts.suite": "little", "tts.suite_sha256": desk.study(id_).suite_sha256, "tts.item": "item-1"}
    assert run.tags.items() >= told.items()


def test_whoever_waits_for_the_clips_of_an_evaluation_is_woken(desk: Desk, tracker: FakeTracker) -> None:
    desk.evaluation()
    desk.speak()
    desk.log_jobs(tracker)
    assert desk.sounds.heard[-1] == "judge"


def test_the_last_clip_alone_wakes_whoever_logs_its_evaluation(desk: Desk, tracker: FakeTracker) -> None:
    desk.evaluation(items=3)
    desk.speak()
    desk.compute()
    desk.sounds.heard.clear()
    desk.log_jobs(tracker, in_flight=1)
    assert [sound.split()[-1] for sound in desk.sounds.heard] == ["tracked", "tracked", "tracked", "judge"]


def test_the_evaluations_run_is_whole_once_every_clip_is_logged(desk: Desk, tracker: FakeTracker) -> None:
    id_ = desk.evaluation()
    desk.speak()
    desk.compute(tracker=tracker)
    assert tracker.of(id_) == {}
    run = tracker.runs[logged(desk, tracker, id_)]
    assert run.status is RunStatus.FINISHED
    assert run.metrics[MOS] == desk.outcome(id_)["metrics"][MOS]["mean"]
    assert set(run.files) == {"items.parquet", "items.jsonl", "lock.json", "environment.json"}
    assert f"{id_} tracked" in desk.sounds.heard


def test_its_items_table_names_the_runs_of_the_clips(desk: Desk, tracker: FakeTracker) -> None:
    id_ = desk.evaluation()
    run = tracker.runs[logged(desk, tracker, id_)]
    rows = [json.loads(line) for line in run.files["items.jsonl"].decode().splitlines()]
    assert [row["run_id"] for row in rows] == [job.run_id for job in desk.jobs(id_)]


def test_clips_that_were_there_are_not_logged_again(desk: Desk, tracker: FakeTracker) -> None:
    first = desk.evaluation()
    logged(desk, tracker, first)
    second = desk.evaluation(cached=desk.clips(first)[:2])
    run_id = logged(desk, tracker, second)
    below = [run for run in tracker.runs.values() if run.tags.get("mlflow.parentRunId") == run_id]
    assert [run.tags["tts.item"] for run in below] == ["item-2"]
    rows = [json.loads(line) for line in tracker.runs[run_id].files["items.jsonl"].decode().splitlines()]
    assert [row["run_id"] for row in rows[:2]] == [job.run_id for job in desk.jobs(first)[:2]]


def test_an_evaluation_of_nothing_but_such_clips_has_a_run(desk: Desk, tracker: FakeTracker) -> None:
    first = desk.evaluation()
    logged(desk, tracker, first)
    second = desk.evaluation(cached=desk.clips(first))
    assert tracker.runs[logged(desk, tracker, second)].metrics == tracker.runs[desk.study(first).run_id or ""].metrics


def test_a_canceled_evaluation_ends_as_killed_with_what_there_is(desk: Desk, tracker: FakeTracker) -> None:
    id_ = desk.evaluation()
    desk.speak()
    desk.log_jobs(tracker)
    desk.studies.cancel(id_, desk.now)
    desk.compute(tracker=tracker)
    [run] = tracker.of(id_).values()
    assert (run.status, run.metrics, run.tags["tts.error"]) == (RunStatus.KILLED, {}, "canceled")
    assert "items.jsonl" in run.files


def test_one_that_is_canceled_before_a_clip_was_logged_has_no_run(desk: Desk, tracker: FakeTracker) -> None:
    id_ = desk.evaluation()
    desk.studies.cancel(id_, desk.now)
    desk.compute(tracker=tracker)
    assert tracker.runs == {}
    assert (desk.study(id_).tracking.status, desk.study(id_).run_id) == (FacetStatus.DONE, None)


def test_a_comparison_and_its_gate_are_added_to_the_candidates_run(desk: Desk, tracker: FakeTracker) -> None:
    baseline, candidate = desk.evaluation(), desk.evaluation("tts-v2")
    comparison = desk.comparison(baseline, candidate)
    gate = desk.gate(comparison, RULES)
    desk.speak()
    desk.log_jobs(tracker)
    desk.compute(FakeAnalyzer(), tracker)
    run = tracker.runs[desk.study(candidate).run_id or ""]
    added = {path for path in run.files if path.startswith(("comparisons/", "gates/"))}
    compared = {f"comparisons/{comparison}/{path}" for path in ("report.html", "plots/forest.svg", "comparison.json")}
    assert added == {*compared, f"gates/{gate}/summary.md"}
    assert (run.tags["tts.gate.verdict"], run.tags["tts.gate_id"]) == ("pass", gate)
    assert run.tags["tts.baseline.run_id"] == desk.study(baseline).run_id
    assert {desk.study(id_).run_id for id_ in (comparison, gate)} == {desk.study(candidate).run_id}


def test_what_came_to_nothing_adds_nothing(desk: Desk, tracker: FakeTracker) -> None:
    baseline, candidate = desk.evaluation(), desk.evaluation("tts-v2")
    desk.studies.cancel(candidate, desk.now)
    comparison = desk.comparison(baseline, candidate)
    desk.speak()
    desk.log_jobs(tracker)
    desk.compute(FakeAnalyzer(), tracker)
    assert (desk.study(comparison).tracking.status, desk.study(comparison).run_id) == (FacetStatus.DONE, None)


def test_while_the_server_is_away_results_are_there_and_logging_waits(desk: Desk) -> None:
    id_, tracker = desk.evaluation(), FakeTracker()
    desk.speak()
    desk.log_jobs(tracker)
    away = FakeTracker(TrackerUnavailable("away"))
    desk.compute(tracker=away)
    assert desk.study(id_).result.status is FacetStatus.DONE
    assert desk.study(id_).tracking.status is FacetStatus.PENDING
    desk.now += 2
    desk.compute(tracker=tracker)
    assert desk.study(id_).tracking.status is FacetStatus.DONE


def test_a_clip_waits_with_its_evaluation_while_the_server_is_away(desk: Desk) -> None:
    id_, tracker = desk.evaluation(), FakeTracker(TrackerUnavailable("away"))
    desk.speak()
    desk.log_jobs(tracker, in_flight=1)
    assert tracker.runs == {}
    desk.now += 2
    logged(desk, tracker, id_)
    assert len(tracker.runs) == 4


def test_without_a_server_results_are_there_all_the_same(desk: Desk) -> None:
    id_ = desk.evaluation()
    desk.speak()
    desk.compute(tracker=None)
    assert desk.study(id_).result.status is FacetStatus.DONE


@pytest.mark.parametrize("trouble", [TrackerRefused("no such name"), ZeroDivisionError("nobody foresaw")])
def test_a_study_that_cannot_be_logged_does_not_stop_the_others(
    desk: Desk, trouble: Exception, tracker: FakeTracker
) -> None:
    refused, fine = desk.evaluation(), desk.evaluation()
    desk.speak()
    desk.log_jobs(tracker)
    grumpy = FakeTracker(trouble)
    grumpy.runs = tracker.runs
    desk.compute(tracker=grumpy)
    assert desk.study(refused).tracking.due_at == desk.now + 300
    assert desk.study(fine).tracking.status is FacetStatus.DONE


def test_an_evaluation_whose_run_was_removed_for_good_gets_another(desk: Desk, tracker: FakeTracker) -> None:
    id_ = desk.evaluation()
    desk.speak()
    desk.log_jobs(tracker)
    [gone] = tracker.of(id_)
    del tracker.runs[gone]
    desk.compute(tracker=tracker)
    [run] = tracker.of(id_)
    assert run == desk.study(id_).run_id != gone
    assert (desk.study(id_).tracking.status, tracker.runs[run].status) == (FacetStatus.DONE, RunStatus.FINISHED)


def test_a_comparison_with_an_evaluation_whose_run_was_removed_logs_that_again(
    desk: Desk, tracker: FakeTracker
) -> None:
    baseline, candidate = desk.evaluation(), desk.evaluation("tts-v2")
    logged(desk, tracker, baseline)
    gone = logged(desk, tracker, candidate)
    del tracker.runs[gone]
    comparison = desk.comparison(baseline, candidate)
    gate = desk.gate(comparison, RULES)
    desk.compute(FakeAnalyzer(), tracker)
    [run_id] = tracker.of(candidate)
    run = tracker.runs[run_id]
    assert (run.status, run.tags["tts.gate.verdict"]) == (RunStatus.FINISHED, "pass")
    assert "items.jsonl" in run.files
    assert {desk.study(id_).run_id for id_ in (candidate, comparison, gate)} == {run_id}
