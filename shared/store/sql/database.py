"""Connections and transactions of the SQL store, SQLite and PostgreSQL.

Owns what differs between the two: how a write transaction begins, and how durable its commit is. Knows no table.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from shared.errors import SettingsError, StoreUnavailable

_BUSY_MS = 30_000


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


class Database:
    """One database. Safe for use from several threads.

    A commit of `durable_write` survives power loss; one of `write` survives the death of any process, and after power
    loss may be missing: what it did is then done again, under the same fencing.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._writing = threading.Lock()
        if self.is_sqlite:
            self.engine = _sqlite(url, pool_size)
        elif parsed.get_backend_name() == "postgresql":
            self.engine = _postgresql(parsed.set(drivername="postgresql+psycopg").render_as_string(False), pool_size)
        else:
            raise SettingsError(f"RINGTRUE_DATABASE_URL: {parsed.get_backend_name()} is neither sqlite nor postgresql")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Statements that see committed rows only and change none."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction: committed at the end of the block, rolled back by an exception."""
        with self._transaction(durable=False) as connection:
            yield connection

    @contextmanager
    def durable_write(self) -> Iterator[Connection]:
        """A write transaction whose commit is on disk when the block has ended."""
        with self._transaction(durable=True) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[Connection]:
        if not self.is_sqlite:
            with _translated(), self.engine.begin() as connection:
                if not durable:
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield connection
            return
        # SQLite has one writer at a time: threads of one process queue here instead of polling its file lock.
        with _translated(), self._writing, self.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(str(error.orig)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable(str(error.orig)) from error
        raise


def _sqlite(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        # Transactions are begun explicitly (see Database); the driver must not begin any of its own.
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_reset_on_return=None,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


def _postgresql(url: str, pool_size: int) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        pool_recycle=1800,
        connect_args={"connect_timeout": 5},
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
    )
