"""A process that is stopped in the middle of a transaction keeps others waiting for seconds, not for as long as it is.

Real processes and SIGSTOP. SQLite has no such end: there the system holds the lock for a process as long as it exists.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from shared.errors import StoreBusy, StoreUnavailable
from shared.ports import JobStore, Swept
from shared.store.sql import Database, SqlJobStore, SqlStudyStore
from shared.store.sql.choosing import choice
from shared.store.sql.connection.database import IDLE_S, LOCK_S
from tests.shared.store import holding_the_choice
from tests.shared.store.building import (
    MANIFEST,
    NOW,
    OTHER_MANIFEST,
    add,
    claim,
    job,
    new_job,
    sweep,
)

_BOUND_S = 6 * IDLE_S
"""Generous: a machine that does much else wakes nobody in time."""


@pytest.fixture
def store(postgresql_database: Database) -> JobStore:
    store = SqlJobStore(postgresql_database)
    store.publish("worker", [MANIFEST, OTHER_MANIFEST], NOW)
    add(store, new_job("job_1"))
    return store


@contextmanager
def stopped_holder(url: str) -> Iterator[None]:
    """A process holds the turn to choose and is stopped."""
    command = [sys.executable, holding_the_choice.__file__, url]
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"holding\n"
            os.waitpid(holder.pid, os.WUNTRACED)
            yield
        finally:
            holder.send_signal(signal.SIGCONT)
            holder.kill()


def test_a_lock_is_let_go_before_others_give_up_waiting_and_both_before_a_lease_runs_out() -> None:
    assert 1 <= IDLE_S < LOCK_S < 15


def test_others_go_on_within_seconds(store: JobStore, postgresql_database: Database, postgresql_url: str) -> None:
    """Whoever waits for a turn to choose: a claim, a sweep, and the cancel of a study."""
    studies = SqlStudyStore(postgresql_database)
    waiting: list[Callable[[], object]] = [
        lambda: [taken.id for taken in claim(store)] == ["job_1"],
        lambda: sweep(store, NOW) == Swept(),
        lambda: studies.cancel("eval_that_does_not_exist", NOW) is None,
    ]
    with stopped_holder(postgresql_url), ThreadPoolExecutor(len(waiting)) as threads:
        began = time.monotonic()
        assert all(future.result() for future in [threads.submit(wait) for wait in waiting])
        assert time.monotonic() - began < _BOUND_S


def _pause(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 50")
        time.sleep(1)
        connection.exec_driver_sql("SELECT 1")


def _wait_in_vain(database: Database, setting: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"SET LOCAL {setting}")
        choice.one_at_a_time(connection)


def test_who_goes_on_after_its_transaction_was_ended_hears_of_it_and_can_begin_another(
    postgresql_database: Database,
) -> None:
    with pytest.raises(StoreUnavailable):
        _pause(postgresql_database)
    with postgresql_database.write() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def test_a_lock_that_is_not_to_be_had_in_time_is_busy(postgresql_database: Database) -> None:
    with postgresql_database.write() as holder:
        choice.one_at_a_time(holder)
        with pytest.raises(StoreBusy):
            _wait_in_vain(postgresql_database, "lock_timeout = 50")


def test_who_waits_gives_up_by_itself_where_the_holder_is_at_work(postgresql_database: Database) -> None:
    """Nothing ends a holder that is not idle. So every connection has a limit on waiting from its beginning."""
    with postgresql_database.write() as holder:
        holder.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        choice.one_at_a_time(holder)
        with pytest.raises(StoreBusy):
            _wait_in_vain(postgresql_database, "statement_timeout = 25000")  # else a failure would hang


def test_a_lease_begins_when_the_job_is_taken(store: JobStore, postgresql_url: str) -> None:
    """Its claim waits for longer than the lease: it would have run out before it began."""
    lease_s = 1.0
    with stopped_holder(postgresql_url):
        began = time.monotonic()
        (taken,) = claim(store, lease_s=lease_s)
        waited_s = time.monotonic() - began
    assert taken.lease_until is not None
    assert taken.started_at is not None
    assert waited_s > lease_s
    assert taken.lease_until == taken.started_at + lease_s
    assert NOW + 0.5 * IDLE_S < taken.started_at <= NOW + waited_s
    assert job(store, "job_1") == taken


def test_rows_are_not_sent_under_the_lock(store: JobStore, postgresql_database: Database) -> None:
    """Who is stopped while an answer is sent to it is not idle: what is sent in the transaction must be little."""
    told: list[str] = []

    @event.listens_for(postgresql_database.engine, "before_cursor_execute")
    def _note(*call: Any) -> None:
        told.append(call[2])

    claim(store)
    event.remove(postgresql_database.engine, "before_cursor_execute", _note)
    (taking,) = [statement for statement in told if "UPDATE jobs SET" in statement]
    assert "asked" not in taking
    assert "input" not in taking
