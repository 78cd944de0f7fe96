"""Brings a database to the schema version that this code expects."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sqlalchemy import text

from shared.errors import StoreUnavailable, StoreUnusable
from shared.processes.interpreter import run_module
from shared.store.sql.connection.database import Database
from shared.store.sql.connection.roles import grant_rights

_VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
_UPGRADE_S = 3600
"""Seconds. An upgrade takes some minutes for every million jobs; after this time it hangs."""


def migrate(database: Database) -> None:
    """Run the missing migrations; if none is missing, only look. Then give PostgreSQL roles their rights (roles.py).

    Raises `StoreUnusable` if a newer version has upgraded the database, ``StoreUnavailable`` if the upgrade fails.
    """
    found, ours = version(database), newest()
    if found is not None and found not in _revisions():
        where = database.engine.url.render_as_string(hide_password=True)
        raise StoreUnusable(
            f"{where} was made by a newer version of Ringtrue (schema {found}; this version knows up to {ours}). Run "
            "that version, or restore a backup from before the upgrade"
        )
    if found != ours:
        _upgrade(database)
    if not database.is_sqlite:
        with database.write() as connection:
            grant_rights(connection)


def _upgrade(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    argv = [*run_module("shared.store.sql.connection.upgrade")]
    done = subprocess.run(argv, input=url, capture_output=True, text=True, timeout=_UPGRADE_S, check=False)
    if done.returncode != 0:
        raise StoreUnavailable(f"the database could not be upgraded: {done.stderr.strip().rpartition(chr(10))[2]}")


def newest() -> str:
    """Return the schema version of this code: the number at the start of the last migration's file name."""
    return max(_revisions())


def _revisions() -> set[str]:
    return {path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py")}


def version(database: Database) -> str | None:
    """Return the schema version of a database; ``None`` if it is empty."""
    with database.read() as connection:
        if not database.engine.dialect.has_table(connection, "alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return found
