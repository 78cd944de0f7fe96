"""The folder of one host. One half has what it is given, the other what it writes; both are removed with it.

Owns the two halves. A host may read ``inbox`` and write ``own``, so its parent never writes where the host could have
placed a link. If all owners of a folder were killed, the next host that is started removes it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from shared.files.locked_tempdir import LockedTempdir

_PREFIX = "ringtrue-host-"


class Room:
    """A folder in the temporary folder, for this user alone. Raises `OSError`."""

    def __init__(self) -> None:
        self._folder = LockedTempdir(Path(tempfile.gettempdir()), _PREFIX) if hasattr(os, "O_DIRECTORY") else None
        self.path = self._folder.path if self._folder else Path(tempfile.mkdtemp(prefix=_PREFIX))
        self.inbox, self.own = self.path / "inbox", self.path / "own"
        self._closed = False
        self.inbox.mkdir()
        self.own.mkdir()

    def bring(self, path: Path) -> Path:
        """Copy a file for the host to read, under the same name. Replaces an earlier copy atomically."""
        part = self.path / path.name
        shutil.copyfile(path, part)
        return part.replace(self.inbox / path.name)

    def close(self) -> None:
        """Remove the folder. May be called again."""
        if not self._closed:
            self._closed = True
            shutil.rmtree(self.path, ignore_errors=True)
            if self._folder is not None:
                self._folder.__exit__()
