"""What `ringtrue models pull starter` says and keeps: sizes and licences before, what to type next after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.filesize import decimal

from services.pins.cli.place import Place
from services.pins.locking.lock_book import LockBook
from services.pins.pulling.pull import Pulled, Unpulled
from services.pins.starter.starter_set import STARTER, FittingPins, add_missing, fitting, starter_pins
from shared.weights.lock import PinLock

_NEXT = (
    'ringtrue say "The train leaves in ten minutes." --pin kokoro -o train.wav',
    'ringtrue say "图书馆下午五点关门，请大家抓紧时间。" --pin kokoro --language zh --voice zm_yunxi -o library.wav',
)


@dataclass(frozen=True, slots=True)
class Requested:
    """The locks to pull. ``starter``: what of the starter set is among them, if it was named."""

    locks: Sequence[PinLock]
    starter: FittingPins | None = None


def requested(place: Place, pins: Sequence[str]) -> Requested:
    """Return the locks that ``pins`` name. The word ``starter`` stands for the starter set, unless a pin has this name.

    Raises `NotLocked`, and `StarterDiffers` if pins of the set have other namesakes here.
    """
    entries, locks = place.entries(), place.locks()
    if STARTER not in pins:
        return Requested(place.locked_or_all(pins))
    if STARTER in entries or STARTER in locks:
        click.echo(f"{STARTER} is a pin of {place.catalog_file}; to pull the starter set, rename it", err=True)
        return Requested(place.locked_or_all(pins))
    starter = fitting(entries, locks)
    named = place.locked(pin for pin in pins if pin not in {STARTER, *(pin.lock.name for pin in starter.pins)})
    every = {lock.name: lock for lock in (*(pin.lock for pin in starter.pins), *named)}
    return Requested(list(every.values()), starter)


def known_locks(place: Place) -> list[PinLock]:
    """Return every lock whose files a pull must not clear away: also those of the set, whose pins are not locked here
    until they were pulled."""
    return [*place.locks().values(), *(pin.lock for pin in starter_pins())]


def tell_starter(place: Place, starter: FittingPins) -> None:
    """Say on stderr what the set has: size and licence of each pin, and what is still to come."""
    for name, other in starter.left_out.items():
        click.echo(f"{name} is left out: {other} is locked here for the same metric, which takes one pin", err=True)
    files = {file.sha256: file for pin in starter.pins for file in pin.lock.files}.values()
    coming = sum(file.size for file in files if not place.store.has(file))
    if not coming:
        return
    total = sum(file.size for file in files)
    click.echo(f"Starter set: {decimal(total)}, of which {decimal(coming)} must be fetched", err=True)
    for pin in starter.pins:
        size = decimal(pin.lock.size)
        click.echo(f"  {pin.lock.name:14}{size:>9}  {pin.lock.licence}", err=True)


def keep_starter(place: Place, starter: FittingPins, outcomes: Sequence[Pulled | Unpulled]) -> None:
    """Make those that were pulled pins of this machine, and say what changed. What did not come leaves no entry.

    Raises `StarterDiffers`, `CatalogInvalid` or `OSError`; then catalog and lock are as they were.
    """
    came = {outcome.lock.name: outcome for outcome in outcomes if isinstance(outcome, Pulled)}
    pins = [pin for pin in starter.pins if pin.lock.name in came]
    added = add_missing(pins, place.catalog_file, LockBook(place.lock_file))
    if added:
        click.echo(f"Added to {place.catalog_file} and {place.lock_file.name}: {', '.join(added)}", err=True)
    elif not any(came[pin.lock.name].fetched for pin in pins) and len(pins) == len(starter.pins):
        click.echo("The starter set is here already; nothing was changed.", err=True)


def tell_next() -> None:
    """Say on stderr what to type now."""
    click.echo("Next, while `ringtrue up` runs (a worker serves new pins within seconds):", err=True)
    for command in _NEXT:
        click.echo(f"  {command}", err=True)
