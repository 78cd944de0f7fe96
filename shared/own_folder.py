"""A folder that one process has to itself, and that does not outlive it for long.

A process that is killed cannot remove what it wrote. So each holds a lock on its folder (flock(2)), which the kernel
lets go of with the process, and the next one that comes removes those that nobody holds. Knows nothing of what is in
one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from shared.flock import flock


class OwnFolder:
    """``path``: there and empty, for this user alone, until the end of the block or of the process."""

    def __init__(self, room: Path, prefix: str) -> None:
        """In ``room``, under a name that begins with ``prefix``; abandoned ones of that prefix go. Raises `OSError`."""
        for folder in room.glob(f"{prefix}*"):
            if (lock := _lock(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
        self.path, self._lock = _held(room, prefix)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _held(room: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=room))
        if (lock := _lock(folder)) is not None and folder.is_dir():
            return folder, lock  # another process may have taken it for abandoned between the two steps


def _lock(folder: Path) -> int | None:
    """``None`` where it is another process's, another user's, or no folder."""
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
