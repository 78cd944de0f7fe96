"""Files of locked models that this machine's store has whole: what other nodes may fetch from here.

Owns which may be had: those that a lock names, and that nobody touched since they were last hashed. Hashes nothing.
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
    """Asked from several threads."""

    def __init__(self, store: WeightStore, lock_file: Path) -> None:
        self._store = store
        self._lock_file = lock_file
        self._reading = threading.Lock()
        self._written: tuple[int, int] | None = None
        self._files: Mapping[str, LockedFile] = {}

    def find(self, sha256: str) -> LockedFile:
        """`Refused` where no lock names the file, or where it is not there as it was when it was checked."""
        file = self._locked().get(sha256)
        with contextlib.suppress(OSError):
            if file is not None and self._store.has(file) and untouched(self._store, file):
                return file
        raise Refused(RefusalCode.NOT_FOUND, f"no file of a locked pin with sha256 {sha256} is whole here")

    def read(self, file: LockedFile, start: int, length: int) -> Iterator[bytes]:
        """A stretch of it, piece by piece. The file is opened now: who removes it later disturbs nobody."""
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
        """By SHA-256, as catalog.lock says now; while it cannot be read, nothing is."""
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
