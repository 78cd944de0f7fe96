"""``ringtrue models verify``, ``list``, ``diff`` and ``remove``: what is on this machine. They need no network.

Owns the command lines and the output. The checks are in shared/weights.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import click
from rich.filesize import decimal

from services.pins.cli.exits import PinsExitCode, leave
from services.pins.cli.place import Place, with_place
from services.pins.cli.reading import progress_of
from services.pins.locking.difference import LockDifference, difference
from services.pins.pin_status import PinStatus, PulledState, pin_statuses
from shared.values.times import rfc3339
from shared.weights.errors import FilesWrong, InUse, NotPulled
from shared.weights.hashing import OnBytes
from shared.weights.lock import LockedFile, PinLock
from shared.weights.store import WeightStore
from shared.weights.trust import trusted
from shared.weights.verification import Verified, verify

_as_lines = click.option("--json", "as_lines", is_flag=True, help="Print one JSON object per pin and line.")


@click.command("verify")
@click.argument("pins", nargs=-1, metavar="[PIN]...")
@click.option("--quick", is_flag=True, help="Read only files that changed since they were last read completely.")
@_as_lines
@with_place
def verify_command(place: Place, pins: tuple[str, ...], quick: bool, as_lines: bool) -> None:
    """Check every byte of PIN..., or of all pins that are pulled, against the lock. Needs no network."""
    store, known = place.store, place.locks()
    locks = place.locked(pins or known)
    if not pins:
        place.tell_if_none_is_locked()
        absent = [lock.name for lock in locks if not os.path.lexists(store.snapshot(lock))]
        locks = [lock for lock in locks if lock.name not in absent]
        if absent:
            click.echo(f"not pulled, so not checked: {', '.join(absent)}", err=True)
    wrong, read = list[str](), set[str]()
    sizes = {} if quick else {file.sha256: file.size for lock in locks for file in lock.files if store.has(file)}
    with progress_of("reading", sum(sizes.values())) as on_bytes:
        for lock in locks:
            found = _checked(store, lock, quick, read, on_bytes)
            if isinstance(found, Verified):
                read |= {file.sha256 for file in lock.files}
            else:
                wrong.append(lock.name)
            click.echo("\n".join(_check_lines(lock, found, as_lines)))
    if wrong:
        leave(
            PinsExitCode.FAILED,
            f"does not match the lock: {', '.join(wrong)}; `ringtrue models pull` fetches missing and wrong files",
        )


def _checked(
    store: WeightStore, lock: PinLock, quick: bool, read: set[str], on_bytes: OnBytes
) -> Verified | FilesWrong:
    try:
        return verify(store, lock, whole=not quick, just_read=read, on_bytes=on_bytes)
    except FilesWrong as error:
        return error


def _check_lines(lock: PinLock, found: Verified | FilesWrong, as_lines: bool) -> list[str]:
    every = [] if isinstance(found, Verified) else list(found.every or [str(found)])
    state = (
        PulledState.VERIFIED
        if not every
        else PulledState.NOT_PULLED
        if isinstance(found, NotPulled)
        else PulledState.WRONG
    )
    if as_lines:
        document = {"pin": lock.name, "lock_sha256": lock.sha256, "state": _word(state), "bytes": lock.size}
        read = {"read_bytes": found.hashed_bytes} if isinstance(found, Verified) else {}
        return [_json({**document, **read, "errors": every})]
    if isinstance(found, Verified):
        return [f"ok     {lock.name}  {found.files} files, {decimal(lock.size)}, {decimal(found.hashed_bytes)} read"]
    return [f"wrong  {lock.name}  {what}" for what in every]


@click.command("list")
@_as_lines
@with_place
def list_command(place: Place, as_lines: bool) -> None:
    """Show every pin of the catalog and of the lock, and its state on this machine. Reads no file completely."""
    found = pin_statuses(place.store, place.entries(), place.locks(), trusted(place.lock_file))
    if as_lines:
        for standing in found:
            click.echo(_json(_document(standing)))
    elif found:
        rows = [_COLUMNS, *map(_row, found)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    else:
        click.echo(
            f"There are no pins in {place.catalog_file} or {place.lock_file}; `ringtrue models pull starter` brings "
            "a small set, and an example is examples/catalog.toml. "
            "Built-in pins are in neither file; `ringtrue pins` lists the pins of a running gateway.",
            err=True,
        )


_COLUMNS = ("PIN", "VERSION", "ENGINE", "STATE", "SIZE", "SHARED", "VERIFIED", "CODE", "LICENCE")


def _row(standing: PinStatus) -> tuple[str, ...]:
    state: str = standing.state
    if standing.state is PulledState.PARTLY_PULLED:
        state += f" ({decimal(standing.there)})"
    return (
        standing.pin,
        standing.version or "-",
        standing.engine,
        f"{state}: {standing.detail}" if standing.detail else state,
        decimal(standing.lock.size) if standing.lock else "-",
        decimal(standing.shared) if standing.shared else "-",
        _time(standing.verified_at) or "-",
        _code(standing),
        standing.licence or "-",
    )


def _code(standing: PinStatus) -> str:
    """Return whether code of the pin's repository is run, and whether it is trusted."""
    if not standing.trust_remote_code:
        return "-"
    return "trusted" if standing.trusted else "NOT TRUSTED"


def _document(standing: PinStatus) -> dict[str, Any]:
    return {
        "pin": standing.pin,
        "version": standing.version,
        "engine": standing.engine,
        "state": _word(standing.state),
        "detail": standing.detail or None,
        "lock_sha256": standing.lock.sha256 if standing.lock else None,
        "bytes": standing.lock.size if standing.lock else None,
        "bytes_there": standing.there,
        "bytes_shared": standing.shared,
        "trust_remote_code": standing.trust_remote_code,
        "trusted": standing.trusted,
        "licence": standing.licence,
        "verified_at": _time(standing.verified_at),
    }


@click.command("diff")
@click.argument("before", metavar="PIN")
@click.argument("after", metavar="PIN")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_place
def diff_command(place: Place, before: str, after: str, as_json: bool) -> None:
    """Show what changes from the first PIN to the second: files, bytes to fetch, options, commits."""
    one, other = (place.locked([pin])[0] for pin in (before, after))
    found = difference(one, other)
    lacking = {file.sha256: file.size for file in other.files if not place.store.has(file)}
    if as_json:
        click.echo(
            _json({"from": before, "to": after, **_difference(found), "bytes_to_fetch_here": sum(lacking.values())})
        )
        return
    for sign, files in (("+", found.added), ("-", found.removed)):
        for file in files:
            click.echo(f"{sign} {file.path}  {decimal(file.size)}  {file.sha256[:12]}")
    for old, new in found.changed:
        sizes = f"{decimal(old.size)} -> {decimal(new.size)}"
        click.echo(f"~ {new.path}  {sizes}  {old.sha256[:12]} -> {new.sha256[:12]}")
    for name, (was, becomes) in found.said.items():
        click.echo(f"~ {name}: {was!r} -> {becomes!r}")
    click.echo(
        f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed, {len(found.same)} same;"
        f" {decimal(found.to_fetch)} to fetch if {before} is here, {decimal(sum(lacking.values()))} here"
    )


def _difference(found: LockDifference) -> dict[str, Any]:
    def named(files: Sequence[LockedFile]) -> list[dict[str, Any]]:
        return [file.to_json() for file in files]

    return {
        "added": named(found.added),
        "removed": named(found.removed),
        "changed": [{"from": old.to_json(), "to": new.to_json()} for old, new in found.changed],
        "same": named(found.same),
        "differs": {name: {"from": was, "to": becomes} for name, (was, becomes) in found.said.items()},
        "bytes_to_fetch": found.to_fetch,
    }


@click.command("remove")
@click.argument("pins", nargs=-1, required=True, metavar="PIN...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_place
def remove_command(place: Place, pins: tuple[str, ...], yes: bool) -> None:
    """Remove the files of PIN... from this machine, except those that another pin also has. The lock stays.

    Refused while a running worker serves the pin.
    """
    locks = place.locked(pins)
    if not yes:
        click.confirm(f"Remove the files of {', '.join(lock.name for lock in locks)}?", abort=True, err=True)
    held: list[str] = []
    gone: list[str] = []
    for lock in locks:
        others = [other for other in place.locks().values() if other.name not in {lock.name, *gone}]
        try:
            freed = place.store.remove(lock, others)
        except InUse as error:
            held.append(lock.name)
            click.echo(f"not removed: {error}", err=True)
        else:
            gone.append(lock.name)
            click.echo(f"{lock.name}: {decimal(freed)} freed")
    if held:
        leave(PinsExitCode.FAILED, f"not removed: {', '.join(held)}")


def _word(state: PulledState) -> str:
    return state.value.replace(" ", "_")


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at, "seconds")
