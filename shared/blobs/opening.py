"""Opens the store of the audio that a setting names. No other module knows which store that is.

``where`` is ``Settings.blobs`` or ``Settings.recordings``.
"""

from __future__ import annotations

from pathlib import Path

from shared.blobs.folder import FolderBlobs
from shared.errors import SettingsError
from shared.ports import Blobs


def open_blobs(where: Path, *, create: bool = True) -> Blobs:
    """Return the store at ``where``.

    ``create``: make it if it is missing. Raises `SettingsError` if that fails. Commands that only look pass False. Call
    ``keep_private`` with `local_folders` first, so that what is made is for our user alone.
    """
    try:
        return FolderBlobs(where, create=create)
    except OSError as error:
        raise SettingsError(f"cannot write to {error.filename}: {error.strerror}") from error


def local_folders(where: Path) -> tuple[Path, ...]:
    """Return the folders of this machine that the store at ``where`` writes in: none if it is elsewhere. Makes none."""
    return (where,)
