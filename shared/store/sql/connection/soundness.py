"""Whether the database is still the one that was opened, and whole: by its errors and by the file's identity.

Owns which errors mean damage, and the identity of the opened file. Searches for damage only when asked to.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from shared.errors import StoreDamaged

QUICK_BYTES = 64 << 20
"""A SQLite file of up to this size is checked when it is opened, which takes a fraction of a second."""
_SQLITE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_POSTGRESQL = {"XX001", "XX002", "58P01", "42P01"}
"""Data corrupted, index corrupted, a file missing, a table missing."""


def is_damage(error: DBAPIError) -> bool:
    """Return whether the error says that the database is damaged.

    SQLite's extended codes have the kind in the lowest byte.
    """
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE
    return getattr(error.orig, "sqlstate", None) in _POSTGRESQL


def look_through(connection: Connection, file: Path | None, most_bytes: int | None) -> None:
    """Check a file of at most ``most_bytes``. Raises `StoreDamaged` if it is not whole."""
    if file is None or (most_bytes is not None and file.stat().st_size > most_bytes):
        return
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise StoreDamaged(str(found).replace("\n", " "))


class FileIdentity:
    """The file that was opened, by device and inode.

    ``None``: a database that is not a file of ours; it counts as unchanged.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._opened: tuple[int, int] | None = None

    def opened(self) -> None:
        """Remember the file, once the first connection is open."""
        if self._file is not None and self._opened is None:
            self._opened = self._now()

    def check(self) -> None:
        """Raise `StoreDamaged` if the file was deleted, replaced or emptied: what is written now would be lost."""
        if self._opened is not None and self._now() != self._opened:
            raise StoreDamaged(f"{self._file} was deleted, replaced or emptied while it was in use")

    def _now(self) -> tuple[int, int] | None:
        assert self._file is not None
        try:
            status = os.stat(self._file)
        except OSError:
            return None
        return (status.st_dev, status.st_ino) if status.st_size else None
