"""The SQL store: there, ours to change, and of a schema that this code knows. Changes nothing in it."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from services.doctor.checks.folders import nearest
from services.doctor.findings import Finding, fail, ok, warn
from shared.errors import SettingsError

_OLDEST_SQLITE = (3, 35, 0)
"""Knows RETURNING."""


def database(url: str) -> Iterator[Finding]:
    """The one that RINGTRUE_DATABASE_URL names."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        yield fail("RINGTRUE_DATABASE_URL is no URL of a database", "sqlite:///FILE or postgresql://HOST/NAME")
        return
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() != "sqlite":
        yield from _schema(url, shown)
        return
    file = Path(parsed.database or "")
    if why_not := _no_wal(nearest(file.absolute().parent)):
        yield fail(f"SQLite cannot be used in {file.parent}: {why_not}", "move the data folder to a local disk")
    elif not file.exists():
        yield ok(f"{file} is made at the first start; SQLite {sqlite3.sqlite_version}, WAL works there")
    else:
        yield from _schema(url, str(file))


def _schema(url: str, shown: str) -> Iterator[Finding]:
    from sqlalchemy.exc import SQLAlchemyError

    from shared.errors import StoreUnavailable
    from shared.store.sql import Database
    from shared.store.sql.migrate import newest, version

    try:
        with contextlib.closing(Database(url, pool_size=1)) as opened:
            found, ours = version(opened), newest()
    except SettingsError as error:
        yield fail(str(error), "sqlite:///FILE or postgresql://HOST/NAME")
    except (StoreUnavailable, SQLAlchemyError) as error:
        yield fail(f"{shown} does not answer: {_first_line(error)}", "start it, or mend RINGTRUE_DATABASE_URL")
    else:
        yield _compared(shown, found, ours)


def _compared(shown: str, found: str | None, ours: str) -> Finding:
    if found is None:
        return ok(f"{shown} is empty; the first start brings it to schema {ours}")
    if found == ours:
        return ok(f"{shown} has schema {ours}, as this code")
    if found < ours:
        return warn(
            f"{shown} has schema {found}, this code {ours}", "back it up; the next service that starts upgrades it"
        )
    return fail(
        f"{shown} has schema {found}, this code knows none after {ours}", "install the Ringtrue that wrote it, or later"
    )


def _no_wal(folder: Path) -> str:
    """Why a second connection could not read while a first one writes, which network folders are known for."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        return f"version {sqlite3.sqlite_version} is too old"
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as scratch:
            return _wal_tried(Path(scratch) / "wal.db")
    except (OSError, sqlite3.Error) as error:
        return str(error)


def _wal_tried(file: Path) -> str:
    with (
        contextlib.closing(sqlite3.connect(file, timeout=3, isolation_level=None)) as writer,
        contextlib.closing(sqlite3.connect(file, timeout=3, isolation_level=None)) as reader,
    ):
        (mode,) = writer.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            return f"no write-ahead log on its file system (it says {mode})"
        writer.execute("CREATE TABLE rung (bell)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO rung VALUES (1)")
        (before,) = reader.execute("SELECT count(*) FROM rung").fetchone()
        writer.execute("COMMIT")
        (after,) = reader.execute("SELECT count(*) FROM rung").fetchone()
    return "" if (before, after) == (0, 1) else "a reader does not see what was written"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
