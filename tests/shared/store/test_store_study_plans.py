"""What is done often with studies finds its rows by index, however many clips and jobs there were."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import text, update

from shared.ports import Submission
from shared.store.sql import Database, SqlJobStore, SqlStudyStore
from shared.store.sql.schema import jobs, studies
from shared.studies import Clip, Kind, Step, StudyFilter
from tests.shared.store.building import LEASE_S, NOW, new_job, sweep
from tests.shared.store.plans import plans_of
from tests.shared.store.study_building import new_comparison, new_evaluation

_DONE = {"status": "succeeded", "scoring_status": "done", "tracking_status": "done"}
_OVER = {"result_status": "done", "tracking_status": "done"}
_CLIPS = 200


@pytest.fixture
def busy_studies(sql_store: SqlJobStore, sql_studies: SqlStudyStore, database: Database) -> SqlStudyStore:
    """100 evaluations with 20,000 clips and their comparisons that are over, 20 that are under way."""
    for number in range(100):
        _evaluate(sql_store, number)
    with database.write() as connection:
        connection.execute(update(jobs).values(_DONE))
        connection.execute(update(studies).values(_OVER))
    for number in range(100, 120):
        _evaluate(sql_store, number)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return sql_studies


def _evaluate(store: SqlJobStore, number: int) -> None:
    clips = [
        Clip(f"item-{clip}", 0, f"job_{number:03}{clip:03}", f"identity {number} {clip}") for clip in range(_CLIPS)
    ]
    evaluation = new_evaluation(*clips, id=f"eval_{number:03}")
    comparison = new_comparison(evaluation.id, evaluation.id, id=f"cmp_{number:03}")
    new_jobs = [new_job(clip.job_id) for clip in clips]
    store.add([Submission(new_jobs, study=evaluation), Submission([], study=comparison)])


_READ_ALL = re.compile(r"Seq Scan on (jobs|clips|studies)|SCAN (jobs|clips|studies|below)(?! USING (COVERING )?INDEX)")
"""PostgreSQL's and SQLite's way to say so."""

_OFTEN: dict[str, Callable[[SqlJobStore, SqlStudyStore], object]] = {
    "claim a result": lambda _, studies: studies.claim(Step.RESULT, "scorer", LEASE_S, NOW),
    "claim tracking": lambda _, studies: studies.claim(Step.TRACKING, "scorer", LEASE_S, NOW),
    "beat": lambda _, studies: studies.beat(Step.RESULT, "eval_110", 1, LEASE_S, NOW),
    "get": lambda _, studies: studies.get(["eval_110"]),
    "a page": lambda _, studies: studies.find(StudyFilter("ann", Kind.EVALUATION, before="eval_110", limit=5)),
    "clips": lambda _, studies: studies.clips("eval_110"),
    "progress": lambda _, studies: studies.progress(["eval_110"]),
    "homes": lambda _, studies: studies.homes(["job_110001"]),
    "spoken before": lambda _, studies: studies.spoken_before("ann", [f"identity 50 {n}" for n in range(9)]),
    "cancel": lambda _, studies: studies.cancel("eval_119", NOW),
    "waiting": lambda jobs, _: jobs.waiting(NOW),
    "sweep": lambda jobs, _: sweep(jobs, NOW),
}


def test_what_is_done_often_never_reads_all(
    busy_studies: SqlStudyStore, sql_store: SqlJobStore, database: Database
) -> None:
    reading_all = {
        name: plan
        for name, work in _OFTEN.items()
        for plan in plans_of(database, lambda work=work: work(sql_store, busy_studies))  # type: ignore[misc]
        if _READ_ALL.search(plan)
    }
    assert reading_all == {}


def test_a_study_is_found_without_reading_what_is_over(
    busy_studies: SqlStudyStore, sql_store: SqlJobStore, database: Database
) -> None:
    (plan, *_) = plans_of(database, lambda: busy_studies.claim(Step.RESULT, "scorer", LEASE_S, NOW))
    for index in ("studies_result_due", "clips_in_order", "jobs_pkey|sqlite_autoindex_jobs_1"):
        assert re.search(index, plan)
    assert not re.search(r"Hash|SCAN|TEMP B-TREE FOR ORDER BY", plan)
