"""What is done often with studies finds its rows by index, however many clips and jobs there were."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import text, update

from shared.ports import Submission
from shared.store.sql import Database, SqlJobStore, SqlStudyStore
from shared.store.sql.tables.schema import jobs, studies
from shared.studies import Kind, Step, StudyClip, StudyFilter
from tests.shared.store.building import LEASE_S, NOW, PIN, new_job, sweep
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
        StudyClip(f"item-{clip}", 0, f"job_{number:03}{clip:03}", f"identity {number} {clip}") for clip in range(_CLIPS)
    ]
    evaluation = new_evaluation(*clips, id=f"eval_{number:03}")
    comparison = new_comparison(evaluation.id, evaluation.id, id=f"cmp_{number:03}")
    new_jobs = [new_job(clip.job_id) for clip in clips]
    store.add([Submission(new_jobs, study=evaluation), Submission([], study=comparison)])


_WAITING = "(jobs|studies)_(queue|leases|scoring_due|tracking_due|result_due)"
_READ_ALL = re.compile(
    rf"Seq Scan on (jobs|clips|studies)|SCAN (jobs|clips|studies|below)(_\d+)?\b(?! USING (COVERING )?INDEX {_WAITING})"
)
"""PostgreSQL's and SQLite's way to say so; a walk through an index of what waits, or is held, sees that alone."""

_OFTEN: dict[str, Callable[[SqlJobStore, SqlStudyStore], object]] = {
    "claim a result": lambda _, studies: studies.claim(Step.RESULT, "scorer", LEASE_S, NOW),
    "claim tracking": lambda _, studies: studies.claim(Step.TRACKING, "scorer", LEASE_S, NOW),
    "look for anything due": lambda _, studies: studies.any_due(NOW),
    "beat": lambda _, studies: studies.beat(Step.RESULT, "eval_110", 1, LEASE_S, NOW),
    "get": lambda _, studies: studies.get(["eval_110"]),
    "a page": lambda _, studies: studies.find(StudyFilter("ann", Kind.EVALUATION, before="eval_110", limit=5)),
    "a page of one pin": lambda _, studies: studies.find(StudyFilter("ann", Kind.EVALUATION, pin="absent")),
    "a page of one suite": lambda _, studies: studies.find(StudyFilter("ann", Kind.EVALUATION, suite="absent")),
    "a page of both": lambda _, studies: studies.find(StudyFilter("ann", Kind.EVALUATION, pin=PIN, suite="absent")),
    "a page of the same bytes": lambda _, studies: studies.find(
        StudyFilter("ann", Kind.EVALUATION, lock_sha256="f" * 64, suite_sha256="e" * 64)
    ),
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
    assert not re.search("Hash", plan)
    assert not _READ_ALL.search(plan)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"pin": PIN}, "studies_of_pin"),
        ({"suite": "absent"}, "studies_of_suite"),
        ({"pin": PIN, "suite": "absent"}, "studies_of_pin_and_suite"),
        ({"lock_sha256": "a" * 64, "suite_sha256": "f" * 64}, "studies_of_locks"),
    ],
)
def test_each_filter_of_evaluations_has_an_index_in_the_order_of_the_pages(
    busy_studies: SqlStudyStore, database: Database, wanted: dict[str, str], index: str
) -> None:
    (plan,) = plans_of(database, lambda: busy_studies.find(StudyFilter("ann", Kind.EVALUATION, **wanted)))  # type: ignore[arg-type]
    assert re.search(rf"USING INDEX {index} |using {index} on studies", plan)
    assert not re.search("TEMP B-TREE|Sort", plan)
