"""Bring a database to the schema that this code expects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from shared.errors import StoreUnavailable
from shared.store.sql.database import Database

_VERSIONS = Path(__file__).parent.parent / "migrations" / "versions"
_UPGRADE_S = 300


def migrate(database: Database) -> None:
    """Run what is missing; a look is enough where nothing is. Raises ``StoreUnavailable`` where it cannot be done."""
    if version(database) == newest():
        return
    url = database.engine.url.render_as_string(hide_password=False)
    argv = [sys.executable, "-m", "shared.store.sql.upgrade"]
    done = subprocess.run(argv, input=url, capture_output=True, text=True, timeout=_UPGRADE_S, check=False)
    if done.returncode != 0:
        raise StoreUnavailable(f"the database could not be upgraded: {done.stderr.strip().rpartition(chr(10))[2]}")


def newest() -> str:
    """The schema version of this code: the number that the last migration's file name begins with."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def version(database: Database) -> str | None:
    """The schema version of a database; ``None`` for an empty one."""
    with database.read() as connection:
        if not database.engine.dialect.has_table(connection, "alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return found
