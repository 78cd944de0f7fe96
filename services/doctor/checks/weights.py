"""Checks the pins of the catalog: described, locked, pulled, and unchanged since they were last read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.doctor.findings import Finding, fail, ok, warn
from services.doctor.sizes import size
from shared.weights.catalog_file import Entry, read_catalog
from shared.weights.errors import CatalogInvalid, LockMismatch, NotPulled
from shared.weights.lock import PinLock, Source, read_locks
from shared.weights.store import WeightStore
from shared.weights.verification import verify

LIMIT_S = 40.0
_READING_S = 20.0
"""Seconds for reading changed files completely. After that it is left to `ringtrue models verify`."""


_SAID_TWICE = ("engine", "version", "licence", "options", "trust_remote_code")
"""What the lock takes from the catalog. The lock is what is served."""


class _TakesTooLong(Exception):
    """More files have changed than can be read within this check."""


@dataclass(frozen=True, slots=True)
class WeightsSeen:
    """The two files and the store. ``pins``: the pins to be served here; empty: all of them."""

    catalog: Path
    lock_file: Path
    store: WeightStore
    pins: Sequence[str] = ()

    def locks(self) -> Mapping[str, PinLock]:
        """Return the locks of the pins to be served.

        Empty while the file cannot be read, which the check of the locks reports.
        """
        try:
            locks = read_locks(self.lock_file)
        except CatalogInvalid:
            return {}
        return {name: lock for name, lock in locks.items() if not self.pins or name in self.pins}

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of each pin's files."""
        return {name: lock.size for name, lock in self.locks().items()}

    def engines(self) -> Mapping[str, str]:
        """Return the engine family of each pin."""
        return {name: lock.engine for name, lock in self.locks().items()}

    def to_pull(self) -> int:
        """Return the bytes that are locked but not in the store."""
        files = {file.sha256: file for lock in self.locks().values() for file in lock.files}
        return sum(file.size for file in files.values() if not self.store.has(file))

    def sources(self) -> set[Source]:
        """Return the sources of files that the catalog names."""
        try:
            entries = read_catalog(self.catalog).values()
        except CatalogInvalid:
            return set()
        wanted = [part for entry in entries if not self.pins or entry.name in self.pins for part in entry.components]
        return {source for part in wanted for source in part.sources}


def locks(weights: WeightsSeen, reading_s: float = _READING_S) -> Iterator[Finding]:
    """Check that every pin to be served can be loaded as it is locked."""
    try:
        wanted, locked = read_catalog(weights.catalog), read_locks(weights.lock_file)
    except CatalogInvalid as error:
        yield from (fail(line, "correct the file") for line in str(error).splitlines())
        return
    deadline = time.monotonic() + reading_s
    names = weights.pins or sorted({*wanted, *locked})
    findings = [
        finding for name in names for finding in _pin(name, wanted.get(name), locked.get(name), weights, deadline)
    ]
    yield from findings
    if not names:
        yield ok(f"no catalog at {weights.catalog}: only built-in pins are served")
    elif not findings:
        yield ok(f"{', '.join(names)}: pulled and unchanged, {size(sum(locked[name].size for name in names))}")


def _pin(
    name: str, entry: Entry | None, lock: PinLock | None, weights: WeightsSeen, deadline: float
) -> Iterator[Finding]:
    if lock is None:
        if entry:
            yield fail(f"{name} is not locked", f"ringtrue models lock {name}")
        else:
            yield warn(f"{name} is not in the catalog", "a built-in pin needs no entry; otherwise correct the name")
        return
    if entry is None:
        yield warn(
            f"{name} is locked, but no longer in the catalog", f"put it back, or run ringtrue models remove {name}"
        )
    elif changed := [word for word in _SAID_TWICE if getattr(entry, word) != getattr(lock, word)]:
        yield warn(f"{name} is locked with another {' and '.join(changed)}", f"ringtrue models lock {name}")

    def watch(_count: int) -> None:
        if time.monotonic() > deadline:
            raise _TakesTooLong

    try:
        verify(weights.store, lock, on_bytes=watch)
    except NotPulled as error:
        yield fail(str(error), f"ringtrue models pull {name}")
    except LockMismatch as error:
        yield fail(str(error), f"run ringtrue models verify {name} to see all faults, then pull it again")
    except _TakesTooLong:
        yield warn(f"{name}: more files have changed than this check reads", f"ringtrue models verify {name}")
