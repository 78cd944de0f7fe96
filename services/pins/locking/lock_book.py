"""``catalog.lock``, changed by several processes: one at a time, so that none loses what another has written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.files.folder_lock import folder_lock
from shared.weights.lock import PinLock, read_locks, write_locks


@dataclass(frozen=True, slots=True)
class LockBook:
    """The file ``path``. It is made when the first pin is locked."""

    path: Path

    def read(self) -> dict[str, PinLock]:
        """Return every lock, by pin."""
        return read_locks(self.path)

    @contextmanager
    def changing(self) -> Iterator[dict[str, PinLock]]:
        """Give every lock for the length of the block, with no other process on this machine writing. Changes are
        written if the block succeeds."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with folder_lock(self.path.parent):
            locks = read_locks(self.path)
            yield locks
            write_locks(self.path, locks)
