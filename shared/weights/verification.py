"""Checks offline whether a pin in the store is what its lock says, without assuming anything.

Owns the check before every load: of each file that the lock names, of files that it does not name, and of the targets
of the links. A file is hashed whole, unless its status is the same as when it was last hashed whole.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from shared.weights import layout
from shared.weights.errors import LockMismatch, NotPulled
from shared.weights.hashing import OnBytes, never_mind, sha256_of
from shared.weights.lock import EMPTY_SHA256, LockedFile, PinLock
from shared.weights.store import WeightStore, seen, settled

THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Verified:
    """A successful check. ``hashed_bytes``: bytes of the files that were read whole."""

    folder: Path
    files: int
    hashed_bytes: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """What can be said about a pin's files without reading one."""

    misplaced: Sequence[str]
    """What is wrong with their places, in sentences."""
    missing: Sequence[LockedFile]
    there: Sequence[LockedFile]
    doubtful: Sequence[LockedFile]
    """Files whose status differs from when they were last hashed whole."""
    linked: bool
    """Whether the snapshot is there."""


def look(store: WeightStore, lock: PinLock) -> Inspection:
    """Inspect every file of a pin once. Raises `OSError` if something cannot be inspected."""
    files = {file.sha256: file for file in lock.files}.values()
    there = [file for file in files if os.path.lexists(store.blob(file.sha256))]
    return Inspection(
        misplaced=list(_misplaced(store, lock)),
        missing=[file for file in files if file not in there],
        there=there,
        doubtful=[file for file in there if not untouched(store, file)],
        linked=os.path.lexists(store.snapshot(lock)),
    )


def verify(
    store: WeightStore,
    lock: PinLock,
    *,
    whole: bool = False,
    just_read: Collection[str] = (),
    threads: int = THREADS,
    on_bytes: OnBytes = never_mind,
) -> Verified:
    """Check every file of a pin. Raises `NotPulled` or `LockMismatch`.

    ``whole``: read all files, except those in ``just_read`` (hashes) that nobody has touched since.
    """
    try:
        seen_so = look(store, lock)
        to_read = seen_so.doubtful
        if whole:
            to_read = [file for file in seen_so.there if file in to_read or file.sha256 not in just_read]
        wrong = [*seen_so.misplaced, *_hashed(store, to_read, threads, on_bytes)]
    except OSError as error:
        wrong = [f"cannot be read: {error}"]
    if wrong:
        raise LockMismatch(_said(lock, wrong), wrong)
    if missing := [f"{file.path} is missing" for file in seen_so.missing]:
        raise NotPulled(_said(lock, missing), missing)
    if not seen_so.linked:
        raise NotPulled(f"{lock.name}: the files are present, but the folder {store.snapshot(lock)} is missing")
    return Verified(store.snapshot(lock), len(list(lock.files)), sum(file.size for file in to_read))


def verified_at(store: WeightStore, lock: PinLock) -> float | None:
    """Return when the files were last hashed whole (epoch seconds, of the oldest); ``None`` if one never was."""
    notes = [store.recorded(file.sha256) for file in lock.files]
    return min((note[1] for note in notes if note), default=None) if all(notes) else None


def untouched(store: WeightStore, file: LockedFile) -> bool:
    """Return whether the status of a file is the same as when it was last hashed whole."""
    recorded = store.recorded(file.sha256)
    status = store.blob(file.sha256).lstat()
    return (
        recorded is not None
        and stat.S_ISREG(status.st_mode)
        and status.st_size == file.size
        and recorded[0] == seen(status)
    )


def _hashed(store: WeightStore, files: Sequence[LockedFile], threads: int, on_bytes: OnBytes) -> list[str]:
    """Return what is wrong with the bytes of ``files``. Right files are recorded."""
    # Else one thread would be left alone with a big last file.
    biggest_first = sorted(files, key=lambda file: -file.size)
    with ThreadPoolExecutor(threads, thread_name_prefix="sha256") as pool:
        found = list(pool.map(lambda file: _wrong_with(store, file, on_bytes), biggest_first))
    return [wrong for wrong in found if wrong is not None]


def _wrong_with(store: WeightStore, file: LockedFile, on_bytes: OnBytes) -> str | None:
    if not store.has(file):
        return f"{file.path} is not a regular file of {file.size} bytes"
    blob = store.blob(file.sha256)
    before = settled(blob)  # taken before hashing: a file that changes meanwhile then has another status
    found = sha256_of(blob, on_bytes)
    if found == file.sha256:
        with contextlib.suppress(OSError):  # in a read-only store, the file is hashed again next time
            store.record(found, before)
        return None
    what = "is empty" if found == EMPTY_SHA256 else f"has sha256 {found}"
    return f"{file.path} {what}, but the lock says {file.sha256}"


def _misplaced(store: WeightStore, lock: PinLock) -> Iterator[str]:
    """Yield what is wrong with places. Links are allowed inside a snapshot, and nowhere else."""
    folder = store.snapshot(lock)
    blobs = {above for file in lock.files for above in list(store.blob(file.sha256).parents)[:3]}
    for above in sorted({folder.parent, *blobs}):
        if above.is_symlink():
            yield f"{above} is a symbolic link"
    if os.path.lexists(folder):
        yield from layout.misplaced(folder, store.targets(lock))


def _said(lock: PinLock, wrong: Sequence[str]) -> str:
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"{lock.name}: {wrong[0]}{more}"
