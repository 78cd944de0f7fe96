"""Every transition in the tables of a job's state machines happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.jobs import FACET_TRANSITIONS, TRANSITIONS, FacetStatus, JobState, Status
from shared.ports import FacetName, JobStore
from tests.shared.store.building import (
    DAY_S,
    ENGINE_ERROR,
    LEASE_S,
    NOW,
    TTL_S,
    add,
    claim,
    job,
    new_job,
    result,
    speak,
    start,
    sweep,
)


def _claimed(store: JobStore) -> int:
    return claim(store)[0].attempt


_WAYS: dict[tuple[Status, Status], Callable[[JobStore], object]] = {
    (Status.QUEUED, Status.STARTING): _claimed,
    (Status.QUEUED, Status.CANCELED): lambda s: s.cancel("job_1", NOW),
    (Status.QUEUED, Status.EXPIRED): lambda s: sweep(s, NOW + TTL_S),
    (Status.STARTING, Status.PROCESSING): lambda s: s.begin("job_1", _claimed(s)),
    (Status.STARTING, Status.QUEUED): lambda s: s.hand_back("job_1", _claimed(s)),
    (Status.STARTING, Status.FAILED): lambda s: s.fail("job_1", _claimed(s), ENGINE_ERROR, NOW, final=True),
    (Status.STARTING, Status.CANCELED): lambda s: s.stop("job_1", _claimed(s), NOW),
    (Status.PROCESSING, Status.SUCCEEDED): lambda s: s.finish("job_1", start(s, "job_1"), result(), NOW),
    (Status.PROCESSING, Status.QUEUED): lambda s: s.fail("job_1", start(s, "job_1"), ENGINE_ERROR, NOW, final=False),
    (Status.PROCESSING, Status.FAILED): lambda s: s.fail("job_1", start(s, "job_1"), ENGINE_ERROR, NOW, final=True),
    (Status.PROCESSING, Status.CANCELED): lambda s: s.stop("job_1", start(s, "job_1"), NOW),
}


def test_a_way_is_known_for_every_transition() -> None:
    assert set(_WAYS) == {(before, after) for before, afters in TRANSITIONS.items() for after in afters}


@pytest.mark.parametrize("transition", _WAYS, ids=lambda t: f"{t[0]}-{t[1]}")
def test_every_transition_is_reached(store: JobStore, transition: tuple[Status, Status]) -> None:
    add(store, new_job("job_1"))
    _WAYS[transition](store)
    assert job(store, "job_1").status is transition[1]


def _tracking(store: JobStore) -> int:
    add(store, new_job("job_1", score=False))
    speak(store, "job_1")
    (taken,) = store.claim_facet(FacetName.TRACKING, "tracker", LEASE_S, NOW)
    return taken.tracking.attempt


def _postponed(store: JobStore) -> None:
    store.postpone_facet(FacetName.TRACKING, "job_1", _tracking(store), NOW)


def _tracking_failed(store: JobStore) -> None:
    _tracking(store)
    sweep(store, NOW + DAY_S)


def _skipped(store: JobStore) -> None:
    add(store, new_job("job_1"))
    store.cancel("job_1", NOW)


def _asked_again(store: JobStore) -> None:
    _tracking_failed(store)
    store.retry_tracking("job_1", NOW)


def _pending_failed(store: JobStore) -> None:
    _postponed(store)
    sweep(store, NOW + DAY_S)


_FACET_WAYS: dict[tuple[FacetStatus, FacetStatus], Callable[[JobStore], object]] = {
    (FacetStatus.PENDING, FacetStatus.RUNNING): _tracking,
    (FacetStatus.PENDING, FacetStatus.SKIPPED): _skipped,
    (FacetStatus.PENDING, FacetStatus.FAILED): _pending_failed,
    (FacetStatus.RUNNING, FacetStatus.DONE): lambda s: s.finish_tracking("job_1", _tracking(s), "run", "url"),
    (FacetStatus.RUNNING, FacetStatus.PENDING): _postponed,
    (FacetStatus.RUNNING, FacetStatus.FAILED): _tracking_failed,
    (FacetStatus.FAILED, FacetStatus.PENDING): _asked_again,
}


def test_a_way_is_known_for_every_transition_of_a_facet() -> None:
    assert set(_FACET_WAYS) == {(before, after) for before, afters in FACET_TRANSITIONS.items() for after in afters}


@pytest.mark.parametrize("transition", _FACET_WAYS, ids=lambda t: f"{t[0]}-{t[1]}")
def test_every_transition_of_a_facet_is_reached(store: JobStore, transition: tuple[FacetStatus, FacetStatus]) -> None:
    _FACET_WAYS[transition](store)
    assert job(store, "job_1").tracking.status is transition[1]


def test_states_say_whose_a_job_is_and_whether_it_is_over(store: JobStore) -> None:
    add(store, new_job("job_1"))
    speak(store, "job_1")
    add(store, new_job("job_2", user="bob"))
    expected = {"job_1": JobState("ann", True), "job_2": JobState("bob", False)}
    assert store.states(["job_1", "job_2", "job_3"]) == expected
    store.cancel("job_2", NOW)
    assert store.states(["job_2"]) == {"job_2": JobState("bob", True)}
    assert store.states([]) == {}


def test_queued_jobs_are_counted_by_user(store: JobStore) -> None:
    assert store.queued_by_user() == {}
    add(store, new_job("job_1"))
    speak(store, "job_1")
    add(store, *(new_job(f"job_{n}", user=user) for n, user in enumerate(["ann", "bob", "bob"], start=2)))
    store.cancel("job_3", NOW)
    assert store.queued_by_user() == {"ann": 1, "bob": 1}
