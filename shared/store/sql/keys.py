"""API keys in SQL."""

from __future__ import annotations

import builtins
from collections.abc import Mapping

from sqlalchemy import Connection, exists, insert, select, update

from shared.keys import Key
from shared.store.sql.connection.database import Database
from shared.store.sql.owners import hand_over
from shared.store.sql.tables.schema import keys

_COLUMNS = tuple(keys.c[name] for name in Key.__slots__)
_ANY = select(exists().where(keys.c.id.is_not(None)))


class SqlKeyStore:
    """Implements ``shared.keys.KeyStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, key: Key) -> None:
        with self._db.durable_write() as connection:
            _insert(connection, key)

    def add_first(self, key: Key, made_by: str) -> Mapping[str, int] | None:
        with self._db.durable_write() as connection:
            # Locks the table, so that only one of two first keys finds it empty.
            if not self._db.is_sqlite:  # in SQLite only one transaction writes at a time anyway
                connection.exec_driver_sql("LOCK TABLE keys IN SHARE ROW EXCLUSIVE MODE")
            if connection.execute(_ANY).scalar_one():
                return None
            _insert(connection, key)
            return hand_over(connection, made_by, key.user)

    def hand_over(self, made_by: str, heir: str) -> Mapping[str, int]:
        with self._db.durable_write() as connection:
            return hand_over(connection, made_by, heir)

    def find(self, key_id: str) -> Key | None:
        with self._db.read() as connection:
            row = connection.execute(select(*_COLUMNS).where(keys.c.id == key_id)).one_or_none()
            return Key(*row) if row is not None else None

    def list(self) -> builtins.list[Key]:
        with self._db.read() as connection:
            return [Key(*row) for row in connection.execute(select(*_COLUMNS).order_by(keys.c.created_at, keys.c.id))]

    def revoke(self, key_id: str, now: float) -> bool:
        with self._db.durable_write() as connection:
            connection.execute(
                update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None)).values(revoked_at=now)
            )
            return connection.execute(select(exists().where(keys.c.id == key_id))).scalar_one()

    def any(self) -> bool:
        with self._db.read() as connection:
            return connection.execute(_ANY).scalar_one()


def _insert(connection: Connection, key: Key) -> None:
    connection.execute(insert(keys).values({name: getattr(key, name) for name in Key.__slots__}))
