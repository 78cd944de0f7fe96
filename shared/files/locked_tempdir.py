"""A temporary folder for one process, which is removed soon after the process ends.

Owns how abandoned folders are found. A killed process cannot remove what it wrote, so each process holds a lock
(flock(2)) on its folder. The kernel releases it with the process, and the next process removes the folders that nobody
holds. Knows nothing of a folder's content.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from shared.files.flock import flock


class LockedTempdir:
    """An empty folder ``path`` for this user alone, until the end of the block or of the process."""

    def __init__(self, room: Path, prefix: str) -> None:
        """Create the folder in ``room``, with a name that begins with ``prefix``. Raises `OSError`.

        Removes abandoned folders of that prefix.
        """
        remove_abandoned(room, prefix)
        self.path, self._lock = _held(room, prefix)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def remove_abandoned(room: Path, prefix: str) -> None:
    """Remove the folders of that prefix in ``room`` that this user created and no process holds any more."""
    for folder in room.glob(f"{prefix}*"):
        if (lock := _lock(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _held(room: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=room))
        if (lock := _lock(folder)) is not None and folder.is_dir():
            return folder, lock  # between the two steps, another process may have removed it as abandoned


def _lock(folder: Path) -> int | None:
    """Lock a folder and return the descriptor; ``None`` if it is another process's, another user's, or not a folder."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(opened).st_uid == os.getuid():
            flock(opened, at_once=True)
            return opened
    except BlockingIOError:
        pass
    os.close(opened)
    return None
