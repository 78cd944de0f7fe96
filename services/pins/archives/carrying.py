"""Moves pins from one machine to another in one file, for sites without a network.

Owns the two flows. Export: nothing is written that differs from its lock. Import: nothing is trusted, and a failure
leaves store, catalog and lock as they were.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from services.pins.archives.archive import ArchiveReading, ArchiveRefused, ArchiveWriting, Contents
from services.pins.locking.lock_book import LockBook
from services.pins.pulling.partials import clear, holding
from services.pins.pulling.space import FreeBytes, check_space, free_bytes
from shared.weights.catalog_file import Entry, read_catalog
from shared.weights.catalog_text import put_entries
from shared.weights.errors import LockMismatch
from shared.weights.hashing import OnBytes, never_mind
from shared.weights.lock import LockedFile, PinLock
from shared.weights.store import WeightStore
from shared.weights.verification import untouched, verify

_PIECE_BYTES = 1 << 20


class AlreadyThere(ArchiveRefused):
    """A pin of this name is here, but differs."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What an import did. ``came``: files that the store did not have."""

    locks: Sequence[PinLock]
    came: Sequence[LockedFile]


def export_pins(store: WeightStore, contents: Contents, target: Path, on_bytes: OnBytes = never_mind) -> None:
    """Write ``target`` anew, in one step. Raises `FilesWrong` if a pin differs from its lock; then no file is
    written."""
    part = target.with_name(f".{target.name}.{os.getpid()}")
    with contextlib.ExitStack() as held:
        for lock in contents.locks.values():
            held.enter_context(store.using(lock))
            verify(store, lock)
        held.callback(part.unlink, missing_ok=True)
        with part.open("xb") as opened:
            writing = ArchiveWriting(opened, contents)
            for file in contents.files.values():
                _write(store, file, writing, on_bytes)
            writing.end()
            opened.flush()
            os.fsync(opened.fileno())  # the disk may be unplugged right after this
        part.replace(target)


def _write(store: WeightStore, file: LockedFile, writing: ArchiveWriting, on_bytes: OnBytes) -> None:
    with store.blob(file.sha256).open("rb") as blob:
        hashed = _Hashed(blob, on_bytes)
        writing.add(file, hashed)
    if hashed.digest.hexdigest() != file.sha256:
        raise LockMismatch(f"{file.path} has sha256 {hashed.digest.hexdigest()}, but the lock says {file.sha256}")


@dataclass(frozen=True, slots=True)
class _Hashed:
    """A file that is hashed while it is read."""

    opened: BinaryIO
    on_bytes: OnBytes
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def read(self, size: int = -1) -> bytes:
        piece = self.opened.read(size)
        self.digest.update(piece)
        self.on_bytes(len(piece))
        return piece


def import_pins(
    store: WeightStore,
    catalog: Path,
    book: LockBook,
    reading: ArchiveReading,
    *,
    replace: bool = False,
    on_bytes: OnBytes = never_mind,
    free: FreeBytes = free_bytes,
) -> TakenIn:
    """Import every pin of an archive. ``replace``: also those that differ from the pins here.

    Raises `AlreadyThere` before anything is copied, and `WrongBytes` for a file that is not the locked one.
    """
    contents = reading.contents
    if not replace:
        _check_known(contents, read_catalog(catalog), book.read())
    missing = [file for file in contents.files.values() if not (store.has(file) and untouched(store, file))]
    check_space(store, missing, free)
    with contextlib.ExitStack() as held:
        for lock in contents.locks.values():
            held.enter_context(store.using(lock))
        with _taken_back_unless_done(store, contents, book) as came:
            for file in missing:
                _take_in(store, file, reading, came, on_bytes)
            for lock in contents.locks.values():
                store.link(lock)
                verify(store, lock)
            _merge(contents, catalog, book, replace=replace)
    return TakenIn(list(contents.locks.values()), missing)


def _check_known(contents: Contents, entries: Mapping[str, Entry], locks: Mapping[str, PinLock]) -> None:
    for name, lock in contents.locks.items():
        if name in locks and locks[name].sha256 != lock.sha256:
            raise AlreadyThere(
                f"{name} has lock {lock.sha256[:12]} in the archive and {locks[name].sha256[:12]} here (use --replace)"
            )
        if name in entries and name not in locks and entries[name] != contents.entries.get(name):
            raise AlreadyThere(
                f"the catalog here has another entry for {name}, which is not locked here (use --replace)"
            )


@contextlib.contextmanager
def _taken_back_unless_done(store: WeightStore, contents: Contents, book: LockBook) -> Iterator[list[LockedFile]]:
    """If the block fails, remove the files in the list, and the snapshots that no lock names then."""
    came: list[LockedFile] = []
    try:
        yield came
    except BaseException:
        known = book.read().values()
        for lock in contents.locks.values():
            if lock not in known:
                store.unlink(lock)
        store.drop((file.sha256 for file in came), known)
        raise


def _take_in(
    store: WeightStore, file: LockedFile, reading: ArchiveReading, came: list[LockedFile], on_bytes: OnBytes
) -> None:
    with holding(store, file.sha256, lambda: None) as partial:
        try:
            if not os.path.lexists(store.blob(file.sha256)):
                came.append(file)
            with partial.open("wb") as opened:
                content = reading.content(file)
                while piece := content.read(_PIECE_BYTES):
                    opened.write(piece)
                    on_bytes(len(piece))
            store.adopt(partial, file, source_name="the archive")
        finally:
            clear(store, file.sha256)


def _merge(contents: Contents, catalog: Path, book: LockBook, *, replace: bool) -> None:
    """Write entries and locks into the two files. If a pin has the same lock here, its catalog entry stays as it is."""
    with book.changing() as locks:
        entries = read_catalog(catalog)
        if not replace:
            _check_known(contents, entries, locks)
        new = [
            entry
            for name, entry in contents.entries.items()
            if name not in entries or (entries[name] != entry and contents.locks[name] != locks.get(name))
        ]
        if new:
            put_entries(catalog, new)
        locks.update(contents.locks)
