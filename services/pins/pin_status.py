"""The state of each pin on this machine: locked, pulled, checked, and how much of it other pins share.

Owns the words for the states. Reads no file completely, and reports only what can be known without that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.weights.catalog_file import Entry
from shared.weights.lock import PinLock
from shared.weights.store import WeightStore
from shared.weights.verification import look, verified_at


class PulledState(StrEnum):
    """What this machine has of a pin."""

    NOT_LOCKED = "not locked"
    NOT_PULLED = "not pulled"
    PARTLY_PULLED = "partly pulled"
    NOT_LINKED = "not linked"  # every file is there but not the snapshot: a pull makes it
    WRONG = "wrong"  # visible without reading: a wrong size or link, or something that should not be there
    TOUCHED = "not verified"  # no fault is visible, but a file was touched since it was last read completely
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class PinStatus:
    """One pin. Sizes are in bytes."""

    pin: str
    state: PulledState
    engine: str
    version: str
    licence: str
    lock: PinLock | None = None
    there: int = 0
    """Bytes of its files that the store has."""
    shared: int = 0
    """Bytes of its files that other locked pins also have. They are stored once."""
    verified_at: float | None = None
    """When its files were last read completely (epoch seconds)."""
    trust_remote_code: bool = False
    """True if it runs code of its repository once that is trusted here."""
    trusted: bool = False
    detail: str = ""
    """What is wrong, if that is visible."""


def pin_statuses(
    store: WeightStore, entries: Mapping[str, Entry], locks: Mapping[str, PinLock], trusted: Collection[str] = ()
) -> list[PinStatus]:
    """Return every pin of the catalog and of the lock, by name. ``trusted``: hashes of the locks whose code may be
    run."""
    owners = Counter(sha256 for lock in locks.values() for sha256 in {file.sha256 for file in lock.files})
    found = []
    for pin in sorted({*entries, *locks}):
        if (lock := locks.get(pin)) is not None:
            found.append(replace(_standing(store, lock, owners), trusted=lock.sha256 in trusted))
        else:
            entry = entries[pin]
            said = PinStatus(pin, PulledState.NOT_LOCKED, entry.engine, entry.version, entry.licence)
            found.append(replace(said, trust_remote_code=entry.trust_remote_code))
    return found


def _standing(store: WeightStore, lock: PinLock, owners: Mapping[str, int]) -> PinStatus:
    state, detail, there = _state(store, lock)
    shared = {file.sha256: file.size for file in lock.files if owners[file.sha256] > 1}
    return PinStatus(
        pin=lock.name,
        state=state,
        engine=lock.engine,
        version=lock.version,
        licence=lock.licence,
        lock=lock,
        there=there,
        shared=sum(shared.values()),
        verified_at=verified_at(store, lock),
        trust_remote_code=lock.trust_remote_code,
        detail=detail,
    )


def _state(store: WeightStore, lock: PinLock) -> tuple[PulledState, str, int]:
    try:
        seen = look(store, lock)
    except OSError as error:
        return PulledState.WRONG, f"cannot be read: {error}", 0
    misshapen = [f"{file.path} is not {file.size} bytes long" for file in seen.there if not store.has(file)]
    there = sum(file.size for file in seen.there if store.has(file))
    if wrong := [*seen.misplaced, *misshapen]:
        return PulledState.WRONG, wrong[0], there
    if seen.missing:
        return (PulledState.PARTLY_PULLED if seen.there else PulledState.NOT_PULLED), "", there
    if not seen.linked:
        return PulledState.NOT_LINKED, "", there
    return (PulledState.TOUCHED if seen.doubtful else PulledState.VERIFIED), "", there
