"""What lists and claims read is the same among few jobs and among many: counted in blocks and rows, not in time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from benchmarks.gateway.lists import filters
from benchmarks.harness.many_jobs import RARE_PIN, USER, add_finished, tend
from shared.jobs import FacetStatus, Status
from shared.ports import FacetName, JobFilter, Submission
from shared.store.sql import Database, SqlJobStore, SqlStudyStore, migrate
from shared.store.sql.choosing.turns import SPARE
from shared.store.sql.jobs.pages import SCAN
from shared.studies import Step
from tests.shared.store.building import LEASE_S, MANIFEST, NOW, PIN, add, claim, new_job
from tests.shared.store.plans import blocks_of, instructions_of
from tests.shared.store.study_building import new_comparison, new_evaluation

FEW, MANY = 1000, 20_000
ONE_FILTER = [
    name for name, wanted in filters(FEW).items() if len(wanted) <= 1 and len(wanted.get("metadata", ())) <= 1
]
SEVERAL = [name for name in filters(FEW) if name not in ONE_FILTER]


@pytest.fixture(scope="module")
def lists(make_postgresql_database: Callable[[], str]) -> Iterator[dict[int, Database]]:
    """A thousand finished jobs, and twenty thousand."""
    made = {count: Database(make_postgresql_database()) for count in (FEW, MANY)}
    for count, database in made.items():
        migrate(database)
        add_finished(database, count)
    yield made
    for database in made.values():
        database.close()


def _blocks(database: Database, count: int, name: str) -> int:
    wanted = JobFilter(USER, limit=51, **filters(count)[name])
    return blocks_of(database, lambda: SqlJobStore(database).find(wanted))


def _instructions(database: Database, count: int, name: str) -> int:
    wanted = JobFilter(USER, limit=51, **filters(count)[name])
    return instructions_of(database, lambda: SqlJobStore(database).find(wanted))


@pytest.mark.parametrize("name", ONE_FILTER)
def test_a_page_reads_as_much_among_many_jobs_as_among_few(lists: dict[int, Database], name: str) -> None:
    few, many = (_blocks(database, count, name) for count, database in lists.items())
    assert many <= 1.5 * few + 40, f"{few} blocks of a thousand, {many} of twenty thousand"


@pytest.fixture(scope="module")
def lists_on_sqlite(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Database]]:
    """As ``lists``, in files."""
    folder = tmp_path_factory.mktemp("lists")
    made = {count: Database(f"sqlite:///{shutil.copy(migrated_file, folder / f'{count}.db')}") for count in (FEW, MANY)}
    for count, database in made.items():
        add_finished(database, count)
    yield made
    for database in made.values():
        database.close()


@pytest.mark.parametrize("name", ONE_FILTER)
def test_a_page_takes_sqlite_as_many_steps_among_many_jobs_as_among_few(
    lists_on_sqlite: dict[int, Database], name: str
) -> None:
    few, many = (_instructions(database, count, name) for count, database in lists_on_sqlite.items())
    assert many <= 1.5 * few + 40, f"{few} tens of instructions among a thousand, {many} among twenty thousand"


@pytest.mark.parametrize("name", ONE_FILTER)
def test_a_page_by_one_filter_is_found_whole(lists: dict[int, Database], name: str) -> None:
    """It is not as cheap among many as among few because the search ends early."""
    few, many = (
        SqlJobStore(database).find(JobFilter(USER, limit=51, **filters(count)[name]))
        for count, database in lists.items()
    )
    assert (few.searched_to, many.searched_to) == (None, None)
    assert len(few.jobs) == len(many.jobs)


@pytest.mark.parametrize("name", SEVERAL)
def test_a_page_by_several_filters_reads_no_more_than_a_bound(lists: dict[int, Database], name: str) -> None:
    assert _blocks(lists[MANY], MANY, name) <= 4 * SCAN


def test_where_filters_leave_nothing_together_the_page_ends_early_and_says_so(lists: dict[int, Database]) -> None:
    wanted = filters(MANY)["failed, scored: none of many"]
    few, many = (SqlJobStore(lists[count]).find(JobFilter(USER, **wanted)) for count in (FEW, MANY))
    assert (few.jobs, few.searched_to) == ([], None)
    assert many.jobs == []
    assert many.searched_to is not None


@pytest.mark.parametrize("wanted", [{"status": Status.FAILED}, {"scoring": FacetStatus.FAILED}, {"pin": RARE_PIN}])
def test_a_page_does_not_go_by_what_the_planner_believes(postgresql_database: Database, wanted: dict[str, str]) -> None:
    """It believes that all jobs are so, as all of them once were; since then, thousands came that are not."""
    add_finished(postgresql_database, FEW)
    rare = f"status = 'failed', scoring_status = 'failed', pin = '{RARE_PIN}', created_at = created_at - 1e6"
    with postgresql_database.write() as connection:
        connection.execute(text(f"UPDATE jobs SET {rare}"))
    tend(postgresql_database)
    with postgresql_database.write() as connection:
        columns = '"user", engine, lock_sha256, asked, input, controls, metadata, priority, expires_at, timeout_s'
        rest = "estimated_s, tracking_status"
        newer = "'later ' || number || id, 'succeeded', 'done', 'pin', created_at + 1e6"
        connection.execute(
            text(
                f"INSERT INTO jobs (id, status, scoring_status, pin, created_at, {columns}, {rest}) "
                f"SELECT {newer}, {columns}, {rest} FROM jobs, generate_series(1, 10) number"
            )
        )
    store = SqlJobStore(postgresql_database)
    assert len(store.find(JobFilter(USER, limit=51, **wanted)).jobs) == 51  # type: ignore[arg-type]
    assert blocks_of(postgresql_database, lambda: store.find(JobFilter(USER, limit=51, **wanted))) <= 250  # type: ignore[arg-type]


@contextmanager
def _rows_read(database: Database) -> Iterator[list[int]]:
    """How many rows of all tables each transaction meanwhile has read."""
    read: list[int] = []
    before = 0

    def count(connection: Connection) -> int:
        rows = "SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read) FROM pg_stat_xact_user_tables"
        return int(connection.exec_driver_sql(rows).scalar_one())

    def begin(connection: Connection) -> None:
        nonlocal before
        before = count(connection)  # what was not handed to the collector yet is in it

    def commit(connection: Connection) -> None:
        read.append(count(connection) - before)

    event.listen(database.engine, "begin", begin)
    event.listen(database.engine, "commit", commit)
    yield read
    event.remove(database.engine, "begin", begin)
    event.remove(database.engine, "commit", commit)


USERS = 100


def _queue(store: SqlJobStore, each: int, id: str = "job", **changes: str) -> None:
    add(
        store,
        *(new_job(f"{id}_{number:06}", user=f"user {number % USERS}", **changes) for number in range(USERS * each)),
    )


@pytest.mark.parametrize(("each", "ever", "known"), [(1, 0, False), (30, 3000, False), (30, 3000, True)])
def test_a_claim_reads_a_few_rows_of_each_user_who_waits_whatever_the_planner_knows(
    postgresql_database: Database, each: int, ever: int, known: bool
) -> None:
    """Statements are prepared on the empty queue, with the statistics of then; ``known``: those of now are there."""
    store = SqlJobStore(postgresql_database)
    store.publish("worker", [MANIFEST], NOW)
    tend(postgresql_database)
    for _ in range(12):
        assert not claim(store, pins=[PIN])
    with postgresql_database.write() as connection:
        were_here = f"SELECT 'ever ' || number, -1, 0 FROM generate_series(1, {ever}) number"
        connection.execute(text(f"INSERT INTO usage {were_here}"))
    _queue(store, each)
    _queue(store, each, "other", engine="piper", pin="piper-v1")  # for other workers
    if known:
        tend(postgresql_database)
    with _rows_read(postgresql_database) as read:
        (taken,) = claim(store, pins=[PIN])
    assert taken.id == "job_000000"
    assert max(read) <= 3 * USERS + 50


@pytest.mark.parametrize("ever", [0, 3000])
@pytest.mark.parametrize("facet", FacetName)
def test_a_scorers_claim_reads_a_few_rows_of_each_user_who_waits(
    postgresql_database: Database, facet: FacetName, ever: int
) -> None:
    store = SqlJobStore(postgresql_database)
    tend(postgresql_database)
    for _ in range(12):
        assert not store.claim_facet(facet, "scorer", LEASE_S, NOW)
    _queue(store, 30)
    with postgresql_database.write() as connection:
        connection.execute(text(f"UPDATE jobs SET status = 'succeeded', {facet}_due_at = {NOW}"))
        were_here = f"SELECT '{facet}', 'ever ' || number, -1, 0 FROM generate_series(1, {ever}) number"
        connection.execute(text(f"INSERT INTO turns {were_here}"))
    with _rows_read(postgresql_database) as read:
        (taken,) = store.claim_facet(facet, "scorer", LEASE_S, NOW)
    assert taken.id == "job_000000"
    assert max(read) <= 3 * USERS + 2 * (SPARE + 1) ** 2


@pytest.mark.parametrize("ever", [0, 3000])
@pytest.mark.parametrize("step", Step)
def test_a_scorers_claim_of_a_study_reads_a_few_rows_of_each_user_who_waits(
    postgresql_database: Database, step: Step, ever: int
) -> None:
    store, studies = SqlJobStore(postgresql_database), SqlStudyStore(postgresql_database)
    tend(postgresql_database)
    for _ in range(12):
        assert not studies.claim(step, "scorer", LEASE_S, NOW)
    new = (new_evaluation(id=f"eval_{number:06}", user=f"user {number % USERS}") for number in range(USERS * 30))
    store.add([Submission([], study=evaluation) for evaluation in new])
    with postgresql_database.write() as connection:
        connection.execute(text(f"UPDATE studies SET {step}_status = 'pending', {step}_due_at = {NOW}"))
        were_here = f"SELECT 'study {step}', 'ever ' || number, -1, 0 FROM generate_series(1, {ever}) number"
        connection.execute(text(f"INSERT INTO turns {were_here}"))
    with _rows_read(postgresql_database) as read:
        taken = studies.claim(step, "scorer", LEASE_S, NOW)
    assert taken is not None
    assert max(read) <= 4 * USERS + 2 * SPARE


@pytest.mark.parametrize("still", ["done", "running"])
def test_a_scorers_claim_of_a_comparison_reads_few_rows_however_many_studies_there_are(
    postgresql_database: Database, still: str
) -> None:
    """Each depends on two evaluations that are over; ``still``: the state of 5,000 others."""
    store, studies = SqlJobStore(postgresql_database), SqlStudyStore(postgresql_database)
    tend(postgresql_database)
    for _ in range(12):
        assert not studies.claim(Step.RESULT, "scorer", LEASE_S, NOW)
    new = [new_evaluation(id=f"eval_{number:06}", user=f"user {number % USERS}") for number in range(5000)]
    store.add([Submission([], study=evaluation) for evaluation in new])
    on = [(f"eval_{2 * number:06}", f"eval_{2 * number + 1:06}", f"cmp_{number:06}") for number in range(2 * USERS)]
    with postgresql_database.write() as connection:
        state = f"CASE WHEN id <= '{on[-1][1]}' THEN 'done' ELSE '{still}' END"
        connection.execute(text(f"UPDATE studies SET result_status = {state}, result_due_at = NULL"))
    both = [
        new_comparison(one, other, id=id_, user=f"user {number % USERS}") for number, (one, other, id_) in enumerate(on)
    ]
    store.add([Submission([], study=comparison) for comparison in both])
    with _rows_read(postgresql_database) as read:
        taken = studies.claim(Step.RESULT, "scorer", LEASE_S, NOW)
    assert taken is not None
    assert taken.id == "cmp_000000"
    assert max(read) <= 5 * USERS
