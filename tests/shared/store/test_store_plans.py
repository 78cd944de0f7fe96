"""What is done often finds its rows by index, however many jobs there were: the plans of the statements as they run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text, update

from shared.ports import FacetName, JobFilter
from shared.store.sql import Database, SqlJobStore
from shared.store.sql.tables.schema import jobs
from tests.shared.store.building import LEASE_S, NOW, PIN, add, claim, new_job, sweep
from tests.shared.store.plans import plans_of

_DONE = {"status": "succeeded", "scoring_status": "done", "tracking_status": "done"}


@pytest.fixture
def busy_store(sql_store: SqlJobStore, database: Database) -> SqlJobStore:
    """20,000 jobs that are done, 10,000 of one user and one each of 20 others in the queue."""
    add(sql_store, *(new_job(f"job_0{number:05}", user=f"user {number % 50}") for number in range(20_000)))
    with database.write() as connection:
        connection.execute(update(jobs).values(_DONE))
    add(sql_store, *(new_job(f"job_1{number:05}", user="greedy") for number in range(10_000)))
    add(sql_store, *(new_job(f"job_2{number:05}", user=f"user {number}") for number in range(20)))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return sql_store


_WAITING = "jobs_(queue|scoring_due|tracking_due)"
_ALL_JOBS = re.compile(rf"Seq Scan on jobs|SCAN (jobs|line|clip|head)(_\d+)?\b(?! USING (COVERING )?INDEX {_WAITING})")
"""PostgreSQL's and SQLite's way to say so; a walk through an index of what waits sees that alone."""


def test_a_claim_looks_at_the_head_of_each_line_by_the_queues_index(
    busy_store: SqlJobStore, database: Database
) -> None:
    began = time.perf_counter()
    plans = plans_of(database, lambda: claim(busy_store, loaded=[PIN]))
    print(
        f"claim among 10,020 queued jobs of 21 users: {(time.perf_counter() - began) * 1e3:.1f} ms, planning included"
    )
    choice = next(plan for plan in plans if "jobs_queue" in plan)
    assert re.search(r"Index (Only )?Scan using jobs_queue|SEARCH line USING (COVERING )?INDEX jobs_queue", choice)
    assert not re.search("(Hash|Merge) .*jobs", choice)
    assert [plan for plan in plans if _ALL_JOBS.search(plan)] == []


_OFTEN: dict[str, Callable[[SqlJobStore], object]] = {
    "get": lambda store: store.get(["job_100000", "job_000001"]),
    "a page of one user": lambda store: store.find(JobFilter("user 1", before="job_010000", limit=20)),
    "beat": lambda store: store.beat("job_100000", 1, LEASE_S, NOW),
    "begin": lambda store: store.begin("job_100000", 1),
    "hand_back": lambda store: store.hand_back("job_100000", 1),
    "cancel": lambda store: store.cancel("job_100000", NOW),
    "scoring": lambda store: store.claim_facet(FacetName.SCORING, "scorer", LEASE_S, NOW),
    "tracking": lambda store: store.claim_facet(FacetName.TRACKING, "tracker", LEASE_S, NOW),
    "sweep": lambda store: sweep(store, NOW + LEASE_S),
}


def test_what_is_done_often_never_reads_all_jobs(busy_store: SqlJobStore, database: Database) -> None:
    claim(busy_store)
    reading_all = {
        name: plan
        for name, work in _OFTEN.items()
        for plan in plans_of(database, lambda work=work: work(busy_store))  # type: ignore[misc]
        if _ALL_JOBS.search(plan)
    }
    assert reading_all == {}
