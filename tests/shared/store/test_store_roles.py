"""Services with database roles of their own do their work, and cannot reach what is not theirs. PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError

from shared.store.sql import Database, SqlJobStore, migrate
from shared.store.sql.connection.roles import RIGHTS, grant_rights
from shared.store.sql.tables.schema import metadata
from tests.shared.store.building import MANIFEST, NOW, OTHER_MANIFEST, add, new_job, score, speak

WORKER, SCORER = RIGHTS


@pytest.fixture(scope="module")
def owned(make_postgresql_database: Callable[[], str]) -> Iterator[Database]:
    """A migrated database on whose server there is a role for each service; ours owns the tables."""
    url = make_postgresql_database()
    with psycopg.connect(url, autocommit=True) as server:
        for role in RIGHTS:
            with contextlib.suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                server.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        database = Database(url)
        migrate(database)
        yield database
        database.close()
        for role in RIGHTS:
            server.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            with contextlib.suppress(psycopg.errors.DependentObjectsStillExist):  # another run has them as well
                server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def of_role(owned: Database, role: str) -> Database:
    url = make_url(owned.engine.url.render_as_string(hide_password=False)).set(drivername="postgresql")
    return Database(url.update_query_dict({"options": f"-c role={role}"}).render_as_string(hide_password=False))


@pytest.fixture
def worker(owned: Database) -> Iterator[Database]:
    database = of_role(owned, WORKER)
    yield database
    database.close()


@pytest.fixture
def scorer(owned: Database) -> Iterator[Database]:
    database = of_role(owned, SCORER)
    yield database
    database.close()


@pytest.mark.parametrize("role", RIGHTS)
def test_every_table_is_decided_on(role: str) -> None:
    assert set(RIGHTS[role]) == {*metadata.tables, "alembic_version"}


def test_a_job_is_spoken_and_scored_under_them(owned: Database, worker: Database, scorer: Database) -> None:
    for database in (worker, scorer):
        migrate(database)  # as each service does at its start
    gateway, speaking, scoring = SqlJobStore(owned), SqlJobStore(worker), SqlJobStore(scorer)
    speaking.publish("worker", [MANIFEST, OTHER_MANIFEST], NOW)
    add(gateway, new_job("job_roles"))
    speak(speaking, "job_roles")
    score(scoring, "job_roles")
    assert gateway.get(["job_roles"])["job_roles"].scoring.status == "done"
    speaking.retire("worker")


@pytest.mark.parametrize("role", RIGHTS)
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM keys",
        "INSERT INTO keys SELECT * FROM keys",
        "SELECT * FROM requests",
        "DELETE FROM jobs",
        "TRUNCATE jobs",
        "DROP TABLE jobs",
        "ALTER TABLE jobs ADD COLUMN more int",
        "DELETE FROM alias_moves",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_what_is_not_theirs_is_refused(owned: Database, role: str, statement: str) -> None:
    database = of_role(owned, role)
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), database.write() as connection:
        connection.execute(text(statement))
    database.close()


def test_a_right_too_many_is_taken_back_and_one_that_is_missing_given(owned: Database, worker: Database) -> None:
    with owned.write() as connection:
        connection.execute(text(f"GRANT SELECT ON keys TO {WORKER}"))
        connection.execute(text(f"REVOKE SELECT ON pins FROM {WORKER}"))
    with owned.write() as connection:
        grant_rights(connection)
    with worker.read() as connection:
        connection.execute(text("SELECT * FROM pins"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("SELECT * FROM keys"))
