"""Empty stores: in memory, on a SQLite file, on a PostgreSQL database made for the run and dropped after it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.aliases import AliasStore
from shared.keys import KeyStore
from shared.ports import JobStore
from shared.store.sql import Database, SqlAliasStore, SqlJobStore, SqlKeyStore, SqlStudyStore, SqlVoiceStore, migrate
from shared.studies import StudyStore
from shared.voices import VoiceStore
from tests.memory_store import (
    MemoryAliasStore,
    MemoryJobStore,
    MemoryKeyStore,
    MemoryStudyStore,
    MemoryVoiceStore,
)
from tests.postgresql import databases
from tests.shared.store.building import MANIFEST, NOW, OTHER_MANIFEST, emptied

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("store") / "migrated.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def make_postgresql_database() -> Iterator[Callable[[], str]]:
    """Makes an empty PostgreSQL database of this run's own and gives its URL; all of them go when the run ends."""
    with databases() as make:
        yield make


@pytest.fixture(scope="session")
def postgresql_url(make_postgresql_database: Callable[[], str]) -> str:
    """The run's PostgreSQL database for all tests that only need its rows to be theirs."""
    return make_postgresql_database()


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_url: str) -> Iterator[Database]:
    """The run's PostgreSQL database, migrated."""
    database = Database(postgresql_url)
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def sqlite_database(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'jobs.db')}")
    yield database
    database.close()


@pytest.fixture
def postgresql_database(migrated_postgresql: Database) -> Database:
    return emptied(migrated_postgresql)


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database without rows, on both backends in turn."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture(params=("memory", *BACKENDS))
def store(request: pytest.FixtureRequest) -> JobStore:
    """A store without jobs whose two pins a worker has published, on every adapter in turn."""
    if request.param == "memory":
        empty: JobStore = MemoryJobStore()
    else:
        empty = SqlJobStore(request.getfixturevalue(f"{request.param}_database"))
    empty.publish("worker", [MANIFEST, OTHER_MANIFEST], NOW)
    return empty


@pytest.fixture
def studies(store: JobStore, request: pytest.FixtureRequest) -> StudyStore:
    """The studies beside the jobs of ``store``."""
    if isinstance(store, MemoryJobStore):
        return MemoryStudyStore(store)
    return SqlStudyStore(request.getfixturevalue(f"{request.node.callspec.params['store']}_database"))


@pytest.fixture
def sql_studies(sql_store: SqlJobStore, database: Database) -> SqlStudyStore:
    """The studies beside the jobs of ``sql_store``."""
    return SqlStudyStore(database)


@pytest.fixture
def sql_store(database: Database) -> SqlJobStore:
    """As ``store``, on the SQL adapters alone."""
    empty = SqlJobStore(database)
    empty.publish("worker", [MANIFEST, OTHER_MANIFEST], NOW)
    return empty


@pytest.fixture(params=("memory", *BACKENDS))
def key_store(request: pytest.FixtureRequest) -> KeyStore:
    """A key store without keys, on every adapter in turn."""
    if request.param == "memory":
        return MemoryKeyStore()
    return SqlKeyStore(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture(params=("memory", *BACKENDS))
def alias_store(request: pytest.FixtureRequest) -> AliasStore:
    """An alias store without aliases, on every adapter in turn."""
    if request.param == "memory":
        return MemoryAliasStore()
    return SqlAliasStore(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture(params=("memory", *BACKENDS))
def voice_store(request: pytest.FixtureRequest) -> VoiceStore:
    """A voice store without voices, on every adapter in turn."""
    if request.param == "memory":
        return MemoryVoiceStore()
    return SqlVoiceStore(request.getfixturevalue(f"{request.param}_database"))
