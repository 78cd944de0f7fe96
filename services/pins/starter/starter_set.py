"""Which pins the starter set has, which of them fit beside what a machine has, and how they become pins of the machine.

Owns these rules. The set is written in catalog.toml and catalog.lock beside this module, in the forms of every catalog
and lock. Fetches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from services.pins.locking.agreement import disagreements
from services.pins.locking.lock_book import LockBook
from shared.errors import RingtrueError
from shared.metric_families import families
from shared.weights.catalog_file import Entry, read_catalog
from shared.weights.catalog_text import put_entries
from shared.weights.lock import PinLock, read_locks

STARTER = "starter"
"""The set's name on the command line."""


class StarterDiffers(RingtrueError):
    """A pin here has the name of one of the set, but is another. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class StarterPin:
    """A pin of the set."""

    entry: Entry
    lock: PinLock


@dataclass(frozen=True, slots=True)
class FittingPins:
    """What of the set fits beside the pins of this machine."""

    pins: tuple[StarterPin, ...]
    left_out: Mapping[str, str]
    """A pin that is not taken -> the pin of this machine that measures in its place."""


def starter_pins() -> tuple[StarterPin, ...]:
    """Return the pins of the set, voices first."""
    with as_file(files(__package__)) as folder:
        entries, locks = read_catalog(folder / "catalog.toml"), read_locks(folder / "catalog.lock")
    return tuple(StarterPin(entry, locks[name]) for name, entry in entries.items())


def fitting(entries: Mapping[str, Entry], locks: Mapping[str, PinLock]) -> FittingPins:
    """Return what of the set fits beside the catalog and the locks of this machine.

    A metric takes its weights from exactly one pin, so a pin of the set is left out where another of its metric is
    locked. Raises `StarterDiffers`, which names every pin of the same name that is another.
    """
    every = starter_pins()
    _check_same(every, entries, locks)
    judges = {lock.engine: name for name, lock in locks.items() if lock.engine in families()}
    left_out = {
        pin.lock.name: judges[pin.lock.engine]
        for pin in every
        if pin.lock.engine in judges and pin.lock.name not in locks
    }
    return FittingPins(tuple(pin for pin in every if pin.lock.name not in left_out), left_out)


def add_missing(pins: Iterable[StarterPin], catalog: Path, book: LockBook) -> list[str]:
    """Write entries and locks that are missing into the two files. Return the names of the pins that were added.

    Raises `StarterDiffers` if one of them has become another meanwhile, and `CatalogInvalid` if the catalog cannot be
    edited. Then neither file has changed.
    """
    pins = list(pins)
    if not any(_lacking(pins, read_catalog(catalog), book.read())):
        return []
    with book.changing() as locks:
        entries = read_catalog(catalog)
        _check_same(pins, entries, locks)
        added = list(_lacking(pins, entries, locks))
        if new := [pin.entry for pin in pins if pin.entry.name not in entries]:
            put_entries(catalog, new)
        locks.update({pin.lock.name: pin.lock for pin in pins})
    return added


def _lacking(pins: Iterable[StarterPin], entries: Mapping[str, Entry], locks: Mapping[str, PinLock]) -> Iterator[str]:
    return (pin.lock.name for pin in pins if pin.lock.name not in entries or pin.lock.name not in locks)


def _check_same(pins: Iterable[StarterPin], entries: Mapping[str, Entry], locks: Mapping[str, PinLock]) -> None:
    """The lock decides. Of a pin that is not locked yet, the entry must say what the set's lock says."""
    wrong = []
    for pin in pins:
        name = pin.lock.name
        if name in locks and locks[name].sha256 != pin.lock.sha256:
            wrong.append(f"{name} (lock {locks[name].sha256[:12]} here, {pin.lock.sha256[:12]} in the set)")
        elif name in entries and name not in locks and (said := disagreements(entries[name], pin.lock)):
            wrong.append(f"{name} (in the catalog, not locked: {'; '.join(said)})")
    if wrong:
        raise StarterDiffers(
            f"the starter set has other pins of names that are taken here: {', '.join(wrong)}; nothing was changed."
            " To have the set's, rename or remove yours in catalog.toml and catalog.lock"
        )
