"""Somebody else's lock, and a statement that takes too long: each stops what needs it, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import StoreBusy, StoreTooSlow
from shared.ports import Submission
from shared.store.sql import Database, SqlJobStore
from shared.store.sql.connection.database import TimeLimits
from tests.shared.store.building import MANIFEST, NOW, add, idempotency, new_job

ADDED_BY_HAND = "INSERT INTO requests (scope, fingerprint, status, body, created_at) VALUES (%s, 'f', 202, '', 0)"
KNOWN_BY_HAND = 'INSERT INTO usage ("user", "window", audio_s) VALUES (%s, -1, 0)'
ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


@contextmanager
def open_transaction(url: str, statement: str, *values: Any) -> Iterator[psycopg.Connection[Any]]:
    """Of a process that was stopped in the middle of it."""
    with psycopg.connect(url) as other:
        for value in values:
            other.execute(statement, (value,))
        yield other
        other.rollback()


@pytest.fixture
def here(postgresql_database: Database) -> SqlJobStore:
    store = SqlJobStore(postgresql_database)
    store.publish("worker", [MANIFEST], NOW)
    return store


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([None, *"abcdef"]), min_size=1, max_size=12),
    st.sets(st.sampled_from("abcdef"), max_size=3),
)
def test_a_request_that_somebody_is_just_adding_stops_no_other(
    migrated_postgresql: Database, postgresql_url: str, scopes: list[str | None], locked: set[str]
) -> None:
    with migrated_postgresql.write() as connection:
        connection.exec_driver_sql("TRUNCATE jobs, metadata_pairs, requests, usage")
    store = SqlJobStore(migrated_postgresql)
    batch = [
        Submission([new_job(f"job_{number}")], idempotency(scope) if scope is not None else None)
        for number, scope in enumerate(scopes)
    ]
    with open_transaction(postgresql_url, ADDED_BY_HAND, *sorted(locked)):
        added = store.add(batch)
    expected = [
        scope is None or (scope not in locked and scope not in scopes[:number]) for number, scope in enumerate(scopes)
    ]
    assert added == expected
    assert set(store.get(f"job_{n}" for n in range(len(scopes)))) == {f"job_{n}" for n, was in enumerate(added) if was}
    assert all(store.recall(scope) is None for scope in locked), "which is how it is told from one that was added"


def test_who_asks_for_it_again_and_again_is_told_without_waiting(here: SqlJobStore, postgresql_url: str) -> None:
    with open_transaction(postgresql_url, ADDED_BY_HAND, "scope") as other:
        for number in range(20):
            assert here.add([Submission([new_job(f"job_{number}")], idempotency("scope"))]) == [False]
            assert here.add([Submission([new_job(f"job_x{number}")])]) == [True]
        waits = other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
        assert waits == (0,)


def test_it_is_added_once_the_lock_is_gone(here: SqlJobStore, postgresql_url: str) -> None:
    again = SqlJobStore(here._db)  # another gateway, which has not seen the lock
    with open_transaction(postgresql_url, ADDED_BY_HAND, "scope"):
        assert here.add([Submission([new_job("job_1")], idempotency("scope"))]) == [False]
    assert again.add([Submission([new_job("job_1")], idempotency("scope"))]) == [True]


def test_another_lock_in_the_way_is_told_and_nothing_is_added(here: SqlJobStore, postgresql_url: str) -> None:
    with open_transaction(postgresql_url, KNOWN_BY_HAND, "new"):
        for key in (None, idempotency("scope")):
            with pytest.raises(StoreBusy):
                here.add([Submission([new_job("job_1", user="new")], key)])
        assert here.get(["job_1"]) == {}
        add(here, new_job("job_2", user="old"))


@pytest.fixture(params=["sqlite", "postgresql"])
def hurried(request: pytest.FixtureRequest, migrated_file: Path) -> Iterator[Database]:
    """A database on which a statement may take a tenth of a second."""
    request.getfixturevalue("migrated_postgresql")
    url = f"sqlite:///{migrated_file}" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    database = Database(url, pool_size=1, limits=TimeLimits(statement_s=0.1, lock_s=0.1))
    yield database
    database.close()


def test_a_statement_that_takes_too_long_is_ended_and_the_next_is_not(hurried: Database) -> None:
    for _ in range(5):
        with pytest.raises(StoreTooSlow), hurried.read() as connection:
            connection.exec_driver_sql(ENDLESS[hurried.backend])
        with hurried.read() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def test_a_limit_on_reading_is_none_on_writing_later(migrated_file: Path) -> None:
    hurried = Database(f"sqlite:///{migrated_file}", pool_size=1, limits=TimeLimits(statement_s=0.05))
    with hurried.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    time.sleep(0.1)
    some = ENDLESS["sqlite"].replace("FROM n)", "FROM n WHERE i < 1000000)")
    with hurried.write() as connection:
        assert connection.exec_driver_sql(some).scalar_one() == 1_000_000
    hurried.close()


def test_who_writes_for_long_is_not_waited_for_for_ever(migrated_file: Path) -> None:
    ours = Database(f"sqlite:///{migrated_file}", limits=TimeLimits(lock_s=0.1))
    theirs = Database(f"sqlite:///{migrated_file}")
    waits: list[Callable[[], Any]] = [lambda: SqlJobStore(ours).cancel("job_1", NOW)]
    for writing in (theirs, ours):
        with writing.write() as connection:
            connection.exec_driver_sql("DELETE FROM holds")
            for wait in waits:
                with pytest.raises(StoreTooSlow):
                    wait()
    assert SqlJobStore(ours).cancel("job_1", NOW) is None
    ours.close()
    theirs.close()
