"""A step of a study is due when all that it stands on is over."""

from __future__ import annotations

from shared.jobs import FacetStatus
from shared.ports import FacetName, JobStore
from shared.studies import Kind, Step, StudyStore
from tests.shared.store.building import ENGINE_ERROR, LEASE_S, NOW, claim, result
from tests.shared.store.study_building import (
    COMPARISON,
    ERROR,
    EVALUATION,
    GATE,
    add_study,
    cached,
    evaluate,
    finish_jobs,
    finish_results,
    new_comparison,
    own,
    score_all,
    speak_all,
    take,
    track_all,
)

RESULT, TRACKING = Step.RESULT, Step.TRACKING


def _due(store: JobStore, now: float = NOW) -> int:
    return store.waiting(now).studies


def _add_gate_on_two_evaluations(store: JobStore) -> None:
    evaluate(store, own(1), id="eval_1")
    evaluate(store, own(2), id="eval_2")
    add_study(store, new_comparison("eval_1", "eval_2"))
    add_study(store, new_comparison(COMPARISON, id=GATE, kind=Kind.GATE))


def test_an_evaluation_is_due_when_its_last_clip_is_scored(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1), own(2))
    assert take(studies, RESULT) is None
    speak_all(store)
    for scored in store.claim_facet(FacetName.SCORING, "scorer", LEASE_S, NOW, limit=2):
        assert (take(studies, RESULT), _due(store), studies.any_due(NOW)) == (None, 0, False)
        store.finish_scoring(scored.id, 1, {}, "lock", 0.1)
    assert (_due(store), studies.any_due(NOW)) == (1, True)
    taken = take(studies, RESULT)
    assert taken is not None
    assert (taken.id, taken.result.attempt, taken.result.holder) == (EVALUATION, 1, "scorer")
    assert (taken.result.status, taken.result.lease_until) == (FacetStatus.RUNNING, NOW + LEASE_S)
    assert (take(studies, RESULT), _due(store)) == (None, 0)


def test_an_evaluation_without_scores_is_due_when_its_last_clip_is_spoken(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1), own(2), score=False)
    assert take(studies, RESULT) is None
    speak_all(store)
    assert take(studies, RESULT) is not None


def test_clips_that_failed_are_not_waited_for(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1), own(2))
    (taken,) = claim(store)
    store.fail(taken.id, taken.attempt, ENGINE_ERROR, NOW, final=True)
    assert take(studies, RESULT) is None
    store.cancel("job_2", NOW)
    assert take(studies, RESULT) is not None


def test_an_evaluation_of_cached_clips_alone_is_due_at_once(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1), id="eval_0")
    speak_all(store)
    score_all(store)
    assert finish_results(studies) == ["eval_0"]
    evaluate(store, cached(1, of_job=1))
    assert finish_results(studies) == [EVALUATION]


def test_cached_clips_that_are_not_tracked_yet_do_not_hold_tracking_up(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1), id="eval_0")
    speak_all(store)
    score_all(store)
    evaluate(store, cached(1, of_job=1))
    finish_results(studies)
    taken = take(studies, TRACKING)
    assert taken is not None
    assert taken.id == EVALUATION


def test_an_evaluation_is_tracked_after_its_own_clips(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1))
    speak_all(store)
    score_all(store)
    assert take(studies, TRACKING) is None
    finish_results(studies)
    assert take(studies, TRACKING) is None
    track_all(store)
    taken = take(studies, TRACKING)
    assert taken is not None
    assert (taken.tracking.status, taken.tracking.attempt) == (FacetStatus.RUNNING, 1)


def test_comparison_and_gate_wait_for_what_they_stand_on(store: JobStore, studies: StudyStore) -> None:
    _add_gate_on_two_evaluations(store)
    (first,) = claim(store)
    store.begin(first.id, first.attempt)
    store.finish(first.id, first.attempt, result(), NOW)
    score_all(store)
    assert finish_results(studies) == ["eval_1"]
    speak_all(store)
    score_all(store)
    assert finish_results(studies) == ["eval_2", COMPARISON, GATE]


def test_comparison_and_gate_are_tracked_after_what_they_stand_on(store: JobStore, studies: StudyStore) -> None:
    _add_gate_on_two_evaluations(store)
    finish_jobs(store)
    finish_results(studies)
    tracked = []
    for _ in range(2):
        taken = take(studies, TRACKING)
        assert taken is not None
        tracked.append(taken.id)
    assert take(studies, TRACKING) is None
    for id in tracked:
        studies.finish_tracking(id, 1, "run", "url")
    for id in (COMPARISON, GATE):
        taken = take(studies, TRACKING)
        assert taken is not None
        assert (taken.id, take(studies, TRACKING)) == (id, None)
        studies.finish_tracking(id, 1, None, None)


def test_what_failed_or_was_canceled_below_is_not_waited_for(store: JobStore, studies: StudyStore) -> None:
    _add_gate_on_two_evaluations(store)
    studies.cancel("eval_1", NOW)
    assert take(studies, RESULT) is None
    finish_jobs(store)
    taken = take(studies, RESULT)
    assert taken is not None
    assert taken.id == "eval_2"
    studies.fail("eval_2", 1, ERROR, NOW)
    assert finish_results(studies) == [COMPARISON, GATE]


def test_what_does_not_exist_is_not_waited_for(store: JobStore, studies: StudyStore) -> None:
    add_study(store, new_comparison("eval_8", "eval_9"))
    assert finish_results(studies) == [COMPARISON]


def test_the_one_that_is_due_for_longest_is_claimed_first(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, id="eval_1", created_at=NOW + 1)
    evaluate(store, id="eval_3")
    evaluate(store, id="eval_2")
    assert finish_results(studies, NOW) == ["eval_2", "eval_3"]
    assert finish_results(studies, NOW + 1) == ["eval_1"]


def test_what_is_postponed_is_due_later(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    take(studies, RESULT)
    assert studies.postpone(RESULT, EVALUATION, 1, NOW + 5)
    assert (take(studies, RESULT, NOW + 4), _due(store, NOW + 4), _due(store, NOW + 5)) == (None, 0, 1)
    again = take(studies, RESULT, NOW + 5)
    assert again is not None
    assert again.result.attempt == 2
