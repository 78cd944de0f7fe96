"""API keys in SQL."""

from __future__ import annotations

import builtins

from sqlalchemy import exists, insert, select, update

from shared.keys import Key
from shared.store.sql.database import Database
from shared.store.sql.schema import keys

_COLUMNS = tuple(keys.c[name] for name in Key.__slots__)


class SqlKeyStore:
    """Implements ``shared.ports.KeyStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, key: Key) -> None:
        with self._db.durable_write() as connection:
            connection.execute(insert(keys).values({name: getattr(key, name) for name in Key.__slots__}))

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
            return connection.execute(select(exists().where(keys.c.id.is_not(None)))).scalar_one()
