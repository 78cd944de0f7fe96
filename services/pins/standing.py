"""How each pin stands on this machine: locked, pulled, checked, and how much of it others have too.

Owns the words for that. Reads no file whole: what can be said without that is said, and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.weights.catalog_file import Entry
from shared.weights.lock import PinLock
from shared.weights.store import WeightStore
from shared.weights.verification import look, verified_at


class State(StrEnum):
    """What there is of a pin."""

    NOT_LOCKED = "not locked"
    NOT_PULLED = "not pulled"
    PARTLY_PULLED = "partly pulled"
    NOT_LINKED = "not linked"  # every file is there, the snapshot is not: a pull makes it
    WRONG = "wrong"  # seen without reading: a size, a link, something that should not be there
    TOUCHED = "not verified"  # nothing wrong is seen, but a file was touched since it was last read whole
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Standing:
    """One pin. Sizes in bytes."""

    pin: str
    state: State
    engine: str
    version: str
    licence: str
    lock: PinLock | None = None
    there: int = 0
    """Of its files, those that the store has."""
    shared: int = 0
    """Of its files, those that other locked pins have too; kept once."""
    verified_at: float | None = None
    """When its files were last read whole (epoch seconds)."""
    detail: str = ""
    """What is wrong, where that is seen."""


def standings(store: WeightStore, entries: Mapping[str, Entry], locks: Mapping[str, PinLock]) -> list[Standing]:
    """Every pin of the catalog and of the lock, by name."""
    owners = Counter(sha256 for lock in locks.values() for sha256 in {file.sha256 for file in lock.files})
    found = []
    for pin in sorted({*entries, *locks}):
        if (lock := locks.get(pin)) is not None:
            found.append(_standing(store, lock, owners))
        else:
            entry = entries[pin]
            found.append(Standing(pin, State.NOT_LOCKED, entry.engine, entry.version, entry.licence))
    return found


def _standing(store: WeightStore, lock: PinLock, owners: Mapping[str, int]) -> Standing:
    state, detail, there = _state(store, lock)
    shared = {file.sha256: file.size for file in lock.files if owners[file.sha256] > 1}
    return Standing(
        pin=lock.name,
        state=state,
        engine=lock.engine,
        version=lock.version,
        licence=lock.licence,
        lock=lock,
        there=there,
        shared=sum(shared.values()),
        verified_at=verified_at(store, lock),
        detail=detail,
    )


def _state(store: WeightStore, lock: PinLock) -> tuple[State, str, int]:
    try:
        seen = look(store, lock)
    except OSError as error:
        return State.WRONG, f"it cannot be read: {error}", 0
    misshapen = [f"{file.path} has not the size {file.size}" for file in seen.there if not store.has(file)]
    there = sum(file.size for file in seen.there if store.has(file))
    if wrong := [*seen.misplaced, *misshapen]:
        return State.WRONG, wrong[0], there
    if seen.missing:
        return (State.PARTLY_PULLED if seen.there else State.NOT_PULLED), "", there
    if not seen.linked:
        return State.NOT_LINKED, "", there
    return (State.TOUCHED if seen.doubtful else State.VERIFIED), "", there
