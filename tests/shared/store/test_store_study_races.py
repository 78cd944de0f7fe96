"""Scorers, gateways and sweepers at once: a step is given to one, and a canceled study stays canceled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from shared.jobs import FacetStatus, Status
from shared.store.sql import SqlJobStore, SqlStudyStore
from shared.studies import Step
from tests.shared.store.building import LEASE_S, NOW, claim, job, sweep
from tests.shared.store.study_building import EVALUATION, OUTCOME, evaluate, finish_results, own, study, take


def test_threads_share_the_studies_out(sql_store: SqlJobStore, sql_studies: SqlStudyStore) -> None:
    ids = [f"eval_{number:02}" for number in range(40)]
    for id in ids:
        evaluate(sql_store, id=id)
    with ThreadPoolExecutor(4) as threads:
        shares = list(threads.map(lambda _: finish_results(sql_studies), range(4)))
    assert sorted(id for share in shares for id in share) == ids


def test_one_step_is_given_to_one_of_many(sql_store: SqlJobStore, sql_studies: SqlStudyStore) -> None:
    evaluate(sql_store)
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda _: take(sql_studies, Step.RESULT), range(4)))
    assert sum(study is not None for study in taken) == 1


def test_a_study_is_canceled_or_finished_and_never_both(sql_store: SqlJobStore, sql_studies: SqlStudyStore) -> None:
    for number in range(20):
        id = f"eval_{number:02}"
        evaluate(sql_store, id=id)
        take(sql_studies, Step.RESULT)
        with ThreadPoolExecutor(2) as threads:
            finished = threads.submit(sql_studies.finish, id, 1, OUTCOME, NOW)
            threads.submit(sql_studies.cancel, id, NOW)
        end = study(sql_studies, id)
        expected = (FacetStatus.DONE, None) if finished.result() else (FacetStatus.SKIPPED, NOW)
        assert (end.result.status, end.canceled_at) == expected
        assert (end.outcome is not None) == finished.result()


def test_clips_that_change_hands_while_their_evaluation_is_canceled_are_canceled(
    sql_store: SqlJobStore, sql_studies: SqlStudyStore
) -> None:
    for number in range(10):
        id, clips = f"eval_{number}", [own(number * 4 + clip) for clip in range(4)]
        evaluate(sql_store, *clips, id=id)
        held = claim(sql_store, at_most=2)
        with ThreadPoolExecutor(5) as threads:
            at_once = [
                threads.submit(claim, sql_store, at_most=2),
                threads.submit(sql_studies.cancel, id, NOW),
                threads.submit(sweep, sql_store, NOW),
                *(threads.submit(sql_store.hand_back, taken.id, taken.attempt) for taken in held),
            ]
        for one in at_once:
            one.result()
        sweep(sql_store, NOW + LEASE_S)
        assert {job(sql_store, clip.job_id).status for clip in clips} == {Status.CANCELED}


def test_of_runs_that_are_recorded_at_once_one_is_kept(sql_store: SqlJobStore, sql_studies: SqlStudyStore) -> None:
    evaluate(sql_store)
    with ThreadPoolExecutor(4) as threads:
        kept = set(threads.map(lambda number: sql_studies.keep_run(EVALUATION, f"run {number}", "url"), range(4)))
    assert kept == {(study(sql_studies).run_id, "url")}


def test_scorers_that_publish_at_once_do_not_wait_in_a_circle(sql_studies: SqlStudyStore) -> None:
    quantities = [f"quantity {number}" for number in range(50)]

    def publish(scorer: int) -> None:
        names = quantities if scorer % 2 else quantities[::-1]
        for _ in range(5):
            sql_studies.publish_scorers(dict.fromkeys(names, f"lock {scorer}"), NOW)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(publish, range(4)))
    assert set(sql_studies.scorer_locks()) == set(quantities)
