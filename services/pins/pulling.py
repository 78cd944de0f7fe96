"""Pull: the files of locked pins into the store, and a verified snapshot of each.

Owns the flow: is there room, fetch what the store has not (each file once, several at a time, the biggest first), lay
out the snapshot, check it. May be ended at any moment and begun again; two at once make one download.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from services.pins.crew import done_by_crew
from services.pins.download import Brought, Download, NotBrought
from services.pins.offers import Offers, SourcesOf
from services.pins.onlooker import Onlooker
from services.pins.partials import sweep
from services.pins.space import FreeBytes, check_space, free_bytes
from shared.weights.errors import FilesWrong
from shared.weights.lock import LockedFile, PinLock
from shared.weights.store import WeightStore
from shared.weights.verification import Verified, verify

THREADS = 8


@dataclass(frozen=True, slots=True)
class Pulled:
    """A pin whose files are all there and right."""

    lock: PinLock
    verified: Verified
    fetched: Sequence[Brought]
    """Each file once; what another pin of this pull was fetched for is not among them."""
    there: Sequence[LockedFile]
    """What need not be fetched: of another pin, of another pull, or of an earlier one."""
    shared_with: Collection[str]
    """Pins that have some of ``there`` too."""
    seconds: float

    @property
    def received(self) -> int:
        """Bytes that travelled."""
        return sum(brought.received for brought in self.fetched)

    @property
    def saved(self) -> int:
        """Bytes that need not travel."""
        return sum(file.size for file in self.there)


@dataclass(frozen=True, slots=True)
class Unpulled:
    """A pin that lacks files, and why each is not to be had. What came stays in the store."""

    lock: PinLock
    why: Sequence[str]


def pull(
    store: WeightStore,
    locks: Sequence[PinLock],
    sources_of: SourcesOf,
    onlooker: Onlooker,
    *,
    known: Iterable[PinLock] = (),
    free: FreeBytes = free_bytes,
    threads: int = THREADS,
) -> list[Pulled | Unpulled]:
    """One answer per lock, in order. ``known``: every lock there is; what none of them names is not kept for later.

    `NotEnoughSpace` before anything is fetched; `OSError` where the store cannot be written.
    """
    began = time.monotonic()
    known = {lock.sha256: lock for lock in (*locks, *known)}.values()
    sweep(store, {file.sha256 for lock in known for file in lock.files})
    files = _once(locks).values()
    missing = [file for file in files if not store.has(file)]
    check_space(store, missing, free)
    onlooker.expects(missing)
    with ExitStack() as held:
        for lock in locks:
            held.enter_context(store.using(lock))
        outcomes = _brought(Download(store, onlooker), Offers(locks, sources_of), files, threads)
        return [account.settled(store, began) for account in _accounts(locks, outcomes, known)]


def _once(locks: Iterable[PinLock]) -> dict[str, LockedFile]:
    """SHA-256 -> file: the same bytes may stand under several names, in several pins."""
    return {file.sha256: file for lock in locks for file in lock.files}


def _brought(
    download: Download, offers: Offers, files: Iterable[LockedFile], threads: int
) -> dict[str, Brought | NotBrought]:
    """What became of each file, by SHA-256."""

    def bring(file: LockedFile) -> Brought | NotBrought:
        try:
            return download.bring(file, offers.of(file))
        except NotBrought as error:
            return error

    biggest_first = sorted(files, key=lambda file: -file.size)
    return {file.sha256: outcome for file, outcome in done_by_crew(bring, biggest_first, threads)}


def _accounts(
    locks: Sequence[PinLock], outcomes: Mapping[str, Brought | NotBrought], known: Iterable[PinLock]
) -> Iterator[_Account]:
    """Whom each file was fetched for: the first pin that has it."""
    counted: set[str] = set()
    for lock in locks:
        account = _Account(lock)
        for sha256, file in _once([lock]).items():
            outcome = outcomes[sha256]
            if isinstance(outcome, NotBrought):
                account.why.append(str(outcome))
            elif outcome.whence is None or sha256 in counted:
                account.there.append(file)
            else:
                account.fetched.append(outcome)
            counted.add(sha256)
        there = {file.sha256 for file in account.there}
        account.shared_with = [o.name for o in known if o != lock and any(f.sha256 in there for f in o.files)]
        yield account


@dataclass(slots=True)
class _Account:
    lock: PinLock
    why: list[str] = field(default_factory=list)
    fetched: list[Brought] = field(default_factory=list)
    there: list[LockedFile] = field(default_factory=list)
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
        return Pulled(self.lock, verified, self.fetched, self.there, self.shared_with, seconds)
