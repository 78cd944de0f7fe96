"""``ringtrue models promote``, ``rollback`` and ``aliases``: what a team's names mean now, and what they meant before.

A composition root of its own for the SQL store: these commands work with no gateway running, and a running gateway
follows within a second or two. What a move is, is defined in shared/aliases.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
from collections.abc import Iterator, Sequence
from typing import Any

import click

from services.pins.cli.exits import PinsExitCode, errors_told, leave
from shared.aliases import (
    CANDIDATE,
    Alias,
    AliasRefused,
    AliasStore,
    AliasUnknown,
    Move,
    MoveKind,
    promoted,
    read_alias,
    read_alias_for,
    rolled_back,
    signed,
)
from shared.blobs import open_blobs
from shared.catalog import PinState
from shared.files.private_folder import keep_private
from shared.settings import read_settings
from shared.store.sql import Database, SqlAliasStore, SqlJobStore, is_served, name_of, open_database
from shared.values.times import rfc3339

_reason = click.option("--reason", required=True, metavar="TEXT", help="Reason for the move; kept in the history.")
_by = click.option("--by", metavar="NAME", help="Who moves the alias. Default: the user of this process.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


@click.command()
@click.argument("pin")
@click.argument("alias")
@_reason
@click.option(
    "--weight",
    type=float,
    default=0.0,
    metavar="SHARE",
    help="For a candidate: the share of production's users that get it, 0 to 1. Default: 0.",
)
@_by
@click.option(
    "--force", is_flag=True, help="Promote even a pin that no worker has published or that its workers refuse."
)
@_as_json
def promote(pin: str, alias: str, reason: str, weight: float, by: str | None, force: bool, as_json: bool) -> None:
    """Make ALIAS mean PIN from now on.

    ALIAS is MODEL@ALIAS (indextts2@production), or only the ALIAS if PIN is MODEL-vN.
    """
    with _database() as database:
        wanted = read_alias_for(alias, pin)
        if not force:
            _check_served(database, pin)
        store = SqlAliasStore(database)
        signature = signed(_who(by), reason, database.now())
        moves = promoted(_last(store), wanted, pin, weight, signature)
        _record(store, wanted, moves)
        if not moves:
            click.echo(f"{wanted} already means {pin}.", err=True)
        _tell(moves, as_json)
        _tell_store(database, moves)


@click.command()
@click.argument("alias", metavar="MODEL@ALIAS")
@_reason
@_by
@_as_json
def rollback(alias: str, reason: str, by: str | None, as_json: bool) -> None:
    """Make an alias mean the pin that it meant before. A second rollback goes one pin further back."""
    with _database() as database:
        wanted, store = read_alias(alias), SqlAliasStore(database)
        signature = signed(_who(by), reason, database.now())
        moves = rolled_back(store.history(wanted), _last(store), wanted, signature)
        _record(store, wanted, moves)
        _tell(moves, as_json)
        _tell_store(database, moves)


@click.command()
@click.argument("alias", metavar="[MODEL@ALIAS]", required=False)
@click.option("--history", is_flag=True, help="Show every move, oldest first.")
@_as_json
def aliases(alias: str | None, history: bool, as_json: bool) -> None:
    """Show what every alias means, since when, by whom and why."""
    with _database() as database:
        store = SqlAliasStore(database)
        asked = [read_alias(alias)] if alias is not None else list(_last(store))
        found = [store.history(one) for one in asked]
        if alias is not None and not found[0]:
            raise AliasUnknown(f"there is no alias {alias}; `ringtrue models aliases` lists them")
    moves = [move for moves in found for move in (moves if history else moves[-1:])]
    for move in moves:
        click.echo(_as_line(move) if as_json else _row(move, history))
    if not moves:
        click.echo("There are no aliases. To make one: ringtrue models promote PIN ALIAS --reason TEXT", err=True)


@contextlib.contextmanager
def _database() -> Iterator[Database]:
    with errors_told():
        settings = read_settings(os.environ)
        keep_private(settings.data)
        settings.data.mkdir(parents=True, exist_ok=True)
        blobs = open_blobs(settings.blobs, create=False)
        with contextlib.closing(open_database(settings.database_url, blobs)) as database:
            yield database


def _check_served(database: Database, pin: str) -> None:
    published = {manifest.pin: manifest for manifest, _ in SqlJobStore(database).manifests()}
    if pin not in published:
        leave(
            PinsExitCode.NOT_FOUND,
            f"no worker has published a pin {pin}; `ringtrue pins` lists all; use --force to promote it anyway",
        )
    if published[pin].state is PinState.REFUSED:
        why = published[pin].detail or "its files do not match its lock"
        leave(PinsExitCode.REFUSED, f"{pin} is not served: {why}; use --force to promote it anyway")


def _who(by: str | None) -> str:
    if by is not None:
        return by
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        leave(
            PinsExitCode.USAGE,
            f"user {os.getuid()} has no name on this machine; use --by NAME to say who moves the alias",
        )


def _last(store: AliasStore) -> dict[Alias, Move]:
    return {move.alias: move for move in store.last_moves()}


def _record(store: AliasStore, alias: Alias, moves: Sequence[Move]) -> None:
    """Record the moves. Raises `AliasRefused` on a conflict and does not retry: two simultaneous rollbacks are meant to
    go back one pin, not two."""
    if moves and not store.record(moves):
        raise AliasRefused(f"{alias} was moved at the same time by another command; check it, then try again")


def _tell(moves: Sequence[Move], as_json: bool) -> None:
    for move in moves:
        if as_json:
            click.echo(_as_line(move))
        left = f"{move.previous} -> " if move.previous not in (None, move.pin) else ""
        share = f", {_share(move)} of the users of {move.alias.production}" if move.alias.word == CANDIDATE else ""
        click.echo(f"{move.alias}: {left}{move.pin}{share}", err=True)


def _tell_store(database: Database, moves: Sequence[Move]) -> None:
    if moves:
        seen = (
            ""
            if is_served(database)
            else "; no gateway uses it at the moment (to use another data folder: --data FOLDER)"
        )
        click.echo(f"Recorded in {name_of(database)}{seen}.", err=True)


def _as_line(move: Move) -> str:
    document: dict[str, Any] = {
        "alias": str(move.alias),
        "kind": move.kind.value,
        "pin": move.pin,
        "previous": move.previous,
        "weight": move.weight,
        "by": move.signature.by,
        "reason": move.signature.reason,
        "at": rfc3339(move.signature.at),
    }
    return json.dumps(document, ensure_ascii=False)


def _row(move: Move, history: bool) -> str:
    pin = f"{move.previous} -> {move.pin}" if history and move.previous else move.pin
    share = _share(move) if move.alias.word == CANDIDATE else ""
    back = "rolled back: " if move.kind is MoveKind.ROLLBACK else ""
    fields = (f"{move.alias!s:24}", f"{pin:20}", f"{share:>6}", rfc3339(move.signature.at), f"{move.signature.by:10}")
    return "  ".join((*fields, back + move.signature.reason))


def _share(move: Move) -> str:
    return f"{100 * move.weight:g} %"
