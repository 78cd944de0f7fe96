"""``ringtrue models lock`` and ``watch``: lock what the catalog wants, and check what was locked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from rich.filesize import decimal

from services.pins.cli.exits import PinsExitCode, leave
from services.pins.cli.place import Place, hint_for, trusting, with_place
from services.pins.locking.lock import KeptComponent, Locked, Locker, Unlocked, changes, lock_pins
from services.pins.locking.lock_book import LockBook
from services.pins.locking.watching import Seen, Watched, WatchState, watch
from services.pins.sources.table import read_access
from shared.weights.catalog_file import Entry
from shared.weights.trust import trust

_SHORT = 12


@click.command()
@click.argument("pins", nargs=-1, metavar="[PIN]...")
@click.option("--update", is_flag=True, help="Also lock again pins that are locked already, as the catalog says now.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object per line.")
@trusting
@with_place
def lock(place: Place, pins: tuple[str, ...], update: bool, as_lines: bool, trusts: tuple[str, ...]) -> None:
    """Resolve PINs of the catalog (default: all) to commits and to the hash of every file, in catalog.lock.

    A pin that is locked already stays as it is, unless --update. A pin whose entry says trust_remote_code is locked
    only if --trust-remote-code names it.
    """
    entries = _entries(place, pins)
    _refuse_untrusted_entries(place, entries, update, trusts)
    access = read_access(place.environ, place.store.archives)
    locker = Locker(place.store, access, lambda line: click.echo(line, err=True))
    failed = []
    for outcome in lock_pins(LockBook(place.lock_file), entries, locker, update=update):
        if not isinstance(outcome, Unlocked) and outcome.lock.name in trusts:
            trust(place.lock_file, [outcome.lock])
        if isinstance(outcome, Unlocked):
            failed.append(outcome.name)
            click.echo(f"{outcome.name}: not locked: {outcome.why}", err=True)
        if as_lines:
            click.echo(json.dumps(_lock_document(outcome), ensure_ascii=False))
        elif not isinstance(outcome, Unlocked):
            click.echo(_lock_line(outcome))
    if failed:
        leave(PinsExitCode.FAILED, f"{len(failed)} of {len(entries)} pins not locked: {', '.join(failed)}")


@click.command("watch")
@click.argument("pins", nargs=-1, metavar="[PIN]...")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object per line.")
@with_place
def watch_pins(place: Place, pins: tuple[str, ...], as_lines: bool) -> None:
    """Ask where PINs (default: all that are locked) come from: do the locked commits still exist, have branches moved?

    Only reports, and changes nothing. A hub that does not answer is not a fault of a pin.
    """
    entries = place.entries()
    locks = place.locked(pins or place.locks())
    if not pins:
        place.tell_if_none_is_locked()
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
    if found and all(seen.state is WatchState.UNKNOWN for seen in found):
        leave(PinsExitCode.UNAVAILABLE, "no hub could be reached")


def _refuse_untrusted_entries(place: Place, entries: Sequence[Entry], update: bool, trusts: Sequence[str]) -> None:
    """End the command if an entry asks to run code and the user does not allow it: a catalog may come from anybody."""
    locks = place.locks()
    anew = [entry.name for entry in entries if entry.trust_remote_code and (update or entry.name not in locks)]
    if names := [name for name in anew if name not in trusts]:
        flags = " ".join(f"--trust-remote-code {name}" for name in names)
        leave(
            PinsExitCode.REFUSED,
            f"nothing was locked: {', '.join(names)} would run code from their repositories; "
            f"read the code, then add {flags}",
        )


def _entries(place: Place, pins: Sequence[str]) -> list[Entry]:
    entries = place.entries()
    if not entries:
        leave(
            PinsExitCode.NOT_FOUND, f"{place.catalog_file} contains no pins; for an example, see examples/catalog.toml"
        )
    if unknown := [pin for pin in pins if pin not in entries]:
        leave(
            PinsExitCode.NOT_FOUND,
            f"{place.catalog_file} does not contain {', '.join(unknown)}; {hint_for(unknown, entries)}",
        )
    return [entries[pin] for pin in dict.fromkeys(pins or entries)]


def _lock_line(outcome: Locked | KeptComponent) -> str:
    lock = outcome.lock
    files = list(lock.files)
    what = f"{len(files)} {'file' if len(files) == 1 else 'files'}, {decimal(lock.size)}, lock {lock.sha256[:_SHORT]}"
    if isinstance(outcome, KeptComponent):
        behind = (
            f"; the catalog differs (use --update): {'; '.join(outcome.disagreements)}" if outcome.disagreements else ""
        )
        return f"{lock.name}: already locked, {what}{behind}"
    if outcome.before is None:
        return f"{lock.name}: locked, {what}"
    if outcome.before.sha256 == lock.sha256:
        return f"{lock.name}: unchanged, {what}"
    changed = "; ".join(changes(outcome.before, lock)) or "details in the catalog"
    return f"{lock.name}: updated from {outcome.before.sha256[:_SHORT]}, {what}: {changed}"


def _lock_document(outcome: Locked | KeptComponent | Unlocked) -> dict[str, Any]:
    if isinstance(outcome, Unlocked):
        return {"pin": outcome.name, "state": "failed", "why": outcome.why}
    lock = outcome.lock
    document = {"pin": lock.name, "lock_sha256": lock.sha256, "files": len(list(lock.files)), "bytes": lock.size}
    if isinstance(outcome, KeptComponent):
        return {**document, "state": "kept", "disagreements": list(outcome.disagreements)}
    if outcome.before is None:
        return {**document, "state": "locked"}
    state = "unchanged" if outcome.before.sha256 == lock.sha256 else "updated"
    return {**document, "state": state, "was": outcome.before.sha256, "changes": changes(outcome.before, lock)}


def _watch_lines(watched: Watched) -> list[str]:
    lines = [f"{watched.lock.name:24} {_seen_line(seen)}" for seen in watched.seen]
    if not watched.seen:
        lines = [f"{watched.lock.name:24} comes from no hub; only its bytes identify it"]
    if watched.disagreements is None:
        lines.append(f"{watched.lock.name:24} is not in the catalog")
    lines += [f"{watched.lock.name:24} {said}" for said in watched.disagreements or ()]
    return lines


def _seen_line(seen: Seen) -> str:
    source = f"{seen.role:12} {seen.source.hub} {seen.source.repo}@{(seen.source.revision or '')[:_SHORT]}"
    match seen.state:
        case WatchState.STANDS:
            told = f"exists ({seen.branch}: {seen.why})" if seen.why else "exists"
        case WatchState.MOVED:
            told = f"exists, but {seen.branch} has moved to {seen.now}"
        case WatchState.GONE:
            told = "GONE: the commit no longer exists there; keep the copy in your store"
        case WatchState.UNKNOWN:
            told = f"unknown: {seen.why}"
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
