"""Which store a command works on, and whether a gateway runs on it; for people who have more than one.

Owns how a store is named. A running gateway is recognised by the sweeper's lease, which one gateway always holds.
"""

from __future__ import annotations

from sqlalchemy import exists, select

from shared.ports import SWEEPING
from shared.store.sql.connection.database import Database
from shared.store.sql.tables.schema import holds


def name_of(database: Database) -> str:
    """Return the file of a SQLite database, else the address without its password."""
    url = database.engine.url
    file = url.database if url.get_backend_name() == "sqlite" else None
    return file or url.render_as_string(hide_password=True)


def is_served(database: Database) -> bool:
    """Return whether a gateway runs on the store, or ran a few seconds ago."""
    now = database.now()
    with database.read() as connection:
        return connection.execute(select(exists().where(holds.c.name == SWEEPING, holds.c.until > now))).scalar_one()
