"""The migrations make exactly the schema that the code is written against, whoever runs them and however often."""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from shared.jobs import Status
from shared.ports import JobFilter
from shared.store.sql import Database, SqlJobStore, migrate
from shared.store.sql.connection.upgrade import MIGRATIONS
from shared.store.sql.tables.schema import metadata
from tests.shared.store.building import add, job, new_job


def _indexes(connection: Connection) -> dict[str, str]:
    """Name -> definition; what is generic in it, such as the schema's name, left out."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    else:
        here = "schemaname = current_schema() AND tablename <> 'alembic_version'"
        rows = connection.execute(text(f"SELECT indexname, indexdef FROM pg_indexes WHERE {here}"))
    return {name: re.sub(r"\s+|\bpublic\.|\bplain\.", " ", sql).strip() for name, sql in rows}


def test_the_migrated_tables_are_those_of_the_schema(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def _primary_keys(connection: Connection) -> list[tuple[object, ...]]:
    """Table, whether its rows lie in the order of its key (WITHOUT ROWID), and the columns of the key."""
    tables = "pragma_table_list t JOIN pragma_table_info(t.name) c"
    here = "t.schema = 'main' AND t.name <> 'alembic_version' AND c.pk > 0"
    rows = connection.execute(text(f"SELECT t.name, t.wr, c.pk, c.name FROM {tables} WHERE {here} ORDER BY 1, 3"))
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("part", [_indexes, _primary_keys])
def test_the_migrated_tables_are_those_of_the_schema_on_sqlite(
    sqlite_database: Database, tmp_path: Path, part: Callable[[Connection], object]
) -> None:
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    metadata.create_all(plain)
    with sqlite_database.read() as migrated, plain.connect() as made:
        assert part(migrated) == part(made)
    plain.dispose()


def _settings(connection: Connection) -> dict[str, str | None]:
    """Table -> its own settings, such as those of its autovacuum."""
    here = "relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'"
    rows = connection.execute(text(f"SELECT relname, array_to_string(reloptions, ', ') FROM pg_class WHERE {here}"))
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("part", [_indexes, _settings])
def test_the_migrated_tables_are_those_of_the_schema_on_postgresql(
    postgresql_database: Database, part: Callable[[Connection], dict[str, Any]]
) -> None:
    with postgresql_database.engine.connect() as connection:
        migrated = part(connection)
        connection.execute(text("CREATE SCHEMA plain"))
        connection.execute(text("SET LOCAL search_path = plain"))
        metadata.create_all(connection, checkfirst=False)
        made = part(connection)
        connection.rollback()
    assert migrated == made


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that was never migrated."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    made: Callable[[], str] = request.getfixturevalue("make_postgresql_database")
    yield made()


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    database = Database(empty_url)
    migrate(database)
    store = SqlJobStore(database)
    add(store, new_job("job_1"))
    migrate(database)
    assert job(store, "job_1").id == "job_1"
    database.close()


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    SqlJobStore(database).ping()
    database.close()


def test_services_that_start_at_once_migrate_once(empty_url: str) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        list(processes.map(_migrate, [empty_url, empty_url]))
    database = Database(empty_url)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
    add(SqlJobStore(database), new_job("job_1"))
    database.close()


def _upgrade(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.durable_write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_jobs_of_before_are_found_by_their_metadata_and_by_all_else(empty_url: str) -> None:
    database = Database(empty_url)
    _upgrade(database, "0004")
    number = 6000  # more than one stretch of what is read at a time
    alike = "'ann', 'pin', 'espeak', '', '{}', '{\"text\": \"a\", \"language\": \"en\"}', '{}'"
    rest = "2.0, 1, 1, 'failed', 'skipped', 'done'"
    columns = (
        '"user", pin, engine, lock_sha256, asked, input, controls, id, metadata, priority, created_at, expires_at, '
        "timeout_s, estimated_s, status, scoring_status, tracking_status"
    )
    with database.write() as connection:
        said = [json.dumps({"ticket": f"A-{one}", 'team "x"': "voice"}) for one in range(number)]
        rows = ", ".join(  # the larger its number, the older it is
            f"({alike}, 'job_{one:05}', '{metadata}', 0, {number - one}, {rest})" for one, metadata in enumerate(said)
        )
        connection.exec_driver_sql(f"INSERT INTO jobs ({columns}) VALUES {rows}")
    migrate(database)
    store = SqlJobStore(database)
    (newest,) = store.find(JobFilter("ann", metadata={"ticket": "A-0", 'team "x"': "voice"})).jobs
    (oldest,) = store.find(JobFilter("ann", metadata={"ticket": f"A-{number - 1}"})).jobs
    assert (newest.id, oldest.id) == ("job_00000", f"job_{number - 1:05}")
    page = store.find(JobFilter("ann", metadata={'team "x"': "voice"}, limit=2)).jobs
    assert [job.id for job in page] == ["job_00000", "job_00001"]
    assert len(store.find(JobFilter("ann", status=Status.FAILED, limit=10)).jobs) == 10
    database.close()
