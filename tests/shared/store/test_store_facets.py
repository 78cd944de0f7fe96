"""Scoring and tracking are due in their order, and are fenced by attempts of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.jobs import MAX_LAPSES, FacetStatus
from shared.ports import FacetName, JobStore
from shared.scores import Reason, Score, Scored, Unscored
from tests.shared.store.building import DAY_S, ENGINE_ERROR, LEASE_S, NOW, add, job, new_job, score, speak, start, sweep

SCORING, TRACKING = FacetName.SCORING, FacetName.TRACKING
SCORES: dict[str, Scored] = {
    "mos/nisqa_tts": Score(3.97, "MOS", "lock"),
    "asr/wer": Unscored(Reason.LANGUAGE_NOT_COVERED, "zh"),
}


def due(store: JobStore, facet: FacetName, now: float = NOW) -> list[str]:
    """Claim everything whose facet is due."""
    return [job.id for job in store.claim_facet(facet, "scorer", LEASE_S, now, limit=100)]


def track(store: JobStore, now: float = NOW) -> int:
    """Claim the one job whose tracking is due; the attempt."""
    (taken,) = store.claim_facet(TRACKING, "tracker", LEASE_S, now)
    return taken.tracking.attempt


def test_nothing_is_due_before_there_is_audio(store: JobStore) -> None:
    add(store, new_job("job_1"))
    assert (due(store, SCORING), due(store, TRACKING)) == ([], [])
    start(store, "job_1")
    assert (due(store, SCORING), due(store, TRACKING)) == ([], [])


def test_scoring_comes_before_tracking(store: JobStore) -> None:
    add(store, new_job("job_1"))
    speak(store, "job_1")
    assert due(store, TRACKING) == []
    score(store, "job_1")
    assert due(store, TRACKING) == ["job_1"]


def test_a_job_that_is_not_scored_is_tracked_at_once(store: JobStore) -> None:
    add(store, new_job("job_1", score=False))
    speak(store, "job_1")
    assert (due(store, SCORING), due(store, TRACKING)) == ([], ["job_1"])


def test_a_job_canceled_in_the_queue_is_never_tracked(store: JobStore) -> None:
    add(store, new_job("job_1"))
    store.cancel("job_1", NOW)
    assert (due(store, SCORING), due(store, TRACKING)) == ([], [])
    assert job(store, "job_1").tracking.status is FacetStatus.SKIPPED


def test_a_job_canceled_after_it_was_started_is_tracked(store: JobStore) -> None:
    add(store, new_job("job_1"))
    store.stop("job_1", start(store, "job_1"), NOW)
    assert (due(store, SCORING), due(store, TRACKING)) == ([], ["job_1"])


def test_a_job_canceled_in_the_queue_after_it_was_started_is_tracked(store: JobStore) -> None:
    add(store, new_job("job_1"))
    store.hand_back("job_1", start(store, "job_1"))
    store.cancel("job_1", NOW)
    assert due(store, TRACKING) == ["job_1"]


def test_a_failed_job_is_tracked(store: JobStore) -> None:
    add(store, new_job("job_1"))
    store.fail("job_1", start(store, "job_1"), ENGINE_ERROR, NOW, final=True)
    assert (due(store, SCORING), due(store, TRACKING)) == ([], ["job_1"])


def test_a_job_is_tracked_although_its_scoring_failed(store: JobStore) -> None:
    add(store, new_job("job_1"))
    speak(store, "job_1")
    for number in range(MAX_LAPSES):
        assert due(store, SCORING, NOW + number * LEASE_S) == ["job_1"]
        sweep(store, NOW + (number + 1) * LEASE_S)
    assert job(store, "job_1").scoring.status is FacetStatus.FAILED
    assert due(store, TRACKING, NOW + MAX_LAPSES * LEASE_S) == ["job_1"]


def test_the_oldest_is_claimed_first_and_no_more_than_asked_for(store: JobStore) -> None:
    for number, finished_at in ((1, NOW + 2), (2, NOW + 1), (3, NOW + 3)):
        add(store, new_job(f"job_{number}"))
        speak(store, f"job_{number}", finished_at)
    claimed = [store.claim_facet(SCORING, "scorer", LEASE_S, NOW + 3, limit=2) for _ in range(2)]
    assert [[job.id for job in batch] for batch in claimed] == [["job_2", "job_1"], ["job_3"]]


def test_a_claimed_facet_is_running_under_a_lease_of_its_own(store: JobStore) -> None:
    add(store, new_job("job_1"))
    speak(store, "job_1")
    (taken,) = store.claim_facet(SCORING, "scorer", LEASE_S, NOW + 1)
    state = taken.scoring
    assert taken == job(store, "job_1")
    assert (state.status, state.attempt, state.holder) == (FacetStatus.RUNNING, 1, "scorer")
    assert state.lease_until == NOW + 1 + LEASE_S
    assert taken.attempt == 1


def test_scores_are_read_back_as_they_were_given(store: JobStore) -> None:
    add(store, new_job("job_1"))
    speak(store, "job_1")
    (taken,) = store.claim_facet(SCORING, "scorer", LEASE_S, NOW)
    assert store.finish_scoring("job_1", taken.scoring.attempt, SCORES, "scorers", 0.9)
    scored = job(store, "job_1")
    assert (scored.scoring.status, scored.scores, scored.scorers_lock) == (FacetStatus.DONE, SCORES, "scorers")
    assert scored.timings == {**taken.timings, "score_s": 0.9}


def test_a_tracked_job_knows_its_run(store: JobStore) -> None:
    add(store, new_job("job_1", score=False))
    speak(store, "job_1")
    assert store.finish_tracking("job_1", track(store), "run", "http://mlflow/run")
    tracked = job(store, "job_1")
    assert (tracked.tracking.status, tracked.run_id, tracked.run_url) == (FacetStatus.DONE, "run", "http://mlflow/run")


_WRITES: dict[str, tuple[FacetName, Callable[[JobStore, int], bool]]] = {
    "beat scoring": (SCORING, lambda store, attempt: store.beat_facet(SCORING, "job_1", attempt, LEASE_S, NOW)),
    "finish_scoring": (SCORING, lambda store, attempt: store.finish_scoring("job_1", attempt, SCORES, "lock", 0.9)),
    "postpone scoring": (SCORING, lambda store, attempt: store.postpone_facet(SCORING, "job_1", attempt, NOW)),
    "beat tracking": (TRACKING, lambda store, attempt: store.beat_facet(TRACKING, "job_1", attempt, LEASE_S, NOW)),
    "finish_tracking": (TRACKING, lambda store, attempt: store.finish_tracking("job_1", attempt, "run", "url")),
    "postpone tracking": (TRACKING, lambda store, attempt: store.postpone_facet(TRACKING, "job_1", attempt, NOW)),
}
every_write = pytest.mark.parametrize(("facet", "write"), _WRITES.values(), ids=_WRITES.keys())


def _due_for(store: JobStore, facet: FacetName) -> None:
    add(store, new_job("job_1", score=facet is SCORING))
    speak(store, "job_1")


@every_write
def test_a_scorer_that_lost_its_facet_to_another_writes_nothing(
    store: JobStore, facet: FacetName, write: Callable[[JobStore, int], bool]
) -> None:
    _due_for(store, facet)
    assert due(store, facet) == ["job_1"]
    sweep(store, NOW + LEASE_S)
    assert due(store, facet, NOW + LEASE_S) == ["job_1"]
    before = job(store, "job_1")
    assert not write(store, 1)
    assert job(store, "job_1") == before


@every_write
def test_a_scorer_that_lost_its_facet_to_the_sweeper_writes_nothing(
    store: JobStore, facet: FacetName, write: Callable[[JobStore, int], bool]
) -> None:
    _due_for(store, facet)
    assert due(store, facet) == ["job_1"]
    sweep(store, NOW + LEASE_S)
    before = job(store, "job_1")
    assert not write(store, 1)
    assert job(store, "job_1") == before


@every_write
def test_nothing_is_written_to_a_facet_that_is_done(
    store: JobStore, facet: FacetName, write: Callable[[JobStore, int], bool]
) -> None:
    _due_for(store, facet)
    assert due(store, facet) == ["job_1"]
    finish = store.finish_scoring("job_1", 1, {}, "lock", 0.1) if facet is SCORING else None
    assert finish or store.finish_tracking("job_1", 1, "first run", "url")
    before = job(store, "job_1")
    assert not write(store, 1)
    assert job(store, "job_1") == before


def test_a_beat_renews_a_facets_lease(store: JobStore) -> None:
    _due_for(store, SCORING)
    assert due(store, SCORING) == ["job_1"]
    assert store.beat_facet(SCORING, "job_1", 1, LEASE_S, NOW + 20)
    sweep(store, NOW + 20 + LEASE_S - 1)
    assert job(store, "job_1").scoring.status is FacetStatus.RUNNING


def test_a_postponed_facet_is_due_when_it_was_put_off_to(store: JobStore) -> None:
    _due_for(store, TRACKING)
    assert store.postpone_facet(TRACKING, "job_1", track(store), NOW + 10)
    assert due(store, TRACKING, NOW + 9) == []
    assert store.waiting(NOW + 9).tracking == 0
    assert store.waiting(NOW + 10).tracking == 1
    assert due(store, TRACKING, NOW + 10) == ["job_1"]


def test_waiting_counts_what_is_due(store: JobStore) -> None:
    _due_for(store, SCORING)
    assert (store.waiting(NOW).scoring, store.waiting(NOW).tracking) == (1, 0)
    score(store, "job_1")
    assert (store.waiting(NOW).scoring, store.waiting(NOW).tracking) == (0, 1)


def test_tracking_fails_only_after_a_budget_of_trying(store: JobStore) -> None:
    _due_for(store, TRACKING)
    store.postpone_facet(TRACKING, "job_1", track(store, NOW + 10), NOW + 20)
    sweep(store, NOW + 10 + DAY_S - 1)
    assert job(store, "job_1").tracking.status is FacetStatus.PENDING
    sweep(store, NOW + 10 + DAY_S)
    assert job(store, "job_1").tracking.status is FacetStatus.FAILED


def test_a_scorer_that_was_away_for_days_still_tries(store: JobStore) -> None:
    _due_for(store, TRACKING)
    sweep(store, NOW + 3 * DAY_S)
    assert due(store, TRACKING, NOW + 3 * DAY_S) == ["job_1"]


def test_a_scorer_lost_over_and_over_spends_the_budget_too(store: JobStore) -> None:
    _due_for(store, TRACKING)
    track(store)
    sweep(store, NOW + DAY_S)
    assert job(store, "job_1").tracking.status is FacetStatus.FAILED


def test_failed_tracking_can_be_asked_for_again_with_a_new_budget(store: JobStore) -> None:
    _due_for(store, TRACKING)
    track(store)
    sweep(store, NOW + DAY_S)
    assert store.retry_tracking("job_1", NOW + 2 * DAY_S)
    sweep(store, NOW + 2 * DAY_S)
    assert track(store, NOW + 2 * DAY_S) == 2
    assert store.finish_tracking("job_1", 2, "run", "url")


def test_only_failed_tracking_can_be_asked_for_again(store: JobStore) -> None:
    assert not store.retry_tracking("job_1", NOW)
    _due_for(store, TRACKING)
    before = job(store, "job_1")
    assert not store.retry_tracking("job_1", NOW)
    assert job(store, "job_1") == before
