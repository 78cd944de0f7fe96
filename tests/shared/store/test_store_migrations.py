"""The migrations make exactly the schema that the code is written against, whoever runs them and however often."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from shared.store.sql import Database, SqlJobStore, migrate
from shared.store.sql.schema import metadata
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


def test_the_migrated_indexes_are_those_of_the_schema_on_sqlite(sqlite_database: Database, tmp_path: Path) -> None:
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    metadata.create_all(plain)
    with sqlite_database.read() as migrated, plain.connect() as made:
        assert _indexes(migrated) == _indexes(made)
    plain.dispose()


def test_the_migrated_indexes_are_those_of_the_schema_on_postgresql(postgresql_database: Database) -> None:
    with postgresql_database.engine.connect() as connection:
        migrated = _indexes(connection)
        connection.execute(text("CREATE SCHEMA plain"))
        connection.execute(text("SET LOCAL search_path = plain"))
        metadata.create_all(connection, checkfirst=False)
        made = _indexes(connection)
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
