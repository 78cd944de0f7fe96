"""Studies are added whole, read back as they were added, and know how far their clips have come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from shared.jobs import FacetStatus
from shared.ports import JobFilter, JobStore, Submission
from shared.store.sql import SqlJobStore, SqlStudyStore
from shared.studies import (
    MOST_TAKES,
    Home,
    Kind,
    SpokenBefore,
    Step,
    StudyFilter,
    StudyProgress,
    StudyState,
    StudyStore,
)
from tests.shared.store.building import ENGINE_ERROR, NOW, OTHER_PIN, claim, idempotency, new_job
from tests.shared.store.study_building import (
    COMPARISON,
    ERROR,
    EVALUATION,
    GATE,
    OUTCOME,
    add_study,
    cached,
    evaluate,
    finish_jobs,
    finish_results,
    new_comparison,
    new_evaluation,
    own,
    score_all,
    speak_all,
    study,
    take,
    track_all,
)


def test_an_evaluation_is_read_back_as_it_was_added(store: JobStore, studies: StudyStore) -> None:
    new = new_evaluation(own(2), own(1))
    store.add([Submission([new_job("job_1"), new_job("job_2")], study=new)])
    found = study(studies)
    members = ("id", "user", "kind", "asked", "created_at", "pin", "lock_sha256", "suite", "suite_sha256")
    assert {name: getattr(found, name) for name in members} == {name: getattr(new, name) for name in members}
    assert (found.result.status, found.tracking.status) == (FacetStatus.PENDING, FacetStatus.PENDING)
    assert (found.stands_on, found.outcome, found.error, found.over) == ((), None, None, False)
    assert studies.clips(EVALUATION) == [own(2), own(1)]


def test_a_seed_may_be_as_large_as_a_jobs(store: JobStore, studies: StudyStore) -> None:
    clip = replace(own(1), seed=2**53)
    evaluate(store, clip)
    assert studies.clips(EVALUATION) == [clip]


def test_what_a_study_stands_on_is_read_back_in_its_order(store: JobStore, studies: StudyStore) -> None:
    add_study(store, new_comparison("eval_2", "eval_1"))
    add_study(store, new_comparison(COMPARISON, id=GATE, kind=Kind.GATE))
    assert study(studies, COMPARISON).stands_on == ("eval_2", "eval_1")
    assert study(studies, GATE).stands_on == (COMPARISON,)


def test_ids_that_do_not_exist_are_absent(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1))
    assert studies.get(["eval_9", EVALUATION]).keys() == {EVALUATION}
    assert (studies.clips("eval_9"), studies.progress(["eval_9"]), studies.homes(["job_9"])) == ([], {}, {})


def test_a_request_that_is_sent_twice_makes_one_evaluation(store: JobStore, studies: StudyStore) -> None:
    assert evaluate(store, own(1), idempotency=idempotency("scope"))
    assert not evaluate(store, own(2), id="eval_2", idempotency=idempotency("scope"))
    assert studies.get([EVALUATION, "eval_2"]).keys() == {EVALUATION}
    assert [job.id for job in store.find(JobFilter("ann")).jobs] == ["job_1"]


def test_a_study_that_cannot_be_added_leaves_no_job(sql_store: SqlJobStore, sql_studies: SqlStudyStore) -> None:
    with pytest.raises(IntegrityError):
        evaluate(sql_store, own(1), replace(own(2), item="item-1"), idempotency=idempotency("scope"))
    assert sql_store.find(JobFilter("ann")).jobs == []
    assert sql_studies.get([EVALUATION]) == {}
    assert sql_store.recall("scope") is None


def test_jobs_that_cannot_be_added_leave_no_study(sql_store: SqlJobStore, sql_studies: SqlStudyStore) -> None:
    evaluate(sql_store, own(1))
    with pytest.raises(Exception, match=r"(?i)unique"):
        evaluate(sql_store, own(1), id="eval_2")
    assert sql_studies.get(["eval_2"]) == {}
    assert sql_studies.clips("eval_2") == []


def test_a_page_is_of_one_user_and_one_kind_and_newest_first(store: JobStore, studies: StudyStore) -> None:
    for number in range(1, 5):
        evaluate(store, id=f"eval_{number}")
    evaluate(store, id="eval_5", user="bob")
    add_study(store, new_comparison("eval_1", "eval_2"))
    wanted = StudyFilter("ann", Kind.EVALUATION, limit=2)
    assert [found.id for found in studies.find(wanted)] == ["eval_4", "eval_3"]
    assert [found.id for found in studies.find(replace(wanted, before="eval_3"))] == ["eval_2", "eval_1"]
    assert [found.id for found in studies.find(replace(wanted, kind=Kind.COMPARISON))] == [COMPARISON]


@pytest.mark.parametrize("changes", [{"pin": OTHER_PIN}, {"suite": "x"}, {"lock_sha256": "x"}, {"suite_sha256": "x"}])
def test_evaluations_are_found_by_what_they_are_of(
    store: JobStore, studies: StudyStore, changes: dict[str, str]
) -> None:
    evaluate(store)
    evaluate(store, id="eval_2", **changes)
    assert [found.id for found in studies.find(StudyFilter("ann", Kind.EVALUATION, **changes))] == ["eval_2"]


def test_progress_counts_every_clip_in_every_column_it_has_passed(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1), id="eval_0")
    finish_jobs(store)
    evaluate(store, cached(1, of_job=1), own(2), own(3), own(4))
    clips = StudyProgress(clips=4, cached=1, spoken=1, scored=1, tracked=1, failed=0)
    assert studies.progress([EVALUATION, "eval_9"]) == {EVALUATION: clips}
    (second,) = claim(store)
    store.fail(second.id, second.attempt, ENGINE_ERROR, NOW, final=True)
    assert studies.progress([EVALUATION])[EVALUATION] == replace(clips, scored=2, failed=1)
    speak_all(store)
    assert studies.progress([EVALUATION])[EVALUATION] == replace(clips, spoken=3, scored=2, failed=1)
    score_all(store)
    assert studies.progress([EVALUATION])[EVALUATION] == replace(clips, spoken=3, scored=4, failed=1)
    track_all(store)
    assert studies.progress([EVALUATION])[EVALUATION] == replace(clips, spoken=3, scored=4, tracked=4, failed=1)


def test_a_clip_that_is_not_to_be_scored_has_not_passed_scoring_before_it_is_spoken(
    store: JobStore, studies: StudyStore
) -> None:
    evaluate(store, own(1), score=False)
    assert studies.progress([EVALUATION])[EVALUATION].scored == 0
    speak_all(store)
    assert studies.progress([EVALUATION])[EVALUATION].scored == 1


def test_a_clip_is_there_already_once_it_is_spoken_and_scored(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1))
    speak_all(store)
    assert studies.spoken_before("ann", ["identity 1"]) == {}
    score_all(store)
    there = SpokenBefore("job_1", "env", {"mos/dnsmos_ovrl": "dnsmos-lock"})
    assert studies.spoken_before("ann", ["identity 1", "identity 2"]) == {"identity 1": [there]}


def test_a_clip_that_is_not_to_be_scored_is_there_once_it_is_spoken(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1), score=False)
    assert studies.spoken_before("ann", ["identity 1"]) == {}
    speak_all(store)
    assert studies.spoken_before("ann", ["identity 1"]) == {"identity 1": [SpokenBefore("job_1", "env")]}


def test_clips_of_others_and_clips_that_failed_are_not_there(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1, identity="same"), user="bob")
    finish_jobs(store)
    evaluate(store, own(2, identity="same"), id="eval_2")
    (taken,) = claim(store)
    store.fail(taken.id, taken.attempt, ENGINE_ERROR, NOW, final=True)
    assert studies.spoken_before("ann", ["same"]) == {}


def test_of_clips_that_are_there_the_newest_come_first_and_none_twice(store: JobStore, studies: StudyStore) -> None:
    numbers = range(1, MOST_TAKES + 2)
    for number in numbers:
        evaluate(store, own(number, identity="same"), id=f"eval_{number}")
    finish_jobs(store)
    evaluate(store, replace(cached(1, of_job=max(numbers)), identity="same"), id="eval_9")
    newest = [f"job_{number}" for number in sorted(numbers, reverse=True)][:MOST_TAKES]
    assert [take.job_id for take in studies.spoken_before("ann", ["same"])["same"]] == newest


def test_a_job_is_at_home_where_it_was_spoken_for(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1), id="eval_0")
    evaluate(store, cached(5, of_job=1), own(2))
    store.add([Submission([new_job("job_3")])])
    suite = ("golden-zh-emotion", "e" * 64)
    assert studies.homes(["job_1", "job_2", "job_3"]) == {
        "job_1": Home("eval_0", "item-1", *suite),
        "job_2": Home(EVALUATION, "item-2", *suite),
    }


def test_scorers_publish_what_they_score_by(studies: StudyStore) -> None:
    studies.publish_scorers({"asr/wer": "old", "mos/utmos": "utmos"}, NOW)
    studies.publish_scorers({"asr/wer": "new"}, NOW + 1)
    studies.publish_scorers({"asr/wer": "late news"}, NOW)
    studies.publish_scorers({}, NOW + 2)
    assert studies.scorer_locks() == {"asr/wer": "new", "mos/utmos": "utmos"}


def test_what_was_computed_is_read_back(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    add_study(store, new_comparison(EVALUATION, EVALUATION))
    assert take(studies, Step.RESULT) == study(studies)
    assert studies.finish(EVALUATION, 1, OUTCOME, NOW + 1)
    assert take(studies, Step.RESULT, NOW + 1) == study(studies, COMPARISON)
    assert studies.fail(COMPARISON, 1, ERROR, NOW + 2)
    done, failed = study(studies), study(studies, COMPARISON)
    assert (done.result.status, done.outcome, done.completed_at) == (FacetStatus.DONE, OUTCOME, NOW + 1)
    assert (failed.result.status, failed.error, failed.completed_at) == (FacetStatus.FAILED, ERROR, NOW + 2)
    assert done.over
    assert failed.over


def test_the_run_that_is_recorded_first_stays(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    assert studies.keep_run(EVALUATION, "first", "url 1") == ("first", "url 1")
    assert studies.keep_run(EVALUATION, "second", "url 2") == ("first", "url 1")
    finish_results(studies)
    take(studies, Step.TRACKING)
    assert studies.finish_tracking(EVALUATION, 1, None, None)
    tracked = study(studies)
    assert (tracked.run_id, tracked.run_url, tracked.tracking.status) == ("first", "url 1", FacetStatus.DONE)


def test_a_run_that_is_no_more_is_dropped_and_another_is_recorded(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    studies.keep_run(EVALUATION, "first", "url 1")
    studies.drop_run(EVALUATION, "another")
    assert study(studies).run_id == "first"
    studies.drop_run(EVALUATION, "first")
    assert (study(studies).run_id, study(studies).run_url) == (None, None)
    assert studies.keep_run(EVALUATION, "second", "url 2") == ("second", "url 2")


def test_a_comparison_is_tracked_with_the_run_that_its_report_lies_in(store: JobStore, studies: StudyStore) -> None:
    add_study(store, new_comparison())
    finish_results(studies)
    take(studies, Step.TRACKING)
    assert studies.finish_tracking(COMPARISON, 1, "run", "url")
    assert (study(studies, COMPARISON).run_id, study(studies, COMPARISON).run_url) == ("run", "url")


def test_states_say_whose_a_study_is_and_whether_it_is_over(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1))
    add_study(store, new_comparison("eval_2", EVALUATION))
    studies.cancel(EVALUATION, NOW)
    assert studies.states([EVALUATION, COMPARISON, GATE]) == {
        EVALUATION: StudyState("ann", Kind.EVALUATION, True),
        COMPARISON: StudyState("ann", Kind.COMPARISON, False),
    }
