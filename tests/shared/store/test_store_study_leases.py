"""Whoever claims a step of a study holds it by its attempt; what is left or tried too long is swept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.jobs import MAX_ATTEMPTS, MAX_LAPSES, FacetStatus
from shared.ports import JobStore, Swept
from shared.studies import SCORER_LOST, Step, Study, StudyStore
from tests.shared.store.building import DAY_S, LEASE_S, NOW, sweep
from tests.shared.store.study_building import (
    ERROR,
    EVALUATION,
    OUTCOME,
    evaluate,
    finish_results,
    study,
    take,
)

RESULT, TRACKING = Step.RESULT, Step.TRACKING


_WRITES: dict[str, tuple[Step, Callable[[StudyStore, int], bool]]] = {
    "beat result": (RESULT, lambda s, attempt: s.beat(RESULT, EVALUATION, attempt, LEASE_S, NOW)),
    "finish": (RESULT, lambda s, attempt: s.finish(EVALUATION, attempt, OUTCOME, NOW)),
    "fail": (RESULT, lambda s, attempt: s.fail(EVALUATION, attempt, ERROR, NOW)),
    "lose": (RESULT, lambda s, attempt: s.lose(EVALUATION, attempt, ERROR, NOW, NOW) is not None),
    "postpone result": (RESULT, lambda s, attempt: s.postpone(RESULT, EVALUATION, attempt, NOW)),
    "beat tracking": (TRACKING, lambda s, attempt: s.beat(TRACKING, EVALUATION, attempt, LEASE_S, NOW)),
    "finish_tracking": (TRACKING, lambda s, attempt: s.finish_tracking(EVALUATION, attempt, "run", "url")),
    "postpone tracking": (TRACKING, lambda s, attempt: s.postpone(TRACKING, EVALUATION, attempt, NOW)),
}
every_write = pytest.mark.parametrize(("step", "write"), _WRITES.values(), ids=_WRITES.keys())


def _claimed(store: JobStore, studies: StudyStore, step: Step) -> Study:
    """The second attempt of ``step``, after the first one's lease ran out."""
    evaluate(store)
    if step is TRACKING:
        finish_results(studies)
    take(studies, step)
    assert sweep(store, NOW + LEASE_S) == Swept(facets_released=1)
    taken = take(studies, step, NOW + LEASE_S)
    assert taken is not None
    return taken


@every_write
def test_an_attempt_that_was_lost_writes_nothing(
    store: JobStore, studies: StudyStore, step: Step, write: Callable[[StudyStore, int], bool]
) -> None:
    second = _claimed(store, studies, step)
    assert not write(studies, 1)
    assert study(studies) == second
    assert write(studies, 2)


@every_write
def test_what_nobody_holds_cannot_be_written(
    store: JobStore, studies: StudyStore, step: Step, write: Callable[[StudyStore, int], bool]
) -> None:
    evaluate(store)
    before = study(studies)
    assert not write(studies, 0)
    assert study(studies) == before


def test_a_lease_that_is_renewed_does_not_run_out(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    take(studies, RESULT)
    assert studies.beat(RESULT, EVALUATION, 1, LEASE_S, NOW + LEASE_S - 1)
    assert not sweep(store, NOW + LEASE_S).any
    assert sweep(store, NOW + 2 * LEASE_S - 1) == Swept(facets_released=1)


def test_a_result_that_loses_every_scorer_fails(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    for number in range(MAX_LAPSES):
        assert study(studies).error is None
        take(studies, RESULT, NOW + number * LEASE_S)
        sweep(store, NOW + (number + 1) * LEASE_S)
    failed = study(studies)
    assert (failed.result.status, failed.error) == (FacetStatus.FAILED, SCORER_LOST)
    assert failed.completed_at == NOW + MAX_LAPSES * LEASE_S
    assert take(studies, TRACKING, NOW + MAX_LAPSES * LEASE_S) is not None


def test_postponing_costs_no_attempt(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    for number in range(1, MAX_ATTEMPTS + 1):
        take(studies, RESULT)
        studies.postpone(RESULT, EVALUATION, number, NOW)
    take(studies, RESULT)
    assert sweep(store, NOW + LEASE_S) == Swept(facets_released=1)


def test_a_result_that_cannot_be_computed_every_time_fails(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    take(studies, RESULT)
    sweep(store, NOW + LEASE_S)
    for number, status in ((2, FacetStatus.PENDING), (3, FacetStatus.PENDING), (4, FacetStatus.FAILED)):
        now = NOW + number * LEASE_S
        take(studies, RESULT, now)
        after = studies.lose(EVALUATION, number, ERROR, now + 1, now)
        assert after == study(studies)
        assert after is not None
        assert (after.result.status, take(studies, RESULT, now)) == (status, None)
    assert (after.error, after.completed_at) == (ERROR, now)
    assert take(studies, TRACKING, now) is not None


def test_tracking_fails_when_its_budget_is_spent(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    finish_results(studies)
    take(studies, TRACKING)
    studies.postpone(TRACKING, EVALUATION, 1, NOW + 2 * DAY_S)
    assert not sweep(store, NOW + DAY_S - 1).any
    assert sweep(store, NOW + DAY_S) == Swept(facets_failed=1)
    assert study(studies).tracking.status is FacetStatus.FAILED


def test_tracking_that_was_never_tried_keeps_its_budget(store: JobStore, studies: StudyStore) -> None:
    evaluate(store)
    finish_results(studies)
    assert not sweep(store, NOW + 2 * DAY_S).any
