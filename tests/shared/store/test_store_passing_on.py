"""A job that a worker failed and passed on: left to others for a while, as long as there are others and attempts."""

from __future__ import annotations

import pytest

from shared.jobs import MAX_ATTEMPTS, Status
from shared.ports import LIVE_S, JobStore
from shared.scheduling.fairness import PASSED_ON_S
from tests.shared.store.building import ENGINE_ERROR, LEASE_S, MANIFEST, NOW, PIN, add, job, new_job

BAD, GOOD, THIRD = "bad-1", "good_2", "third-3"


def publish(store: JobStore, *workers: str, at: float = NOW) -> None:
    store.retire("worker")
    for worker in workers:
        store.publish(worker, [MANIFEST], at)


def claim(store: JobStore, worker: str, at: float = NOW) -> int:
    """Attempt of the job that was claimed; 0 where none was."""
    claimed = store.claim(f"{worker}/0", [PIN], [], LEASE_S, at)
    return claimed[0].attempt if claimed else 0


def test_it_is_taken_by_another_and_not_by_who_failed_it(store: JobStore) -> None:
    publish(store, BAD, GOOD)
    add(store, new_job("job_1"))
    assert store.pass_on("job_1", claim(store, BAD), BAD, NOW)
    assert job(store, "job_1").status is Status.QUEUED
    assert claim(store, BAD) == 0
    assert claim(store, GOOD) == 2


def test_who_passed_on_takes_the_next_job_of_the_line(store: JobStore) -> None:
    publish(store, BAD, GOOD)
    add(store, new_job("job_1"), new_job("job_2"))
    assert store.pass_on("job_1", claim(store, BAD), BAD, NOW)
    claimed = store.claim(f"{BAD}/1", [PIN], [], LEASE_S, NOW)
    assert [one.id for one in claimed] == ["job_2"]


@pytest.mark.parametrize("seen_at", [None, NOW - LIVE_S - 1])
def test_where_nobody_else_lives_it_is_not_passed_on(store: JobStore, seen_at: float | None) -> None:
    publish(store, BAD)
    if seen_at is not None:
        publish(store, GOOD, at=seen_at)
    add(store, new_job("job_1"))
    attempt = claim(store, BAD)
    assert not store.pass_on("job_1", attempt, BAD, NOW)
    assert job(store, "job_1").status is Status.STARTING
    assert store.fail("job_1", attempt, ENGINE_ERROR, NOW, final=True)


def test_once_all_have_failed_it_nobody_is_left(store: JobStore) -> None:
    publish(store, BAD, GOOD)
    add(store, new_job("job_1"))
    assert store.pass_on("job_1", claim(store, BAD), BAD, NOW)
    assert not store.pass_on("job_1", claim(store, GOOD), GOOD, NOW)


def test_it_costs_an_attempt_and_there_are_no_more_than_that(store: JobStore) -> None:
    workers = [f"w-{number}" for number in range(MAX_ATTEMPTS + 2)]
    publish(store, *workers)
    add(store, new_job("job_1"))
    for worker in workers[: MAX_ATTEMPTS - 1]:
        assert store.pass_on("job_1", claim(store, worker), worker, NOW)
    assert not store.pass_on("job_1", claim(store, workers[MAX_ATTEMPTS]), workers[MAX_ATTEMPTS], NOW)


def test_others_have_their_chance_for_a_while(store: JobStore) -> None:
    publish(store, BAD, GOOD)
    add(store, new_job("job_1"))
    assert store.pass_on("job_1", claim(store, BAD), BAD, NOW)
    assert claim(store, BAD, NOW + PASSED_ON_S - 1) == 0
    assert claim(store, BAD, NOW + PASSED_ON_S) == 2


def test_whose_lease_was_lost_passes_nothing_on(store: JobStore) -> None:
    publish(store, BAD, GOOD)
    add(store, new_job("job_1"))
    assert not store.pass_on("job_1", claim(store, BAD) + 1, BAD, NOW)
    assert job(store, "job_1").status is Status.STARTING


def test_what_its_user_wants_stopped_is_not_passed_on(store: JobStore) -> None:
    publish(store, BAD, GOOD)
    add(store, new_job("job_1"))
    attempt = claim(store, BAD)
    store.cancel("job_1", NOW)
    assert not store.pass_on("job_1", attempt, BAD, NOW)


def test_its_user_is_not_charged_for_it(store: JobStore) -> None:
    publish(store, BAD, GOOD, THIRD)
    add(store, new_job("job_1", user="ann"), new_job("job_2", user="ben"))
    assert store.pass_on("job_1", claim(store, BAD), BAD, NOW)
    (claimed,) = store.claim(f"{GOOD}/0", [PIN], [], LEASE_S, NOW)
    assert claimed.id == "job_1"  # equal again; by name
