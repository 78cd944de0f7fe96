"""A worker writes under its lease and attempt; one that lost its job writes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.errors import FailureCode
from shared.jobs import MAX_ATTEMPTS, MAX_LAPSES, FacetStatus, Status
from shared.ports import JobStore, LeaseState
from shared.scheduling.lapsing import LONGEST_LEASE_S
from tests.shared.store.building import (
    ENGINE_ERROR,
    LEASE_S,
    NOW,
    TTL_S,
    add,
    claim,
    job,
    new_job,
    result,
    score,
    speak,
    start,
    sweep,
)

_WRITES: dict[str, Callable[[JobStore, int], object]] = {
    "beat": lambda store, attempt: store.beat("job_1", attempt, LEASE_S, NOW, (1, 7)) is not LeaseState.LOST,
    "begin": lambda store, attempt: store.begin("job_1", attempt),
    "finish": lambda store, attempt: store.finish("job_1", attempt, result(), NOW),
    "fail": lambda store, attempt: store.fail("job_1", attempt, ENGINE_ERROR, NOW, final=False),
    "fail for good": lambda store, attempt: store.fail("job_1", attempt, ENGINE_ERROR, NOW, final=True),
    "stop": lambda store, attempt: store.stop("job_1", attempt, NOW),
    "hand_back": lambda store, attempt: store.hand_back("job_1", attempt),
}
every_write = pytest.mark.parametrize("write", _WRITES.values(), ids=_WRITES.keys())


@every_write
def test_a_worker_that_lost_its_job_to_another_writes_nothing(
    store: JobStore, write: Callable[[JobStore, int], object]
) -> None:
    add(store, new_job("job_1"))
    zombie = start(store, "job_1")
    sweep(store, NOW + LEASE_S)
    start(store, "job_1", NOW + LEASE_S)
    before = job(store, "job_1")
    assert not write(store, zombie)
    assert job(store, "job_1") == before


@every_write
def test_a_worker_that_lost_its_job_to_the_queue_writes_nothing(
    store: JobStore, write: Callable[[JobStore, int], object]
) -> None:
    add(store, new_job("job_1"))
    zombie = start(store, "job_1")
    sweep(store, NOW + LEASE_S)
    before = job(store, "job_1")
    assert not write(store, zombie)
    assert job(store, "job_1") == before


@every_write
def test_nothing_is_written_to_a_finished_job(store: JobStore, write: Callable[[JobStore, int], object]) -> None:
    add(store, new_job("job_1"))
    attempt = start(store, "job_1")
    store.finish("job_1", attempt, result(), NOW)
    before = job(store, "job_1")
    assert not write(store, attempt)
    assert job(store, "job_1") == before


@every_write
def test_nothing_is_written_to_a_job_that_does_not_exist(
    store: JobStore, write: Callable[[JobStore, int], object]
) -> None:
    assert not write(store, 1)


def test_a_beat_renews_the_lease_and_tells_how_far_it_is(store: JobStore) -> None:
    add(store, new_job("job_1"))
    attempt = start(store, "job_1")
    assert store.beat("job_1", attempt, LEASE_S, NOW + 20, (3, 7)) is LeaseState.HELD
    assert store.beat("job_1", attempt, LEASE_S, NOW + 25) is LeaseState.HELD
    sweep(store, NOW + 25 + LEASE_S - 1)
    renewed = job(store, "job_1")
    assert (renewed.status, renewed.lease_until, renewed.progress) == (Status.PROCESSING, NOW + 25 + LEASE_S, (3, 7))


def test_a_new_attempt_begins_without_progress(store: JobStore) -> None:
    add(store, new_job("job_1"))
    store.beat("job_1", start(store, "job_1"), LEASE_S, NOW, (3, 7))
    sweep(store, NOW + LEASE_S)
    (again,) = claim(store, NOW + LEASE_S)
    assert (again.attempt, again.progress, again.started_at) == (2, None, NOW + LEASE_S)


def test_a_finished_job_has_its_audio_and_is_due_for_scoring(store: JobStore) -> None:
    add(store, new_job("job_1"))
    store.finish("job_1", start(store, "job_1"), result(), NOW + 3)
    done = job(store, "job_1")
    assert (done.status, done.completed_at, done.lease_until) == (Status.SUCCEEDED, NOW + 3, None)
    assert (done.audio, done.timings, done.environment) == (result().audio, result().timings, "env")
    assert (done.scoring.status, done.scoring.due_at) == (FacetStatus.PENDING, NOW + 3)


def test_a_job_that_was_not_begun_cannot_be_finished(store: JobStore) -> None:
    add(store, new_job("job_1"))
    (taken,) = claim(store)
    assert not store.finish("job_1", taken.attempt, result(), NOW)
    assert job(store, "job_1") == taken


def test_beginning_twice_is_no_harm(store: JobStore) -> None:
    add(store, new_job("job_1"))
    attempt = start(store, "job_1")
    assert store.begin("job_1", attempt)
    assert job(store, "job_1").status is Status.PROCESSING


def test_a_failure_that_is_not_final_is_attempted_again_until_attempts_are_spent(store: JobStore) -> None:
    add(store, new_job("job_1"))
    for attempt in range(1, MAX_ATTEMPTS):
        assert start(store, "job_1") == attempt
        assert store.fail("job_1", attempt, ENGINE_ERROR, NOW, final=False)
        assert job(store, "job_1").status is Status.QUEUED
    assert store.fail("job_1", start(store, "job_1"), ENGINE_ERROR, NOW, final=False)
    failed = job(store, "job_1")
    assert (failed.status, failed.error, failed.attempt) == (Status.FAILED, ENGINE_ERROR, MAX_ATTEMPTS)


def test_a_final_failure_is_final_at_once(store: JobStore) -> None:
    add(store, new_job("job_1"))
    (taken,) = claim(store)
    assert store.fail("job_1", taken.attempt, ENGINE_ERROR, NOW + 1, final=True)
    failed = job(store, "job_1")
    assert (failed.status, failed.error, failed.completed_at) == (Status.FAILED, ENGINE_ERROR, NOW + 1)
    assert (failed.scoring.status, failed.tracking.status) == (FacetStatus.SKIPPED, FacetStatus.PENDING)


def test_a_worker_that_is_lost_every_time_fails_the_job(store: JobStore) -> None:
    add(store, new_job("job_1"))
    for number in range(MAX_LAPSES):
        start(store, "job_1", NOW + number * LEASE_S)
        sweep(store, NOW + (number + 1) * LEASE_S)
    failed = job(store, "job_1")
    assert failed.error is not None
    assert (failed.status, failed.error.code, failed.attempt) == (Status.FAILED, FailureCode.WORKER_LOST, MAX_LAPSES)


def test_a_worker_that_is_lost_costs_its_job_no_attempt(store: JobStore) -> None:
    """Between lost workers the job may spoil as many attempts of its own as any other, and no more."""
    add(store, new_job("job_1"))
    for attempt in range(1, MAX_LAPSES):
        assert start(store, "job_1", NOW) == attempt
        sweep(store, NOW + LEASE_S)
        assert job(store, "job_1").status is Status.QUEUED
    for _ in range(MAX_ATTEMPTS):
        assert job(store, "job_1").status is Status.QUEUED
        store.fail("job_1", start(store, "job_1"), ENGINE_ERROR, NOW, final=False)
    assert job(store, "job_1").error == ENGINE_ERROR


def test_a_lease_that_a_clock_gave_which_was_set_back_is_over(store: JobStore) -> None:
    add(store, new_job("job_1"))
    start(store, "job_1", NOW + TTL_S - 1)
    assert not sweep(store, NOW + TTL_S - LONGEST_LEASE_S + LEASE_S).any
    assert sweep(store, NOW).requeued == 1


def test_handing_back_costs_no_attempt(store: JobStore) -> None:
    add(store, new_job("job_1"))
    for attempt in range(1, 3 * MAX_ATTEMPTS):
        assert start(store, "job_1") == attempt  # a fencing token is never given twice
        assert store.hand_back("job_1", attempt)
        assert job(store, "job_1").status is Status.QUEUED
    for _ in range(MAX_ATTEMPTS - 1):
        store.fail("job_1", start(store, "job_1"), ENGINE_ERROR, NOW, final=False)
    assert job(store, "job_1").status is Status.QUEUED


def test_canceling_a_held_job_tells_its_worker(store: JobStore) -> None:
    add(store, new_job("job_1"))
    attempt = start(store, "job_1")
    asked = store.cancel("job_1", NOW + 1)
    assert asked == job(store, "job_1")
    assert (asked.status, asked.cancel_requested) == (Status.PROCESSING, True)
    assert store.beat("job_1", attempt, LEASE_S, NOW + 2) is LeaseState.CANCELED
    assert store.stop("job_1", attempt, NOW + 3)
    stopped = job(store, "job_1")
    assert (stopped.status, stopped.completed_at, stopped.audio) == (Status.CANCELED, NOW + 3, None)


def test_a_job_canceled_too_late_succeeds(store: JobStore) -> None:
    add(store, new_job("job_1"))
    attempt = start(store, "job_1")
    store.cancel("job_1", NOW)
    assert store.finish("job_1", attempt, result(), NOW)
    assert job(store, "job_1").status is Status.SUCCEEDED


def test_a_job_that_is_to_be_canceled_is_not_attempted_again(store: JobStore) -> None:
    add(store, new_job("job_1"))
    attempt = start(store, "job_1")
    store.cancel("job_1", NOW)
    assert store.fail("job_1", attempt, ENGINE_ERROR, NOW + 1, final=False)
    assert job(store, "job_1").status is Status.CANCELED


def test_a_job_that_is_to_be_canceled_is_not_queued_when_its_worker_is_lost(store: JobStore) -> None:
    add(store, new_job("job_1"))
    start(store, "job_1")
    store.cancel("job_1", NOW)
    sweep(store, NOW + LEASE_S)
    assert job(store, "job_1").status is Status.CANCELED


def test_a_job_that_is_to_be_canceled_is_not_queued_when_handed_back(store: JobStore) -> None:
    add(store, new_job("job_1"))
    attempt = start(store, "job_1")
    store.cancel("job_1", NOW)
    assert store.hand_back("job_1", attempt)
    assert claim(store, NOW) == []
    sweep(store, NOW)
    assert job(store, "job_1").status is Status.CANCELED


def _expire(store: JobStore) -> None:
    sweep(store, NOW + TTL_S)


def _speak_and_score(store: JobStore) -> None:
    speak(store, "job_1")
    score(store, "job_1")


def _fail(store: JobStore) -> None:
    store.fail("job_1", start(store, "job_1"), ENGINE_ERROR, NOW, final=True)


@pytest.mark.parametrize("finish", [_expire, _speak_and_score, _fail])
def test_canceling_a_finished_job_changes_nothing(store: JobStore, finish: Callable[[JobStore], None]) -> None:
    add(store, new_job("job_1"))
    finish(store)
    before = job(store, "job_1")
    assert store.cancel("job_1", NOW + 2 * TTL_S) == before == job(store, "job_1")
