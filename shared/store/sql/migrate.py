"""Bring a database to the schema that this code expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from shared.store.sql.database import Database

_LOCK = 0x52494E47  # any number that only we use
MIGRATIONS = Path(__file__).parent.parent / "migrations"


def migrate(database: Database) -> None:
    """Run what is missing, in one transaction; several services may start at once, one of them does it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.durable_write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
