"""Canceling a study, and every transition in the table of its state machines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.jobs import FacetStatus, Status
from shared.ports import JobStore
from shared.studies import STEP_TRANSITIONS, Step, StudyStore
from tests.shared.store.building import DAY_S, NOW, claim, job, result, sweep
from tests.shared.store.study_building import (
    COMPARISON,
    ERROR,
    EVALUATION,
    OUTCOME,
    add_study,
    cached,
    evaluate,
    finish_results,
    new_comparison,
    own,
    study,
    take,
    track_all,
)

RESULT, TRACKING = Step.RESULT, Step.TRACKING


def test_a_canceled_evaluation_takes_its_own_clips_with_it(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1), id="eval_0")
    evaluate(store, cached(5, of_job=1), own(2), own(3), own(4))
    finished, held = claim(store, at_most=3)[1:]
    store.begin(finished.id, finished.attempt)
    store.finish(finished.id, finished.attempt, result(), NOW)
    canceled = studies.cancel(EVALUATION, NOW + 1)
    assert canceled == study(studies)
    assert canceled is not None
    assert (canceled.result.status, canceled.canceled_at, canceled.completed_at) == (
        FacetStatus.SKIPPED,
        NOW + 1,
        NOW + 1,
    )
    assert job(store, finished.id).status is Status.SUCCEEDED
    assert job(store, held.id).cancel_requested
    assert job(store, "job_4").status is Status.CANCELED
    assert not job(store, "job_1").cancel_requested


def test_the_tracking_of_a_canceled_evaluation_goes_on(store: JobStore, studies: StudyStore) -> None:
    evaluate(store, own(1))
    (held,) = claim(store)
    studies.cancel(EVALUATION, NOW)
    assert take(studies, TRACKING) is None
    store.stop(held.id, held.attempt, NOW)
    track_all(store)
    assert take(studies, TRACKING) is not None


def test_a_canceled_comparison_is_not_tracked(store: JobStore, studies: StudyStore) -> None:
    add_study(store, new_comparison())
    canceled = studies.cancel(COMPARISON, NOW)
    assert canceled is not None
    assert (canceled.result.status, canceled.tracking.status) == (FacetStatus.SKIPPED, FacetStatus.SKIPPED)
    assert take(studies, TRACKING) is None


def test_a_result_is_not_wanted_any_more_after_cancel(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    take(studies, RESULT)
    studies.cancel(EVALUATION, NOW)
    assert not studies.finish(EVALUATION, 1, OUTCOME, NOW)
    assert study(studies).outcome is None


def test_what_is_over_cannot_be_canceled(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    finish_results(studies)
    before = study(studies)
    assert studies.cancel(EVALUATION, NOW + 1) == before == study(studies)
    assert studies.cancel("eval_9", NOW) is None


def _fail_pending_tracking(store: JobStore, studies: StudyStore) -> None:
    finish_results(studies)
    take(studies, TRACKING)
    studies.postpone(TRACKING, COMPARISON, 1, NOW)
    sweep(store, NOW + DAY_S)


_WAYS: dict[tuple[FacetStatus, FacetStatus], Callable[[JobStore, StudyStore], object]] = {
    (FacetStatus.PENDING, FacetStatus.RUNNING): lambda _, s: take(s, RESULT),
    (FacetStatus.PENDING, FacetStatus.SKIPPED): lambda _, s: s.cancel(COMPARISON, NOW),
    (FacetStatus.PENDING, FacetStatus.FAILED): _fail_pending_tracking,
    (FacetStatus.RUNNING, FacetStatus.DONE): lambda _, s: finish_results(s),
    (FacetStatus.RUNNING, FacetStatus.PENDING): lambda _, s: take(s, RESULT) and s.postpone(RESULT, COMPARISON, 1, NOW),
    (FacetStatus.RUNNING, FacetStatus.FAILED): lambda _, s: take(s, RESULT) and s.fail(COMPARISON, 1, ERROR, NOW),
    (FacetStatus.RUNNING, FacetStatus.SKIPPED): lambda _, s: take(s, RESULT) and s.cancel(COMPARISON, NOW),
}


def test_a_way_is_known_for_every_transition_of_a_step() -> None:
    assert set(_WAYS) == {(before, after) for before, afters in STEP_TRANSITIONS.items() for after in afters}


@pytest.mark.parametrize("transition", _WAYS, ids=lambda t: f"{t[0]}-{t[1]}")
def test_every_transition_of_a_step_is_reached(
    store: JobStore, studies: StudyStore, transition: tuple[FacetStatus, FacetStatus]
) -> None:
    add_study(store, new_comparison())
    _WAYS[transition](store, studies)
    now = study(studies, COMPARISON)
    step = now.tracking if transition == (FacetStatus.PENDING, FacetStatus.FAILED) else now.result
    assert step.status is transition[1]
