"""A claim takes the next queued job that the worker can serve, under a lease and a new attempt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.catalog import Manifest, PinState
from shared.jobs import Job, Status
from shared.ports import LIVE_S, JobStore
from shared.scheduling.fairness import PREFER_LOADED_FOR_S
from tests.shared.store.building import (
    LEASE_S,
    MANIFEST,
    NOW,
    OTHER_MANIFEST,
    OTHER_PIN,
    PIN,
    TTL_S,
    add,
    claim,
    claimed_ids,
    job,
    new_job,
)


def test_a_claimed_job_is_starting_under_a_lease(store: JobStore) -> None:
    new = new_job("job_1")
    add(store, new)
    (taken,) = claim(store, NOW + 5)
    expected = Job.accepted(new).evolve(
        status=Status.STARTING, attempt=1, worker="worker", lease_until=NOW + 5 + LEASE_S, started_at=NOW + 5
    )
    assert taken == job(store, "job_1") == expected


def test_no_job_is_claimed_twice(store: JobStore) -> None:
    add(store, new_job("job_1"))
    assert claimed_ids(store, 2) == ["job_1"]


def test_only_pins_that_the_worker_can_serve_are_claimed(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2", pin=OTHER_PIN))
    assert claimed_ids(store, 2, pins=[OTHER_PIN]) == ["job_2"]
    assert claimed_ids(store, 1, pins=[]) == []


def test_a_claim_of_several_takes_jobs_of_one_pin(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2", pin=OTHER_PIN), new_job("job_3"), new_job("job_4"))
    assert [taken.id for taken in claim(store, at_most=2)] == ["job_1", "job_3"]
    assert [taken.id for taken in claim(store, at_most=8)] == ["job_2"]
    assert [taken.id for taken in claim(store, at_most=8)] == ["job_4"]


def test_within_a_user_priority_goes_before_age(store: JobStore) -> None:
    add(
        store,
        new_job("job_1"),
        new_job("job_2", priority=10),
        new_job("job_3", priority=10),
        new_job("job_4", priority=-1),
    )
    assert claimed_ids(store, 4) == ["job_2", "job_3", "job_1", "job_4"]


def test_within_a_user_priority_goes_before_age_across_pins(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2", pin=OTHER_PIN, priority=1))
    assert claimed_ids(store, 2) == ["job_2", "job_1"]


def test_an_expired_job_is_never_claimed(store: JobStore) -> None:
    add(store, new_job("job_1", expires_at=NOW + 10, priority=5), new_job("job_2"))
    assert claimed_ids(store, 2, NOW + 10) == ["job_2"]
    assert job(store, "job_1").status is Status.QUEUED  # until it is swept


def test_a_pin_that_is_loaded_goes_first(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2", pin=OTHER_PIN))
    assert claimed_ids(store, 2, loaded=[OTHER_PIN]) == ["job_2", "job_1"]


def test_another_pin_waits_for_loaded_ones_no_longer_than_the_bound(store: JobStore) -> None:
    add(store, new_job("job_1", pin=OTHER_PIN), *(new_job(f"job_{number}") for number in range(2, 6)))
    soon, late = NOW + PREFER_LOADED_FOR_S - 1, NOW + PREFER_LOADED_FOR_S
    assert claimed_ids(store, 1, soon, loaded=[PIN]) == ["job_2"]
    assert claimed_ids(store, 1, late, loaded=[PIN]) == ["job_1"]


def test_the_bound_begins_again_when_a_pin_was_served(store: JobStore) -> None:
    add(store, *(new_job(f"job_{number}", pin=OTHER_PIN) for number in (1, 2)), new_job("job_3"), new_job("job_4"))
    late = NOW + PREFER_LOADED_FOR_S
    assert claimed_ids(store, 2, late, loaded=[PIN]) == ["job_1", "job_3"]


def test_a_job_that_just_came_waits_for_the_bound_itself(store: JobStore) -> None:
    much_later = NOW + 100 * PREFER_LOADED_FOR_S
    fresh: dict[str, Any] = {"created_at": much_later, "expires_at": much_later + TTL_S}
    add(store, new_job("job_1", pin=OTHER_PIN, **fresh), new_job("job_2", **fresh))
    assert claimed_ids(store, 1, much_later, loaded=[PIN]) == ["job_2"]


def test_what_workers_published_stays_known_after_they_retire(store: JobStore) -> None:
    store.publish("second worker", [MANIFEST], NOW + 5)
    assert store.manifests() == [(MANIFEST, NOW + 5), (OTHER_MANIFEST, NOW)]
    store.retire("second worker")
    assert store.manifests() == [(MANIFEST, NOW), (OTHER_MANIFEST, NOW)]
    store.retire("worker")
    assert store.manifests() == [(MANIFEST, 0.0), (OTHER_MANIFEST, 0.0)]


def test_the_newest_manifest_of_a_pin_counts(store: JobStore) -> None:
    newer = replace(MANIFEST, description="with another voice")
    store.publish("worker", [newer], NOW + 5)
    assert store.manifests()[0] == (newer, NOW + 5)


def refused_by_files(**more: Any) -> Manifest:
    """As a worker publishes a pin whose files it does not believe: it knows no capability of it."""
    return replace(MANIFEST, controls={}, languages=(), state=PinState.REFUSED, detail="config.json is missing", **more)


def test_a_pin_that_its_only_worker_refuses_is_live_no_more_and_keeps_its_capabilities(store: JobStore) -> None:
    store.publish("worker", [refused_by_files(lock_sha256="b" * 64)], NOW + 5)
    expected = replace(MANIFEST, state=PinState.REFUSED, detail="config.json is missing", lock_sha256="b" * 64)
    assert store.manifests()[0] == (expected, 0.0)


def test_a_refusal_does_not_hide_a_worker_that_serves_the_pin(store: JobStore) -> None:
    store.publish("second worker", [refused_by_files()], NOW + 5)
    assert store.manifests()[0] == (MANIFEST, NOW)


def test_a_refusal_counts_once_the_worker_that_served_the_pin_is_silent(store: JobStore) -> None:
    store.publish("second worker", [refused_by_files()], NOW + LIVE_S)
    assert store.manifests()[0][0].state is PinState.REFUSED


def test_a_pin_that_was_only_ever_refused_is_known_as_that(store: JobStore) -> None:
    unheard = replace(refused_by_files(), pin="unheard-v1")
    store.publish("worker", [unheard], NOW)
    assert (unheard, 0.0) in store.manifests()


def test_a_refused_pin_that_is_right_again_is_live(store: JobStore) -> None:
    store.publish("worker", [refused_by_files()], NOW + 5)
    store.publish("worker", [MANIFEST], NOW + 10)
    assert store.manifests()[0] == (MANIFEST, NOW + 10)


def test_publishing_again_does_not_restart_the_bound(store: JobStore) -> None:
    add(store, new_job("job_1", pin=OTHER_PIN), new_job("job_2"))
    late = NOW + PREFER_LOADED_FOR_S
    store.publish("worker", [MANIFEST, OTHER_MANIFEST], late)
    assert claimed_ids(store, 1, late, loaded=[PIN]) == ["job_1"]


def test_an_environment_is_kept_as_first_recorded(store: JobStore) -> None:
    store.record_environment("env", {"python": "3.11", "gpu": None, "libraries": {"numpy": "2"}})
    store.record_environment("env", {"python": "3.11"})
    assert store.environment("env") == {"python": "3.11", "gpu": None, "libraries": {"numpy": "2"}}
    assert store.environment("another") is None
