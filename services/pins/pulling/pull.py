"""Pull: brings the files of locked pins into the store, and makes a verified snapshot of each.

Owns the flow: check the room, fetch what the store lacks (each file once, several at a time, the biggest first), lay
out the snapshot, verify it. A pull may be interrupted at any moment and started again; two at once share each download.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from services.pins.parallel import done_in_parallel
from services.pins.pulling.download import Brought, Download, NotBrought
from services.pins.pulling.file_sources import FileSources, SourcesOf
from services.pins.pulling.partials import sweep
from services.pins.pulling.pull_progress import PullProgress
from services.pins.pulling.space import FreeBytes, check_space, free_bytes
from services.pins.sources.packages.archives import remove_archives_except
from shared.weights.errors import FilesWrong
from shared.weights.lock import LockedFile, PinLock
from shared.weights.package import Package
from shared.weights.store import WeightStore
from shared.weights.verification import Verified, verify

THREADS = 8


@dataclass(frozen=True, slots=True)
class Pulled:
    """A pin whose files are all there and right."""

    lock: PinLock
    verified: Verified
    fetched: Sequence[Brought]
    """Each file once, without those that were fetched for another pin of this pull."""
    there: Sequence[LockedFile]
    """Files that need not be fetched: another pin, another pull or an earlier one has brought them."""
    shared: Sequence[LockedFile]
    """Those of ``there`` that another pin also has."""
    shared_with: Collection[str]
    """The names of those pins."""
    seconds: float

    @property
    def received(self) -> int:
        """Bytes that were transferred."""
        return sum(brought.received for brought in self.fetched)

    @property
    def saved(self) -> int:
        """Bytes that need not be transferred."""
        return sum(file.size for file in self.there)


@dataclass(frozen=True, slots=True)
class Unpulled:
    """A pin that lacks files, and why each could not be fetched. Files that came stay in the store."""

    lock: PinLock
    why: Sequence[str]


def pull(
    store: WeightStore,
    locks: Sequence[PinLock],
    sources_of: SourcesOf,
    progress: PullProgress,
    *,
    known: Iterable[PinLock] = (),
    free: FreeBytes = free_bytes,
    threads: int = THREADS,
) -> list[Pulled | Unpulled]:
    """Pull the locks. Returns one result per lock, in order. ``known``: every lock there is; partial files that none of
    them names are removed, and in the end the archives of packages that no longer have a file to deliver.

    Raises `NotEnoughSpace` before anything is fetched, and `OSError` if the store cannot be written.
    """
    began = time.monotonic()
    known = {lock.sha256: lock for lock in (*locks, *known)}.values()
    sweep(store, {file.sha256 for lock in known for file in lock.files})
    files = _once(locks).values()
    missing = [file for file in files if not store.has(file)]
    check_space(store, missing, free)
    progress.expects(missing)
    with ExitStack() as held:
        for lock in locks:
            held.enter_context(store.using(lock))
        outcomes = _brought(Download(store, progress), FileSources(locks, sources_of), files, threads)
        results = [account.settled(store, began) for account in _accounts(locks, outcomes, known)]
    remove_archives_except(store.archives, _packages_wanted(store, known))
    return results


def _packages_wanted(store: WeightStore, locks: Iterable[PinLock]) -> set[Package]:
    """Return the packages that have files which the store lacks."""
    components = (component for lock in locks for component in lock.components)
    lacking = (component for component in components if not all(map(store.has, component.files)))
    return {package for component in lacking for source in component.sources for package in source.packages}


def _once(locks: Iterable[PinLock]) -> dict[str, LockedFile]:
    """Return SHA-256 -> file. The same bytes may have several names, in several pins."""
    return {file.sha256: file for lock in locks for file in lock.files}


def _brought(
    download: Download, sources: FileSources, files: Iterable[LockedFile], threads: int
) -> dict[str, Brought | NotBrought]:
    """Return the result for each file, by SHA-256."""

    def bring(file: LockedFile) -> Brought | NotBrought:
        try:
            return download.bring(file, sources.of(file))
        except NotBrought as error:
            return error

    biggest_first = sorted(files, key=lambda file: -file.size)
    return {file.sha256: outcome for file, outcome in done_in_parallel(bring, biggest_first, threads)}


def _accounts(
    locks: Sequence[PinLock], outcomes: Mapping[str, Brought | NotBrought], known: Iterable[PinLock]
) -> Iterator[_Account]:
    """Yield one account per lock. A file that was fetched is counted for the first pin that has it."""
    counted: set[str] = set()
    for lock in locks:
        account = _Account(lock)
        for sha256, file in _once([lock]).items():
            outcome = outcomes[sha256]
            if isinstance(outcome, NotBrought):
                account.why.append(str(outcome))
            elif outcome.source_name is None or sha256 in counted:
                account.there.append(file)
            else:
                account.fetched.append(outcome)
            counted.add(sha256)
        others = {other.name: {file.sha256 for file in other.files} for other in known if other != lock}
        account.shared = [file for file in account.there if any(file.sha256 in theirs for theirs in others.values())]
        shared = {file.sha256 for file in account.shared}
        account.shared_with = [name for name, theirs in others.items() if theirs & shared]
        yield account


@dataclass(slots=True)
class _Account:
    lock: PinLock
    why: list[str] = field(default_factory=list)
    fetched: list[Brought] = field(default_factory=list)
    there: list[LockedFile] = field(default_factory=list)
    shared: Sequence[LockedFile] = ()
    shared_with: Collection[str] = ()

    def settled(self, store: WeightStore, began: float) -> Pulled | Unpulled:
        if self.why:
            return Unpulled(self.lock, self.why)
        try:
            store.link(self.lock)
            verified = verify(store, self.lock)
        except FilesWrong as error:
            return Unpulled(self.lock, [str(error)])
        seconds = time.monotonic() - began
        return Pulled(self.lock, verified, self.fetched, self.there, self.shared, self.shared_with, seconds)
