"""``ringtrue models lock`` and ``watch``: what the catalog wants is written down, and looked after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from services.pins.exits import ExitCode, leave
from services.pins.lock_book import LockBook
from services.pins.locking import Kept, Locked, Locker, Unlocked, changes, lock_pins
from services.pins.place import Place, with_place
from services.pins.sizes import bytes_said
from services.pins.sources.table import read_access
from services.pins.watching import Seen, State, Watched, watch
from shared.weights.catalog_file import Entry

_SHORT = 12


@click.command()
@click.argument("pins", nargs=-1, metavar="[PIN]...")
@click.option("--update", is_flag=True, help="Lock again what is locked already, to what the catalog names today.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object per line.")
@with_place
def lock(place: Place, pins: tuple[str, ...], update: bool, as_lines: bool) -> None:
    """Resolve PINs of the catalog (default: all) to commits and to the hash of every file, in catalog.lock.

    A pin that is locked already stays as it is, unless --update.
    """
    entries = _entries(place, pins)
    locker = Locker(place.store, read_access(place.environ), lambda line: click.echo(line, err=True))
    failed = []
    for outcome in lock_pins(LockBook(place.lock_file), entries, locker, update=update):
        if isinstance(outcome, Unlocked):
            failed.append(outcome.name)
            click.echo(f"{outcome.name}: not locked: {outcome.why}", err=True)
        if as_lines:
            click.echo(json.dumps(_lock_document(outcome), ensure_ascii=False))
        elif not isinstance(outcome, Unlocked):
            click.echo(_lock_line(outcome))
    if failed:
        leave(ExitCode.FAILED, f"{len(failed)} of {len(entries)} not locked: {', '.join(failed)}")


@click.command("watch")
@click.argument("pins", nargs=-1, metavar="[PIN]...")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object per line.")
@with_place
def watch_pins(place: Place, pins: tuple[str, ...], as_lines: bool) -> None:
    """Ask where PINs (default: all that are locked) come from: do the locked commits still exist, have branches moved?

    Tells, and changes nothing. A hub that does not answer is no fault of a pin.
    """
    entries = place.entries()
    locks = place.locked(pins or place.locks())
    if not pins:
        for name in sorted(entries.keys() - {lock.name for lock in locks}):
            click.echo(f"{name}: not locked", err=True)
    found: list[Seen] = []
    for watched in watch(entries, locks, read_access(place.environ)):
        found += watched.seen
        if as_lines:
            click.echo(json.dumps(_watch_document(watched), ensure_ascii=False))
        else:
            for line in _watch_lines(watched):
                click.echo(line)
    if found and all(seen.state is State.UNKNOWN for seen in found):
        leave(ExitCode.UNAVAILABLE, "no hub could be asked")


def _entries(place: Place, pins: Sequence[str]) -> list[Entry]:
    entries = place.entries()
    if unknown := [pin for pin in pins if pin not in entries]:
        leave(ExitCode.NOT_FOUND, f"{place.catalog_file} does not name {', '.join(unknown)}")
    if not entries:
        leave(ExitCode.NOT_FOUND, f"{place.catalog_file} names no pin; an example is examples/catalog.toml")
    return [entries[pin] for pin in dict.fromkeys(pins or entries)]


def _lock_line(outcome: Locked | Kept) -> str:
    lock = outcome.lock
    files = list(lock.files)
    what = (
        f"{len(files)} {'file' if len(files) == 1 else 'files'}, {bytes_said(lock.size)}, lock {lock.sha256[:_SHORT]}"
    )
    if isinstance(outcome, Kept):
        behind = f"; --update: {'; '.join(outcome.disagreements)}" if outcome.disagreements else ""
        return f"{lock.name}: locked already, {what}{behind}"
    if outcome.before is None:
        return f"{lock.name}: locked, {what}"
    if outcome.before.sha256 == lock.sha256:
        return f"{lock.name}: nothing has changed, {what}"
    changed = "; ".join(changes(outcome.before, lock)) or "what the catalog says of it"
    return f"{lock.name}: updated from {outcome.before.sha256[:_SHORT]}, {what}: {changed}"


def _lock_document(outcome: Locked | Kept | Unlocked) -> dict[str, Any]:
    if isinstance(outcome, Unlocked):
        return {"pin": outcome.name, "state": "failed", "why": outcome.why}
    lock = outcome.lock
    document = {"pin": lock.name, "lock_sha256": lock.sha256, "files": len(list(lock.files)), "bytes": lock.size}
    if isinstance(outcome, Kept):
        return {**document, "state": "kept", "disagreements": list(outcome.disagreements)}
    if outcome.before is None:
        return {**document, "state": "locked"}
    state = "unchanged" if outcome.before.sha256 == lock.sha256 else "updated"
    return {**document, "state": state, "was": outcome.before.sha256, "changes": changes(outcome.before, lock)}


def _watch_lines(watched: Watched) -> list[str]:
    lines = [f"{watched.lock.name:24} {_seen_line(seen)}" for seen in watched.seen]
    if not watched.seen:
        lines = [f"{watched.lock.name:24} no hub to ask: its bytes alone say what it is"]
    if watched.disagreements is None:
        lines.append(f"{watched.lock.name:24} is not in the catalog")
    lines += [f"{watched.lock.name:24} {said}" for said in watched.disagreements or ()]
    return lines


def _seen_line(seen: Seen) -> str:
    source = f"{seen.role:12} {seen.source.hub} {seen.source.repo}@{(seen.source.revision or '')[:_SHORT]}"
    match seen.state:
        case State.STANDS:
            told = f"stands ({seen.branch}: {seen.why})" if seen.why else "stands"
        case State.MOVED:
            told = f"stands, {seen.branch} has moved to {seen.now}"
        case State.GONE:
            told = "GONE: the commit does not exist there any more; keep the store's copy"
        case State.UNKNOWN:
            told = f"not asked: {seen.why}"
    return f"{source}  {told}"


def _watch_document(watched: Watched) -> dict[str, Any]:
    sources = [
        {
            "role": seen.role,
            **seen.source.to_json(),
            "state": str(seen.state),
            "branch": seen.branch,
            "branch_is_at": seen.now,
            "why": seen.why or None,
        }
        for seen in watched.seen
    ]
    return {
        "pin": watched.lock.name,
        "lock_sha256": watched.lock.sha256,
        "in_catalog": watched.disagreements is not None,
        "disagreements": list(watched.disagreements or ()),
        "sources": sources,
    }
