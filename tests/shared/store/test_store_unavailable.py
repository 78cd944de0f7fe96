"""A database that does not answer is a ``StoreUnavailable``, and the store works again when it is back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shared.errors import SettingsError, StoreUnavailable
from shared.store.sql import Database, SqlJobStore, migrate
from tests.shared.store.building import MANIFEST, NOW, add, job, new_job
from tests.small_disk import fill


def _nobody_listens() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"postgresql://127.0.0.1:{free.getsockname()[1]}/ringtrue"


def _cut_all_others(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_an_empty_store_answers_a_ping(sql_store: SqlJobStore) -> None:
    sql_store.ping()


def test_a_server_that_is_away_is_unavailable() -> None:
    store = SqlJobStore(Database(_nobody_listens()))
    with pytest.raises(StoreUnavailable):
        store.ping()
    with pytest.raises(StoreUnavailable):
        add(store, new_job("job_1"))


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        SqlJobStore(Database(f"sqlite:///{tmp_path / 'missing' / 'jobs.db'}")).ping()


def test_connections_that_were_cut_are_made_anew(postgresql_database: Database, postgresql_url: str) -> None:
    store = SqlJobStore(postgresql_database)
    add(store, new_job("job_1"))
    _cut_all_others(postgresql_url)
    with pytest.raises(StoreUnavailable):
        store.ping()
    assert job(store, "job_1").id == "job_1"


def test_a_connection_that_is_cut_while_rows_are_sent_is_unavailable(
    postgresql_database: Database, postgresql_url: str
) -> None:
    def rows() -> Iterator[str]:
        _cut_all_others(postgresql_url)
        yield "\n" * 10_000_000

    with postgresql_database.read(), postgresql_database.read():
        pass  # so that there is another connection, which was cut and is not in use
    with pytest.raises(StoreUnavailable), postgresql_database.write() as connection:
        postgresql_database.copy(connection, "COPY jobs FROM STDIN", rows())
    SqlJobStore(postgresql_database).ping()


def test_a_write_that_fails_halfway_is_rolled_back(database: Database) -> None:
    store = SqlJobStore(database)
    add(store, new_job("job_1"))

    def interrupted() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("DELETE FROM jobs")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert job(store, "job_1").id == "job_1"
    add(store, new_job("job_2"))


def test_a_full_disk_is_unavailable_and_adds_nothing(sqlite_database: Database) -> None:
    store = SqlJobStore(sqlite_database)
    with sqlite_database.read() as connection:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {used}")
    many = [new_job(f"job_{number}") for number in range(500)]
    with pytest.raises(StoreUnavailable, match="full"):
        add(store, *many)
    assert store.get([new.id for new in many]) == {}
    store.ping()


def test_other_databases_are_not_served() -> None:
    with pytest.raises(SettingsError, match="neither sqlite nor postgresql"):
        Database("mysql://localhost/ringtrue")


def test_a_full_disk_refuses_what_is_to_be_written_and_with_room_again_takes_it(small_disk: Path) -> None:
    database = Database(f"sqlite:///{small_disk / 'ringtrue.db'}")
    migrate(database)
    store = SqlJobStore(database)
    store.publish("worker", [MANIFEST], NOW)
    add(store, new_job("job_0"))
    filler = fill(small_disk)
    many = [new_job(f"job_{number}") for number in range(1, 1000)]
    with pytest.raises(StoreUnavailable):
        add(store, *many)
    assert job(store, "job_0").id == "job_0"
    filler.unlink()
    add(store, new_job("job_last"))
    database.close()
