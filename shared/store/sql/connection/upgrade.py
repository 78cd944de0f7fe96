"""``python -m shared.store.sql.connection.upgrade``: run the missing migrations on the database whose URL is on stdin.

The only module that imports alembic. It runs in its own process because a service needs it once, at its start on a new
database, and would otherwise keep it in memory.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from shared.store.sql.connection.database import Database

MIGRATIONS = Path(__file__).parents[2] / "migrations"
_LOCK = 0x52494E47  # an arbitrary number; nobody else uses it


def upgrade(database: Database) -> None:
    """Run the missing migrations in one transaction. If several processes start at once, one of them does it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.durable_write() as connection:
        if not database.is_sqlite:
            # No time limits: another process may be upgrading, and rewriting a large table takes long.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


if __name__ == "__main__":
    upgrade(Database(sys.stdin.read().strip()))
