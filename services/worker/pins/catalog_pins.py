"""The catalog's pins that this worker may load: locked, in the store, and checked before every load.

Owns reading ``catalog.lock`` and the store, and the hold that keeps served files from being removed. Knows no engine.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path

from services.worker.engines.base import Snapshot
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import PinLock, read_locks
from shared.weights.store import WeightStore
from shared.weights.trust import check_trusted
from shared.weights.verification import verify

log = logging.getLogger(__name__)


class CatalogPins:
    """Reads locks and checks files. For one thread at a time, except `snapshot`."""

    def __init__(self, store: WeightStore, lock_file: Path) -> None:
        self._store = store
        self._lock_file = lock_file
        self._read: tuple[int, int] | None = None
        self._wrong = ""
        self._locks: Mapping[str, PinLock] = {}
        self._held: dict[str, contextlib.ExitStack] = {}

    def locks(self) -> Mapping[str, PinLock]:
        """Return every locked pin, as the file says now. If it cannot be read, as it said when it last could."""
        try:
            status = self._lock_file.stat()
            written = (status.st_mtime_ns, status.st_ino)
        except OSError:
            written = None
        if written != self._read:
            try:
                self._locks, self._read = read_locks(self._lock_file), written
                self._wrong = ""
            except CatalogInvalid as error:
                if str(error) != self._wrong:  # the file is read every few seconds; log each fault once
                    log.error("%s; the pins that were locked before are still served", error)
                self._wrong = str(error)
        return self._locks

    def snapshot(self, lock: PinLock) -> Snapshot:
        """Return the pin's checked files. Raises `shared.weights.errors.FilesWrong` if they are wrong, or if code that
        the pin brings is not trusted here."""
        check_trusted(self._lock_file, lock)
        verified = verify(self._store, lock)
        hubs = [source for component in lock.components for source in component.sources if source.hub]
        return Snapshot(
            pin=lock.name,
            folder=verified.folder,
            lock_sha256=lock.sha256,
            options=lock.options,
            trust_remote_code=lock.trust_remote_code,
            licence=lock.licence,
            repo=hubs[0].repo if hubs else None,
            revision=hubs[0].revision if hubs else None,
        )

    def hold(self, lock: PinLock) -> None:
        """Keep the pin's files from being removed, until `release` or the end of this process."""
        if lock.sha256 not in self._held:
            stack = contextlib.ExitStack()
            try:
                stack.enter_context(self._store.using(lock))
            except OSError as error:  # a store that this worker may only read is maintained by others
                log.warning("%s is not protected from removal: %s", lock.name, error)
            self._held[lock.sha256] = stack

    def release(self, but: set[str]) -> None:
        """Release every hold except on the locks in ``but`` (by hash)."""
        for sha256 in set(self._held) - but:
            self._held.pop(sha256).close()
