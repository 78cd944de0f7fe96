"""A request that is sent twice adds its jobs once, and is answered the same."""

from __future__ import annotations

from dataclasses import replace

from shared.ports import JobStore, Remembered, Submission
from tests.shared.store.building import DAY_S, NOW, idempotency, new_job, sweep


def _submission(id: str, scope: str | None) -> Submission:
    return Submission([new_job(id)], idempotency(scope) if scope is not None else None)


def test_a_scope_is_taken_once(store: JobStore) -> None:
    assert store.add([_submission("job_1", "scope")]) == [True]
    assert store.add([_submission("job_2", "scope")]) == [False]
    assert set(store.get(["job_1", "job_2"])) == {"job_1"}


def test_the_first_of_a_scope_within_one_batch_is_added(store: JobStore) -> None:
    batch = [
        _submission("job_1", "b"),
        _submission("job_2", "a"),
        _submission("job_3", "b"),
        _submission("job_4", None),
        _submission("job_5", None),
        _submission("job_6", "a"),
    ]
    assert store.add(batch) == [True, True, False, True, True, False]
    assert sorted(store.get(f"job_{number}" for number in range(1, 7))) == ["job_1", "job_2", "job_4", "job_5"]


def test_the_same_submission_object_twice_in_a_batch_counts_once(store: JobStore) -> None:
    twice = _submission("job_1", "scope")
    assert store.add([twice, twice]) == [True, False]


def test_the_first_answer_is_remembered_with_the_job_that_was_made(store: JobStore) -> None:
    store.add([_submission("job_1", "scope")])
    store.add([Submission([new_job("job_2")], replace(idempotency("scope"), fingerprint="other"))])
    assert store.recall("scope") == Remembered("fingerprint", "job_1", 202, b'{"id":"job_1"}\x00\xff')


def test_a_request_that_made_no_job_is_remembered_too(store: JobStore) -> None:
    store.add([Submission((), idempotency("scope"))])
    assert store.recall("scope") == Remembered("fingerprint", None, 202, b'{"id":"job_1"}\x00\xff')


def test_a_scope_that_was_never_seen_is_not_remembered(store: JobStore) -> None:
    assert store.recall("scope") is None


def test_a_scope_is_free_again_when_its_time_is_over(store: JobStore) -> None:
    store.add([_submission("job_1", "scope")])
    sweep(store, NOW + DAY_S - 1)
    assert store.add([_submission("job_2", "scope")]) == [False]
    sweep(store, NOW + DAY_S)
    assert store.recall("scope") is None
    assert store.add([_submission("job_2", "scope")]) == [True]
