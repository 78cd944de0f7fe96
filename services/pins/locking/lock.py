"""Resolves what the catalog wants to commits and to the hash of every file.

Owns the flow: which source answers first, which other sources have the same bytes, and what must be fetched to be
hashed. Fetched files stay in the store. For large files, the SHA-256 that a hub lists is trusted here and checked by
the pull.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from services.pins.locking.agreement import disagreements
from services.pins.locking.lock_book import LockBook
from services.pins.locking.selection import Chosen, choose
from services.pins.locking.workroom import workroom
from services.pins.parallel import done_in_parallel
from services.pins.sources.base import ModelSource, SourceAccess, SourceFailed
from services.pins.sources.packages.archives import remove_archives
from services.pins.sources.table import endpoints, open_source
from shared.errors import RingtrueError
from shared.weights.catalog_file import Entry, Wanted
from shared.weights.errors import CatalogInvalid
from shared.weights.hashing import never_mind, sha256_of
from shared.weights.lock import Component, LockedFile, PinLock, Source
from shared.weights.store import WeightStore

Answer = TypeVar("Answer")

THREADS = 8
SMALL_BYTES = 10 << 20
"""Bytes. A file up to this size is always fetched and hashed, whatever a hub lists."""


class NotLockable(RingtrueError):
    """A pin that cannot be resolved to commits and bytes. The message gives the reason for each source."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A pin with a new lock. ``before``: its former lock, if it had one."""

    lock: PinLock
    before: PinLock | None


@dataclass(frozen=True, slots=True)
class KeptComponent:
    """A pin that was already locked and not to be updated."""

    lock: PinLock
    disagreements: Sequence[str]


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A pin that was not locked, and why. A former lock stays valid."""

    name: str
    why: str


def lock_pins(
    book: LockBook, entries: Sequence[Entry], locker: Locker, *, update: bool = False
) -> Iterator[Locked | KeptComponent | Unlocked]:
    """Lock the entries. Yields one result per entry, after it was written. Raises `OSError` if the disk fails."""
    for entry in entries:
        before = book.read().get(entry.name)
        if before is not None and not update:
            yield KeptComponent(before, disagreements(entry, before))
            continue
        try:
            lock = locker.lock(entry)
        except (NotLockable, CatalogInvalid) as error:
            yield Unlocked(entry.name, str(error))
            continue
        # Resolving takes long and holds no lock on the file, so another process may have locked the pin meanwhile.
        with book.changing() as locks:
            there = locks.get(entry.name)
            if update or there is None:
                locks[entry.name] = lock
        yield Locked(lock, before) if update or there is None else KeptComponent(there, disagreements(entry, there))


@dataclass(frozen=True, slots=True)
class Locker:
    """Resolves entries by asking the sources. ``says`` is called for those that did not answer."""

    store: WeightStore
    access: SourceAccess
    says: Callable[[str], None]

    def lock(self, entry: Entry) -> PinLock:
        """Return the lock of ``entry``. Raises `NotLockable` if no source of a component answers, and `CatalogInvalid`
        if the lock could not be served."""
        lock = PinLock.from_json(
            PinLock(
                name=entry.name,
                engine=entry.engine,
                components=tuple(self._component(part) for part in entry.components),
                version=entry.version,
                licence=entry.licence,
                options=entry.options,
                trust_remote_code=entry.trust_remote_code,
            ).to_json()
        )
        sources = [source for part in entry.components for source in part.sources]
        remove_archives(self.store.archives, [package for source in sources for package in source.packages])
        return lock

    def _component(self, wanted: Wanted) -> Component:
        failures = []
        for place, source in enumerate(wanted.sources):
            try:
                pinned, files = self._first_answer(source, wanted, self._files)
            except NotLockable as error:
                failures.append(str(error))
            else:
                for failure in failures:
                    self.says(f"{wanted.role}: left out of the lock: {failure}")
                others = [self._beside(other, wanted, files) for other in wanted.sources[place + 1 :]]
                return Component(wanted.role, (pinned, *(other for other in others if other)), tuple(files))
        raise NotLockable(f"component {wanted.role}: {'; '.join(failures)}")

    def _beside(self, source: Source, wanted: Wanted, files: Sequence[LockedFile]) -> Source | None:
        """Return a further source for the lock, at its own commit, or `None` if it does not have the same files."""
        if source.hub is None:
            return source
        try:
            return self._first_answer(source, wanted, lambda opened, _: _check_same(opened, files))[0]
        except NotLockable as error:
            self.says(f"{wanted.role}: left out of the lock: {error}")
            return None

    def _first_answer(
        self, source: Source, wanted: Wanted, ask: Callable[[ModelSource, Wanted], Answer]
    ) -> tuple[Source, Answer]:
        failures = []
        for endpoint in endpoints(source.hub, self.access) if source.hub else [None]:
            try:
                pinned = source
                opened = open_source(source, self.access, endpoint=endpoint, names=wanted.files)
                if source.hub is not None:
                    pinned = replace(source, revision=opened.resolve())
                    opened = open_source(pinned, self.access, endpoint=endpoint)
                return pinned, ask(opened, wanted)
            except SourceFailed as error:
                failures.append(str(error))
        raise NotLockable("; ".join(failures))

    def _files(self, source: ModelSource, wanted: Wanted) -> list[LockedFile]:
        chosen = choose(wanted, source.listed(), source.name)
        believed = [file.locked(sha256) for file in chosen if (sha256 := _believed(file)) is not None]
        fetched = [file for file in chosen if _believed(file) is None]
        with workroom(self.store) as room:
            hashed = [
                locked for _, locked in done_in_parallel(lambda f: self._hashed(source, f, room), fetched, THREADS)
            ]
        return sorted([*believed, *hashed], key=lambda file: file.path)

    def _hashed(self, source: ModelSource, chosen: Chosen, room: Path) -> LockedFile:
        """Fetch a file, compare it with the hub's listing, and move it into the store."""
        into = room / uuid.uuid4().hex
        source.fetch(chosen.locked(sha256=""), into, never_mind)
        file = chosen.locked(sha256_of(into))
        if wrong := _differs(into, file, chosen):
            raise SourceFailed(f"{source.name}: {chosen.listed.path}: {wrong}")
        if self.store.has(file):
            into.unlink()
        else:
            self.store.adopt(into, file, source_name=source.name)
        return file


def _believed(chosen: Chosen) -> str | None:
    """Return the SHA-256 that a hub lists for a large file, or `None`."""
    return chosen.listed.sha256 if chosen.listed.size > SMALL_BYTES else None


def _differs(fetched: Path, file: LockedFile, chosen: Chosen) -> str | None:
    listed, size = chosen.listed, fetched.stat().st_size
    if size != listed.size:
        return f"listed with {listed.size} bytes, but received {size}"
    if listed.sha256 not in (None, file.sha256):
        return f"listed with sha256 {listed.sha256}, but received {file.sha256}"
    if listed.git_sha1 is not None:
        found = hashlib.sha1(b"blob %d\0" % size + fetched.read_bytes(), usedforsecurity=False).hexdigest()
        if found != listed.git_sha1:
            return f"listed with git hash {listed.git_sha1}, but received {found}"
    return None


def _check_same(source: ModelSource, files: Sequence[LockedFile]) -> None:
    listed = {file.path: file for file in source.listed()}
    for file in files:
        there = listed.get(file.at_source)
        if there is None:
            raise SourceFailed(f"{source.name}: does not have {file.at_source}")
        if there.size != file.size or there.sha256 not in (None, file.sha256):
            raise SourceFailed(f"{source.name}: has a different {file.at_source}")


def changes(before: PinLock, after: PinLock) -> list[str]:
    """Return what a new lock changes in an old one, in words."""
    said = [f"{role}: {source}" for role, source in sorted(_sources(after) - _sources(before))]
    old, new = ({file.path: file.sha256 for file in lock.files} for lock in (before, after))
    for what, paths in _moved(old, new):
        if paths:
            said.append(f"{len(paths)} {'file' if len(paths) == 1 else 'files'} {what}: {', '.join(sorted(paths)[:3])}")
    return said


def _sources(lock: PinLock) -> set[tuple[str, str]]:
    return {(component.role, str(source)) for component in lock.components for source in component.sources}


def _moved(old: Mapping[str, str], new: Mapping[str, str]) -> Sequence[tuple[str, set[str]]]:
    same_name = old.keys() & new.keys()
    return (
        ("changed", {path for path in same_name if old[path] != new[path]}),
        ("added", new.keys() - old.keys()),
        ("removed", old.keys() - new.keys()),
    )
