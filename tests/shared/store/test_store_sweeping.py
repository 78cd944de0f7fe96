"""The sweeper puts right what ran out, once; one sweeper holds the broom at a time."""

from __future__ import annotations

from typing import Any

from shared.errors import FailureCode
from shared.jobs import FacetStatus, Status
from shared.ports import FacetName, JobStore, Swept
from shared.scheduling.lapsing import CLAIMS_WAIT_S, FORGET_WORKERS_S
from tests.shared.store.building import (
    DAY_S,
    LEASE_S,
    MANIFEST,
    NOW,
    OTHER_PIN,
    PIN,
    TTL_S,
    add,
    claim,
    job,
    new_job,
    score,
    speak,
    start,
    sweep,
)


def test_a_job_whose_lease_ran_out_is_queued_again(store: JobStore) -> None:
    add(store, new_job("job_1"))
    start(store, "job_1")
    assert sweep(store, NOW + LEASE_S) == Swept(requeued=1)
    again = job(store, "job_1")
    assert (again.status, again.worker, again.lease_until, again.attempt) == (Status.QUEUED, None, None, 1)


def test_a_job_under_its_lease_is_left_alone(store: JobStore) -> None:
    add(store, new_job("job_1"))
    start(store, "job_1")
    before = job(store, "job_1")
    assert not sweep(store, NOW + LEASE_S - 0.001).any
    assert job(store, "job_1") == before


def test_a_job_that_waited_longer_than_its_time_to_live_expires(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2", expires_at=NOW + 2 * TTL_S))
    assert sweep(store, NOW + TTL_S) == Swept(expired=1)
    gone = job(store, "job_1")
    assert gone.error is not None
    assert (gone.status, gone.error.code, gone.completed_at) == (Status.EXPIRED, FailureCode.TTL_EXPIRED, NOW + TTL_S)
    assert gone.tracking.status is FacetStatus.SKIPPED
    assert job(store, "job_2").status is Status.QUEUED


def test_a_job_that_is_being_spoken_does_not_expire(store: JobStore) -> None:
    add(store, new_job("job_1"))
    claim(store, NOW + TTL_S - 1)
    assert not sweep(store, NOW + TTL_S).any


def test_a_job_that_expired_after_it_was_started_is_tracked(store: JobStore) -> None:
    add(store, new_job("job_1"))
    start(store, "job_1")
    assert sweep(store, NOW + TTL_S) == Swept(requeued=1, expired=1)
    assert [job.id for job in store.claim_facet(FacetName.TRACKING, "t", LEASE_S, NOW + TTL_S)] == ["job_1"]


def test_facets_whose_leases_ran_out_are_due_again(store: JobStore) -> None:
    for id, facet in (("job_1", FacetName.TRACKING), ("job_2", FacetName.SCORING)):
        add(store, new_job(id))
        speak(store, id)
        if facet is FacetName.TRACKING:
            score(store, id)
        store.claim_facet(facet, "scorer", LEASE_S, NOW)
    assert sweep(store, NOW + LEASE_S) == Swept(facets_released=2)
    waiting = store.waiting(NOW + LEASE_S)
    assert (waiting.scoring, waiting.tracking) == (1, 1)


def test_sweeping_again_changes_nothing(store: JobStore) -> None:
    def prepare(*, id: str, **changes: Any) -> None:
        add(store, new_job(id, **changes))

    prepare(id="job_1", score=False)
    speak(store, "job_1")
    store.claim_facet(FacetName.TRACKING, "tracker", LEASE_S, NOW)
    prepare(id="job_2")
    speak(store, "job_2")
    store.claim_facet(FacetName.SCORING, "scorer", LEASE_S, NOW)
    prepare(id="job_3", expires_at=NOW + 2 * DAY_S)
    start(store, "job_3")
    prepare(id="job_4")
    late = NOW + DAY_S
    assert sweep(store, late) == Swept(requeued=1, expired=1, facets_released=1, facets_failed=1)
    after = store.get(["job_1", "job_2", "job_3", "job_4"])
    assert not sweep(store, late).any
    assert store.get(["job_1", "job_2", "job_3", "job_4"]) == after


def test_one_holder_at_a_time(store: JobStore) -> None:
    assert store.hold("sweeper", "first", NOW + 10, NOW)
    assert not store.hold("sweeper", "second", NOW + 19, NOW + 9)
    assert store.hold("sweeper", "first", NOW + 19, NOW + 9)
    assert not store.hold("sweeper", "second", NOW + 28, NOW + 18)


def test_a_hold_that_ran_out_can_be_taken_over(store: JobStore) -> None:
    store.hold("sweeper", "first", NOW + 10, NOW)
    assert store.hold("sweeper", "second", NOW + 20, NOW + 10)
    assert not store.hold("sweeper", "first", NOW + 21, NOW + 11)


def test_holds_of_different_names_are_apart(store: JobStore) -> None:
    assert store.hold("sweeper", "first", NOW + 10, NOW)
    assert store.hold("reconciler", "second", NOW + 10, NOW)


def test_a_named_lease_that_a_clock_gave_which_was_set_back_is_free(store: JobStore) -> None:
    assert store.hold("sweeper", "first", NOW + 3600, NOW + 3590)
    assert store.hold("sweeper", "second", NOW + 10, NOW)


def test_a_worker_that_is_long_gone_is_forgotten_and_what_it_published_is_not(store: JobStore) -> None:
    store.publish("late", [MANIFEST], NOW + FORGET_WORKERS_S / 2)
    sweep(store, NOW + FORGET_WORKERS_S)
    assert dict(_seen(store)) == {PIN: NOW + FORGET_WORKERS_S / 2, OTHER_PIN: 0.0}
    sweep(store, NOW + 2 * FORGET_WORKERS_S)
    assert dict(_seen(store)) == {PIN: 0.0, OTHER_PIN: 0.0}


def _seen(store: JobStore) -> list[tuple[str, float]]:
    return [(manifest.pin, seen_at) for manifest, seen_at in store.manifests()]


def test_jobs_that_wait_beside_an_idle_worker_are_told_and_others_are_not(store: JobStore) -> None:
    add(store, new_job("job_1"))
    late = NOW + CLAIMS_WAIT_S + 5
    assert store.waiting(late).unclaimed_s == 0.0  # its worker is not alive any more
    store.publish("worker", [MANIFEST], late)
    assert store.waiting(late).unclaimed_s == CLAIMS_WAIT_S + 5
    assert store.waiting(NOW + CLAIMS_WAIT_S - 1).unclaimed_s == 0.0
    (taken,) = claim(store, late, pins=[PIN])
    add(store, new_job("job_2"))
    much_later = late + CLAIMS_WAIT_S
    store.publish("worker", [MANIFEST], much_later)
    assert store.waiting(much_later).unclaimed_s == 0.0  # its worker holds the first one
    store.hand_back("job_1", taken.attempt)
    assert store.waiting(much_later).unclaimed_s == much_later - NOW
    assert store.waiting(NOW + TTL_S).unclaimed_s == 0.0
