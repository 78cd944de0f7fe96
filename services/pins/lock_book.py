"""``catalog.lock`` as several processes change it: one at a time, and none loses what another has written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.folder_held import folder_held
from shared.weights.lock import PinLock, read_locks, write_locks


@dataclass(frozen=True, slots=True)
class LockBook:
    """The file ``path``; made when the first pin is locked."""

    path: Path

    def read(self) -> dict[str, PinLock]:
        """Every lock, by pin."""
        return read_locks(self.path)

    @contextmanager
    def changing(self) -> Iterator[dict[str, PinLock]]:
        """Every lock, alone on this machine; what is made of them is written when all went well."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with folder_held(self.path.parent):
            locks = read_locks(self.path)
            yield locks
            write_locks(self.path, locks)
