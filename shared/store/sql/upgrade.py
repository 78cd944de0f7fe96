"""``python -m shared.store.sql.upgrade``: run the migrations that are missing on the database whose URL is on stdin.

The only module that imports alembic. It runs in a process of its own because a service needs it once, at its start on a
new database, and would carry its weight for ever.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from shared.store.sql.database import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"
_LOCK = 0x52494E47  # any number that only we use


def upgrade(database: Database) -> None:
    """Run what is missing, in one transaction; of several that start at once, one does it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.durable_write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


if __name__ == "__main__":
    upgrade(Database(sys.stdin.read().strip()))
