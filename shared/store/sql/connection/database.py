"""Connections and transactions of the SQL store, for SQLite and PostgreSQL.

Owns what differs between the two: how a write transaction begins, and how durable its commit is. Knows no table.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import SettingsError, StoreBusy, StoreDamaged, StoreTooSlow, StoreUnavailable
from shared.store.sql.connection.soundness import QUICK_BYTES, FileIdentity, is_damage, look_through

if TYPE_CHECKING:
    import psycopg  # ten megabytes that a service on SQLite does not need

_BUSY_S = 30.0
_CACHE_KIB = 256
"""KiB of pages that one SQLite connection keeps. The default is 2 MiB for each of two dozen connections; the operating
system keeps the same pages once for all."""
_POOL_S = 10.0
"""Seconds to wait for a connection when all are in use."""
IDLE_S = 5.0
"""PostgreSQL ends a transaction whose process has been silent for this many seconds. Such a process was stopped or cut
off, and must not keep others waiting for its locks. Well below any lease."""
LOCK_S = 8.0
"""Seconds a statement waits for a lock by default: longer than a stopped process can keep one (`IDLE_S`)."""
_LOCK_NOT_AVAILABLE, _QUERY_CANCELED = "55P03", "57014"
_UNTIL = "until"
_STEPS_BETWEEN_LOOKS = 100_000
"""Steps of SQLite's virtual machine between looks at the time: about a millisecond."""
_NOW = {
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
}


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How many seconds one statement may take, and may wait for a lock; ``None``: no limit, and `LOCK_S`."""

    statement_s: float | None = None
    """On SQLite, only for statements that read."""
    lock_s: float | None = None


def to_json(value: object) -> str:
    """Return a document as JSON text, as both databases store it."""
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


class Database:
    """One database. Safe to use from several threads.

    A commit of `durable_write` survives power loss. A commit of `write` survives the death of any process, but may be
    missing after power loss: its work is then done again, under the same fencing.
    """

    def __init__(self, url: str, *, pool_size: int = 8, limits: TimeLimits = TimeLimits()) -> None:
        self._limits = limits
        parsed = make_url(url)
        self.backend = parsed.get_backend_name()
        self.is_sqlite = self.backend == "sqlite"
        self._writing = threading.Lock()
        self.damage: str | None = None
        """What the database has reported about damage to itself since it was opened."""
        self._damaged_writing = False
        self._file = Path(parsed.database) if self.is_sqlite and parsed.database else None
        self._identity = FileIdentity(self._file)
        if self.is_sqlite:
            self.engine = _sqlite(url, pool_size, limits, self._identity)
        elif self.backend == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
            self.engine = _postgresql(parsed.render_as_string(False), pool_size, limits)
        else:
            raise SettingsError(f"RINGTRUE_DATABASE_URL: {self.backend} is neither sqlite nor postgresql")
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for single statements that see only committed rows and change none."""
        with self._translated(), self._reading.connect() as connection:
            if self.is_sqlite and self._limits.statement_s is not None:
                with _interrupted_after(connection, self._limits.statement_s):
                    yield connection
            else:
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in one write transaction.

        It commits at the end of the block; an exception rolls it back.
        """
        with self._translated(writing=True), self._transaction(durable=False) as connection:
            yield connection

    @contextmanager
    def durable_write(self, lock_s: float | None = None) -> Iterator[Connection]:
        """Yield a connection in a write transaction whose commit is on disk when the block has ended.

        ``lock_s``: seconds to wait for locks of rows, instead of the default. SQLite has no such locks.
        """
        with self._translated(writing=True), self._transaction(durable=True, lock_s=lock_s) as connection:
            self._identity.check()
            yield connection

    def wait_for_locks(self, connection: Connection, lock_s: float) -> None:
        """Wait up to ``lock_s`` seconds for each lock from now on in the transaction."""
        if not self.is_sqlite:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_ms(lock_s)}")

    def copy(self, connection: Connection, statement: str, lines: Iterable[str]) -> None:
        """Run PostgreSQL's COPY FROM STDIN within the transaction of ``connection``.

        ``lines`` are sent as they come.
        """
        errors = self.engine.dialect.loaded_dbapi
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as copying:
                for some in lines:
                    copying.write(some)
        except (errors.OperationalError, errors.InterfaceError) as error:
            if getattr(error, "sqlstate", None) in {_LOCK_NOT_AVAILABLE, _QUERY_CANCELED}:
                raise _unavailable(error) from error
            # SQLAlchemy has not seen this error. It would use this connection again, and others that broke with it.
            connection.invalidate()
            self.engine.dispose()
            raise StoreUnavailable(str(error)) from error

    def _transaction(self, *, durable: bool, lock_s: float | None = None) -> AbstractContextManager[Connection]:
        return self._sqlite_transaction(durable) if self.is_sqlite else self._postgresql_transaction(durable, lock_s)

    @contextmanager
    def _postgresql_transaction(self, durable: bool, lock_s: float | None) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            if durable and lock_s is not None:  # both settings in one round trip
                connection.exec_driver_sql(
                    "SELECT set_config('synchronous_commit', 'on', true),"
                    f" set_config('lock_timeout', '{_ms(lock_s)}', true)"
                )
            elif durable:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
            yield connection

    @contextmanager
    def _sqlite_transaction(self, durable: bool) -> Iterator[Connection]:
        # SQLite has one writer at a time. Threads of one process queue here instead of polling its file lock.
        limit_s = self._limits.lock_s
        if not self._writing.acquire(timeout=-1 if limit_s is None else limit_s):
            raise StoreTooSlow(f"another thread has been writing for {limit_s:g} s")
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                # Closing the connection rolls back what was not committed, even if the commit itself fails.
                yield connection
                connection.exec_driver_sql("COMMIT")
        finally:
            self._writing.release()

    def now(self) -> float:
        """Return epoch seconds by the database's clock.

        For SQLite that is the machine's clock, shared by all who open the file.
        """
        with self.read() as connection:
            found: float = connection.exec_driver_sql(_NOW[self.backend]).scalar_one()
            return found

    def check(self) -> None:
        """Raise ``StoreUnavailable`` unless the database answers and is still the one that was opened.

        Also raises it if an earlier write found damage.
        """
        self._identity.check()
        if self._damaged_writing:
            raise StoreDamaged(str(self.damage))
        with self.read() as connection:
            connection.exec_driver_sql("SELECT id FROM jobs LIMIT 1")

    def look_through(self, *, whole: bool = False) -> None:
        """Raise `StoreDamaged` if a quick check finds damage. ``whole``: check all of it, however long that takes."""
        with self.read() as connection:
            look_through(connection, self._file, None if whole else QUICK_BYTES)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _translated(self, *, writing: bool = False) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if is_damage(error):
                self.damage, self._damaged_writing = str(error.orig), self._damaged_writing or writing
                raise StoreDamaged(str(error.orig)) from error
            if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
                raise _unavailable(error.orig) from error
            raise
        except PoolTimeout as error:
            raise StoreUnavailable("all connections to the database are busy") from error


@contextmanager
def _interrupted_after(connection: Connection, seconds: float) -> Iterator[None]:
    """Interrupt a statement within the block once ``seconds`` have passed. Only for SQLite."""
    connection.info[_UNTIL] = time.monotonic() + seconds
    try:
        yield
    finally:
        del connection.info[_UNTIL]


def is_lock_timeout(error: DBAPIError) -> bool:
    """Return whether another transaction held a lock for longer than this one waits."""
    return isinstance(_unavailable(error.orig), StoreBusy)


def _unavailable(error: BaseException | None) -> StoreUnavailable:
    sqlstate, sqlite_name = getattr(error, "sqlstate", None), getattr(error, "sqlite_errorname", "")
    if sqlstate == _LOCK_NOT_AVAILABLE:
        return StoreBusy(str(error))
    # SQLite has one lock for everything, so waiting for it is slowness of the whole store, not of one row.
    if sqlstate == _QUERY_CANCELED or sqlite_name == "SQLITE_INTERRUPT" or sqlite_name.startswith("SQLITE_BUSY"):
        return StoreTooSlow(str(error))
    return StoreUnavailable(str(error))


def _ms(seconds: float | None) -> int:
    """Return milliseconds; 0, which means no limit, for ``None``."""
    return 0 if seconds is None else max(1, round(1000 * seconds))


def _sqlite(url: str, pool_size: int, limits: TimeLimits, identity: FileIdentity) -> Engine:
    engine = create_engine(
        url,
        # Database begins transactions explicitly, so the driver must not begin its own.
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=_POOL_S,
        pool_reset_on_return=None,
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # what users wrote does not belong in logs
    )

    @event.listens_for(engine, "do_connect")
    def _connecting(*_: Any) -> None:
        identity.check()  # SQLite would create a new file if there were none

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, record: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout = {_ms(limits.lock_s or _BUSY_S)}")
        if limits.statement_s is not None:
            info = record.info
            connection.set_progress_handler(lambda: time.monotonic() > info.get(_UNTIL, math.inf), _STEPS_BETWEEN_LOOKS)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        identity.opened()

    return engine


def _postgresql(url: str, pool_size: int, limits: TimeLimits) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=_POOL_S,
        pool_recycle=1800,
        # A host that vanished is noticed within a minute, not after the system's two hours. Text is UTF-8 whatever the
        # database was created with: one created without an encoding would return bytes.
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
        connection.execute(f"SET idle_in_transaction_session_timeout = {_ms(IDLE_S)}")
        connection.execute(f"SET lock_timeout = {_ms(limits.lock_s or LOCK_S)}")
        if limits.statement_s is not None:
            connection.execute(f"SET statement_timeout = {_ms(limits.statement_s)}")
        # The same limit if the server cannot deliver an answer. Over a Unix socket the server reports it as zero.
        connection.execute(f"SET tcp_user_timeout = {_ms(IDLE_S)}")
        # Every statement has an index in the order that it needs. While a table is small, reading and sorting all of it
        # looks as cheap; such a plan would be kept as long as the connection, however large the table becomes.
        connection.execute("SET plan_cache_mode = force_custom_plan")
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_bitmapscan = off")
        connection.execute("SET enable_incremental_sort = off")
        connection.execute("SET jit = off")
        connection.commit()

    return engine
