"""Files of locked models that this machine's store has complete, which other nodes may fetch from here.

Owns which files may be fetched: those that a lock names and that nobody touched since they were last hashed. Hashes
nothing itself.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from shared.errors import RefusalCode, Refused
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import LockedFile, read_locks
from shared.weights.store import WeightStore
from shared.weights.verification import untouched

_PIECE_BYTES = 1 << 20


class ModelFiles:
    """Finds and reads model files. For use from several threads."""

    def __init__(self, store: WeightStore, lock_file: Path) -> None:
        self._store = store
        self._lock_file = lock_file
        self._reading = threading.Lock()
        self._written: tuple[int, int] | None = None
        self._files: Mapping[str, LockedFile] = {}

    def find(self, sha256: str) -> LockedFile:
        """Return the file with this hash. Raises `Refused` if no lock names it, or it changed since it was last
        checked."""
        file = self._locked().get(sha256)
        with contextlib.suppress(OSError):
            if file is not None and self._store.has(file) and untouched(self._store, file):
                return file
        raise Refused(RefusalCode.NOT_FOUND, f"this gateway has no complete file of a locked pin with sha256 {sha256}")

    def read(self, file: LockedFile, start: int, length: int) -> Iterator[bytes]:
        """Yield ``length`` bytes of the file from ``start`` on, in chunks.

        The file is opened now, so that removing it later disturbs no reader."""
        opened = self._store.blob(file.sha256).open("rb")

        def pieces() -> Iterator[bytes]:
            with opened:
                opened.seek(start)
                left = length
                while left and (piece := opened.read(min(left, _PIECE_BYTES))):
                    left -= len(piece)
                    yield piece

        return pieces()

    def _locked(self) -> Mapping[str, LockedFile]:
        """Return the locked files by SHA-256, as catalog.lock has them now. Empty while it cannot be read."""
        with self._reading:
            try:
                status = self._lock_file.stat()
                written = (status.st_mtime_ns, status.st_ino)
            except OSError:
                return {}
            if written != self._written:
                try:
                    locks = read_locks(self._lock_file)
                except CatalogInvalid:
                    return {}
                self._files = {file.sha256: file for lock in locks.values() for file in lock.files}
                self._written = written
            return self._files
