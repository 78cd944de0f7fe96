"""Between users: least audio in the current window first, charged by estimate at the claim and settled at the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.jobs import Job, SpeechInput
from shared.ports import JobStore
from shared.scheduling.fairness import WINDOW_S, estimated_audio_s
from tests.shared.store.building import ENGINE_ERROR, LEASE_S, NOW, add, claim, claimed_ids, new_job, result, sweep


def _two_each(store: JobStore) -> None:
    """Of ann, whose name comes first, and of bob; each job is estimated at 4 s."""
    add(store, *(new_job(f"job_{user}{number}", user=user) for user in ("ann", "bob") for number in (1, 2)))


def test_ten_thousand_jobs_of_one_user_do_not_delay_the_one_job_of_another(store: JobStore) -> None:
    add(store, *(new_job(f"job_{number:05}", priority=10) for number in range(10_000)))
    claim(store, at_most=3)
    add(store, new_job("job_late", user="bob"))
    assert claimed_ids(store, 1) == ["job_late"]


def test_users_take_turns_by_what_they_were_given(store: JobStore) -> None:
    add(store, *(new_job(f"job_a{number}", estimated_s=2.0) for number in range(4)))
    add(store, *(new_job(f"job_b{number}", user="bob", estimated_s=6.0) for number in range(2)))
    assert claimed_ids(store, 6) == ["job_a0", "job_b0", "job_a1", "job_a2", "job_a3", "job_b1"]


def test_a_claim_of_several_is_as_fair_as_several_claims(store: JobStore) -> None:
    _two_each(store)
    assert [taken.id for taken in claim(store, at_most=4)] == ["job_ann1", "job_bob1", "job_ann2", "job_bob2"]


def test_in_a_claim_of_several_old_jobs_do_not_go_before_those_of_users_who_had_less(store: JobStore) -> None:
    add(store, new_job("job_1"), new_job("job_2"))
    much_later = NOW + WINDOW_S
    add(store, new_job("job_3", user="bob", created_at=much_later))
    assert [taken.id for taken in claim(store, much_later, at_most=3)] == ["job_1", "job_3", "job_2"]


def test_the_estimate_is_settled_by_what_was_spoken(store: JobStore) -> None:
    _two_each(store)
    (ann,) = claim(store)
    claim(store)  # bob's: both are charged 4 s
    store.begin(ann.id, ann.attempt)
    store.finish(ann.id, ann.attempt, result(duration_s=5.0), NOW)
    assert claimed_ids(store, 1) == ["job_bob2"]


def _fail(store: JobStore, job: Job) -> None:
    store.fail(job.id, job.attempt, ENGINE_ERROR, NOW, final=True)


def _stop(store: JobStore, job: Job) -> None:
    store.stop(job.id, job.attempt, NOW)


def _hand_back(store: JobStore, job: Job) -> None:
    store.hand_back(job.id, job.attempt)


def _lose(store: JobStore, job: Job) -> None:
    sweep(store, NOW + LEASE_S)


@pytest.mark.parametrize("ending", [_fail, _stop, _hand_back, _lose])
def test_what_was_not_spoken_is_given_back(store: JobStore, ending: Callable[[JobStore, Job], None]) -> None:
    _two_each(store)
    (ann,) = claim(store)
    claim(store, lease_s=10 * LEASE_S)  # bob's
    ending(store, ann)
    (following,) = claim(store)
    assert following.user == "ann"


def test_everybody_starts_even_in_a_new_window(store: JobStore) -> None:
    _two_each(store)
    claim(store)  # ann's: 4 s against none
    assert claimed_ids(store, 1, NOW + WINDOW_S) == ["job_ann2"]


def test_a_job_of_an_earlier_window_is_not_given_back_in_this_one(store: JobStore) -> None:
    _two_each(store)
    (ann,) = claim(store, lease_s=10 * WINDOW_S)
    later = NOW + WINDOW_S
    assert claimed_ids(store, 2, later) == ["job_ann2", "job_bob1"]  # 4 s each in the new window
    add(store, new_job("job_ann3"))
    store.fail(ann.id, ann.attempt, ENGINE_ERROR, later, final=True)
    add(store, new_job("job_aaron", user="aaron", estimated_s=3.0))
    assert claimed_ids(store, 3, later) == ["job_aaron", "job_ann3", "job_bob2"]


def test_what_is_given_back_never_makes_credit(store: JobStore) -> None:
    _two_each(store)
    (ann,) = claim(store)
    store.fail(ann.id, ann.attempt, ENGINE_ERROR, NOW, final=True)
    store.fail(ann.id, ann.attempt, ENGINE_ERROR, NOW, final=True)  # not its job any more
    claim(store)  # ann's second: 4 s against none
    assert claimed_ids(store, 1) == ["job_bob1"]


def test_an_estimate_goes_by_language_and_speed() -> None:
    english = estimated_audio_s(SpeechInput("a" * 140, "en-GB"))
    assert english == pytest.approx(10.0)
    assert estimated_audio_s(SpeechInput("a" * 140, "en", speed=2.0)) == pytest.approx(english / 2)
    assert estimated_audio_s(SpeechInput("字" * 45, "zh-TW")) == pytest.approx(10.0)
    assert estimated_audio_s(SpeechInput("a", "en", speed=4.0)) == 0.5
