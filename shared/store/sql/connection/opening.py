"""Opens the SQL store for a process: creates it if missing, upgrades its schema, and refuses it if it is not whole.

Owns what is checked before anything is served, and what an operator is told. Repairs nothing.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import SettingsError, StoreDamaged, StoreUnusable
from shared.ports import Blobs
from shared.store.sql.connection.database import Database
from shared.store.sql.connection.migrate import migrate, version

ACCEPT_EMPTY = "start with an empty database although there is audio; the jobs of that audio are lost"
_RESTORE = "Restore a backup of it (docs/deploy.md)"


def open_database(url: str, blobs: Blobs, *, accept_empty: bool = False) -> Database:
    """Return the database, ready for use.

    Raises `StoreUnusable` if it is damaged, made by a newer version, or empty while ``blobs`` has audio (unless
    ``accept_empty``); ``StoreUnavailable`` if it or ``blobs`` does not answer; ``SettingsError`` if ``url`` is not a
    URL of one.
    """
    try:
        where = make_url(url).render_as_string(hide_password=True)
    except ArgumentError as error:
        raise SettingsError("RINGTRUE_DATABASE_URL must be sqlite:///FILE or postgresql://HOST/NAME") from error
    database = Database(url)
    try:
        if not accept_empty and version(database) is None and (found := blobs.any_blob()):
            raise StoreUnusable(
                f"{where} is empty or missing, but {found.store} contains audio of jobs "
                f"({PurePosixPath(found.key).name[:12]}…). {_RESTORE}, "
                f"or start once with --accept-empty to begin with an empty database; the audio is kept"
            )
        migrate(database)
        database.look_through()
    except StoreDamaged as error:
        database.close()
        raise StoreUnusable(f"{where} is damaged: {error}. {_RESTORE}") from error
    except BaseException:
        database.close()
        raise
    return database
