"""A folder for the package to write into: it unpacks resource.zip beside the weights, and a snapshot is read-only.

Owns the folder, which has links to the snapshot's files, and what may be unpacked there: nothing that would be written
through one of the links. Hosts are ended by SIGKILL and cannot remove their own folder; the next host does.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from services.worker.engines.base import EngineError
from services.worker.engines.sambert.weights import RESOURCE
from shared.files.locked_tempdir import LockedTempdir

_PREFIX = "ringtrue-sambert-"
_UNPACKED = Path(RESOURCE).stem
MOST_BYTES = 4 << 30
MOST_FILES = 20_000
"""Bounds of what is unpacked."""


class Workplace:
    """One such folder. It belongs to this process alone, as long as the process lives."""

    def __init__(self, snapshot: Path, room: Path) -> None:
        """Make the folder in ``room``. Raises `EngineError` if resource.zip must not be unpacked, and `OSError`."""
        tops = {path.name for path in snapshot.iterdir()} - {_UNPACKED}
        _check(snapshot / RESOURCE, tops)
        self._own = LockedTempdir(room, _PREFIX)
        self.folder = self._own.path
        for path in snapshot.rglob("*"):
            inside = path.relative_to(snapshot)
            if path.is_file() and inside.parts[0] != _UNPACKED:
                link = self.folder / inside
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path.resolve())


def _check(archive: Path, tops: set[str]) -> None:
    """Check the archive. `zipfile` keeps what it unpacks within the folder and the declared sizes; the rest is checked
    here."""
    try:
        with ZipFile(archive) as file:
            entries = file.infolist()
    except BadZipFile as error:
        raise EngineError(f"{RESOURCE} is not a zip file: {error}") from error
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise EngineError(f"{RESOURCE} has more than {MOST_FILES} files or {MOST_BYTES >> 30} GiB")
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or parts[0] in tops | {"."}:
            raise EngineError(f"{RESOURCE} would be unpacked over other files: {entry.filename}")
