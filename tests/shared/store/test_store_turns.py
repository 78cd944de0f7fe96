"""Scorers, too, serve users by what they took: whose clips wait in thousands does not delay the one clip of another."""

from __future__ import annotations

import pytest

from shared.ports import FacetName, JobStore, Submission
from shared.scheduling.fairness import WINDOW_S
from shared.studies import Step, StudyStore
from tests.shared.store.building import LEASE_S, NOW, add, claim, new_job, result
from tests.shared.store.study_building import new_evaluation

SCORING, TRACKING = FacetName.SCORING, FacetName.TRACKING
both_facets = pytest.mark.parametrize("facet", FacetName)


def spoken(store: JobStore, facet: FacetName, user: str, *numbers: int, at: float = NOW, seconds: float = 4.0) -> None:
    """Let jobs of ``user`` wait for a scorer since ``at``."""
    new = [
        new_job(f"job_{user}{number:05}", user=user, score=facet is SCORING, estimated_s=seconds) for number in numbers
    ]
    add(store, *new)
    while taken := claim(store, at, at_most=500):
        for job in taken:
            store.begin(job.id, job.attempt)
            assert store.finish(job.id, job.attempt, result(), at)


def taken(store: JobStore, facet: FacetName, *, now: float = NOW + 10, limit: int = 1) -> list[str]:
    return [job.id for job in store.claim_facet(facet, "scorer", LEASE_S, now, limit)]


@both_facets
def test_a_thousand_clips_of_one_user_do_not_delay_the_one_of_another(store: JobStore, facet: FacetName) -> None:
    spoken(store, facet, "alice", *range(1000))
    assert [taken(store, facet) for _ in range(2)] == [["job_alice00000"], ["job_alice00001"]]
    spoken(store, facet, "bob", 1, at=NOW + 5)
    assert taken(store, facet) == ["job_bob00001"]


@both_facets
def test_users_take_turns_and_each_users_oldest_comes_first(store: JobStore, facet: FacetName) -> None:
    spoken(store, facet, "ann", 3, 4, at=NOW + 2)
    spoken(store, facet, "ann", 1, 2, at=NOW + 1)
    spoken(store, facet, "bob", 1, 2, at=NOW + 3)
    order = [id_ for _ in range(7) for id_ in taken(store, facet)]
    assert order == ["job_ann00001", "job_bob00001", "job_ann00002", "job_bob00002", "job_ann00003", "job_ann00004"]


@both_facets
def test_a_claim_of_several_is_as_fair_as_several_claims(store: JobStore, facet: FacetName) -> None:
    spoken(store, facet, "ann", *range(6))
    spoken(store, facet, "bob", *range(2), at=NOW + 1)
    assert taken(store, facet, limit=5) == [
        "job_ann00000",
        "job_bob00000",
        "job_ann00001",
        "job_bob00001",
        "job_ann00002",
    ]
    spoken(store, facet, "cyd", *range(4), at=NOW + 2)
    assert taken(store, facet, limit=4) == ["job_cyd00000", "job_cyd00001", "job_cyd00002", "job_ann00003"]


def test_scoring_counts_seconds_of_audio(store: JobStore) -> None:
    spoken(store, SCORING, "ann", *range(3), seconds=6.0)
    spoken(store, SCORING, "bob", *range(4), at=NOW + 1, seconds=2.0)
    order = [id_ for _ in range(7) for id_ in taken(store, SCORING)]
    assert [id_.removeprefix("job_")[:3] for id_ in order] == ["ann", "bob", "bob", "bob", "ann", "bob", "ann"]


def test_tracking_counts_clips(store: JobStore) -> None:
    spoken(store, TRACKING, "ann", *range(3), seconds=600.0)
    spoken(store, TRACKING, "bob", *range(3), at=NOW + 1, seconds=1.0)
    order = [id_ for _ in range(6) for id_ in taken(store, TRACKING)]
    assert [id_.removeprefix("job_")[:3] for id_ in order] == ["ann", "bob"] * 3


def test_scoring_and_tracking_have_accounts_of_their_own(store: JobStore) -> None:
    spoken(store, SCORING, "ann", 1, 2)
    assert len(taken(store, SCORING)) == 1
    spoken(store, TRACKING, "ann", 3)
    spoken(store, TRACKING, "bob", 1, at=NOW + 1)
    assert taken(store, TRACKING) == ["job_ann00003"]


@both_facets
def test_everybody_starts_even_in_a_new_window(store: JobStore, facet: FacetName) -> None:
    spoken(store, facet, "ann", *range(4))
    assert len(taken(store, facet, limit=2)) == 2
    spoken(store, facet, "bob", 1, at=NOW + 5)
    assert taken(store, facet, now=NOW + WINDOW_S) == ["job_ann00002"]


@both_facets
def test_whoever_waits_for_a_later_time_holds_nobody_up(store: JobStore, facet: FacetName) -> None:
    spoken(store, facet, "ann", *range(3))
    for job in store.claim_facet(facet, "scorer", LEASE_S, NOW, 3):
        state = job.scoring if facet is SCORING else job.tracking
        assert store.postpone_facet(facet, job.id, state.attempt, NOW + 60)
    spoken(store, facet, "bob", *range(4), at=NOW + 1)
    assert [len(taken(store, facet)) for _ in range(5)] == [1, 1, 1, 1, 0]
    assert taken(store, facet, now=NOW + 60) == ["job_ann00000"]


def test_studies_are_taken_in_turns_too(store: JobStore, studies: StudyStore) -> None:
    for user, count in (("alice", 5), ("bob", 2)):
        for number in range(count):
            store.add([Submission([], study=new_evaluation(id=f"eval_{user}{number}", user=user))])
    claimed = [studies.claim(Step.RESULT, "scorer", LEASE_S, NOW + 10) for _ in range(8)]
    order = [study.id.removeprefix("eval_") for study in claimed if study is not None]
    assert order == ["alice0", "bob0", "alice1", "bob1", "alice2", "alice3", "alice4"]
