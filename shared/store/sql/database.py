"""Connections and transactions of the SQL store, SQLite and PostgreSQL.

Owns what differs between the two: how a write transaction begins, and how durable its commit is. Knows no table.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import SettingsError, StoreUnavailable

if TYPE_CHECKING:
    import psycopg  # ten megabytes that a service on SQLite does not need

_BUSY_MS = 30_000


def to_json(value: object) -> str:
    """The text of a document as both databases keep it."""
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


class Database:
    """One database. Safe for use from several threads.

    A commit of `durable_write` survives power loss; one of `write` survives the death of any process, and after power
    loss may be missing: what it did is then done again, under the same fencing.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        parsed = make_url(url)
        self.backend = parsed.get_backend_name()
        self.is_sqlite = self.backend == "sqlite"
        self._writing = threading.Lock()
        if self.is_sqlite:
            self.engine = _sqlite(url, pool_size)
        elif self.backend == "postgresql":
            self.engine = _postgresql(parsed.set(drivername="postgresql+psycopg").render_as_string(False), pool_size)
        else:
            raise SettingsError(f"RINGTRUE_DATABASE_URL: {self.backend} is neither sqlite nor postgresql")
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Statements that see committed rows only and change none, each for itself."""
        with _translated(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction: committed at the end of the block, rolled back by an exception."""
        with _translated(), self._transaction(durable=False) as connection:
            yield connection

    @contextmanager
    def durable_write(self) -> Iterator[Connection]:
        """A write transaction whose commit is on disk when the block has ended."""
        with _translated(), self._transaction(durable=True) as connection:
            yield connection

    def copy(self, connection: Connection, statement: str, lines: Iterable[str]) -> None:
        """PostgreSQL's COPY FROM STDIN within the transaction of ``connection``; ``lines`` are sent as they come."""
        errors = self.engine.dialect.loaded_dbapi
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as copying:
                for some in lines:
                    copying.write(some)
        except (errors.OperationalError, errors.InterfaceError) as error:
            # SQLAlchemy has not seen this one; it would use this connection again, and those that were cut with it.
            connection.invalidate()
            self.engine.dispose()
            raise StoreUnavailable(str(error)) from error

    def _transaction(self, *, durable: bool) -> AbstractContextManager[Connection]:
        return self._sqlite_transaction(durable) if self.is_sqlite else self._postgresql_transaction(durable)

    @contextmanager
    def _postgresql_transaction(self, durable: bool) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            if durable:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
            yield connection

    @contextmanager
    def _sqlite_transaction(self, durable: bool) -> Iterator[Connection]:
        # SQLite has one writer at a time: threads of one process queue here instead of polling its file lock.
        with self._writing, self.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            # Closing the connection rolls back what was not committed, also where the commit itself fails.
            yield connection
            connection.exec_driver_sql("COMMIT")

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(str(error.orig)) from error
    except PoolTimeout as error:
        raise StoreUnavailable("every connection to the database is busy") from error
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
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # what users wrote does not belong in logs
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


def _postgresql(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_recycle=1800,
        # A host that vanished is noticed within a minute, not after the system's two hours. Text is UTF-8 whatever the
        # database was made with: one made with none gives bytes otherwise.
        connect_args={
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "tcp_user_timeout": 60_000,
            "client_encoding": "utf8",
        },
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # what users wrote does not belong in logs
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: psycopg.Connection[Any], _record: Any) -> None:
        connection.execute("SET synchronous_commit = off")  # durable transactions switch it on for themselves
        connection.commit()

    return engine
