"""Checks the SQL store: it exists, can be changed, and has a schema that this code knows. Changes nothing in it."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from services.doctor.findings import Finding, fail, ok, warn
from shared.errors import SettingsError
from shared.files.writable import nearest
from shared.ports import Blobs, FoundBlob

_OLDEST_SQLITE = (3, 35, 0)
"""The first version with RETURNING."""


def database(url: str, blobs: Blobs) -> Iterator[Finding]:
    """Check the store that RINGTRUE_DATABASE_URL names. ``blobs``: where the audio of its jobs is."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        yield fail("RINGTRUE_DATABASE_URL is not the URL of a database", "use sqlite:///FILE or postgresql://HOST/NAME")
        return
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() != "sqlite":
        yield from _schema(url, shown, blobs)
        return
    file = Path(parsed.database or "")
    if why_not := _no_wal(nearest(file.absolute().parent)):
        yield fail(f"SQLite cannot be used in {file.parent}: {why_not}", "move the data folder to a local disk")
    elif not file.exists() and (audio := blobs.any_blob()):
        yield _lost(str(file), audio)
    elif not file.exists():
        yield ok(f"{file} will be created at the first start; SQLite {sqlite3.sqlite_version}, WAL works there")
    else:
        yield from _schema(url, str(file), blobs)


def _schema(url: str, shown: str, blobs: Blobs) -> Iterator[Finding]:
    from sqlalchemy.exc import SQLAlchemyError

    from shared.errors import StoreDamaged, StoreUnavailable
    from shared.store.sql import Database
    from shared.store.sql.connection.migrate import newest, version

    try:
        with contextlib.closing(Database(url, pool_size=1)) as opened:
            found, ours = version(opened), newest()
            opened.look_through(whole=True)
    except SettingsError as error:
        yield fail(str(error), "use sqlite:///FILE or postgresql://HOST/NAME")
    except StoreDamaged as error:
        yield fail(
            f"{shown} is damaged: {_first_line(error)}",
            "stop the services that use it and restore a backup, or correct RINGTRUE_DATABASE_URL",
        )
    except (StoreUnavailable, SQLAlchemyError) as error:
        yield fail(f"{shown} does not answer: {_first_line(error)}", "start it, or correct RINGTRUE_DATABASE_URL")
    else:
        audio = blobs.any_blob() if found is None else None
        yield _lost(shown, audio) if audio else _compared(shown, found, ours)


def _lost(shown: str, audio: FoundBlob) -> Finding:
    return fail(
        f"{shown} is empty or missing, but there is audio of its jobs ({audio.store}/{audio.key})",
        "restore a backup, or start with an empty database: `ringtrue up --accept-empty`",
    )


def _compared(shown: str, found: str | None, ours: str) -> Finding:
    if found is None:
        return ok(f"{shown} is empty; the first start creates schema {ours}")
    if found == ours:
        return ok(f"{shown} has schema {ours}, the same as this version")
    if found < ours:
        return warn(
            f"{shown} has schema {found}, this version {ours}", "back it up; the next service that starts upgrades it"
        )
    return fail(
        f"{shown} was made by a newer version: it has schema {found}, this version knows up to {ours}",
        "install the version of Ringtrue that made it, or a later one",
    )


def _no_wal(folder: Path) -> str:
    """Return why a second connection could not read while a first one writes, or an empty string.

    Network folders are known for that.
    """
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
            return f"its file system does not support a write-ahead log (journal mode {mode})"
        writer.execute("CREATE TABLE probe (id)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO probe VALUES (1)")
        (before,) = reader.execute("SELECT count(*) FROM probe").fetchone()
        writer.execute("COMMIT")
        (after,) = reader.execute("SELECT count(*) FROM probe").fetchone()
    return "" if (before, after) == (0, 1) else "a reader does not see what was written"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
