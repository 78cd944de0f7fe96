"""``ringtrue keys``: make, list and revoke API keys in the SQL store, without a running gateway.

A composition root of its own: it reads the environment like `app.py`, and nothing else does.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

import click

from services.gateway.auth import check_secrets
from services.gateway.http.json_bytes import as_json
from services.gateway.keys import CACHED_S, LOCAL_USER, USER_FORM, given_key, new_key
from shared.blobs import open_blobs
from shared.errors import SettingsError, StoreUnavailable
from shared.files.private_folder import keep_private
from shared.keys import Key, KeyStore
from shared.settings import read_settings
from shared.store.sql import ACCEPT_EMPTY, SqlKeyStore, is_served, name_of, open_database
from shared.values.times import rfc3339

EX_USAGE = 64
EX_NOT_FOUND = 66
EX_UNAVAILABLE = 69
EX_CONFIG = 78
_DAY_S = 24 * 3600
_LATE_S = 1.0
"""Seconds to allow for a request that was let in at the last moment."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--accept-empty", is_flag=True, help=f"After a database was lost: {ACCEPT_EMPTY}.")
def keys(accept_empty: bool) -> None:
    """Manage the API keys of a store. Once it has a key, every request needs one.

    The store is that of the data folder (--data, RINGTRUE_DATA or ~/.local/share/ringtrue), unless
    RINGTRUE_DATABASE_URL names another.
    """


@keys.command()
@click.argument("name")
@click.option(
    "--expires",
    metavar="DAYS",
    type=click.FloatRange(min=0, min_open=True),
    help="Days until the key expires. Default: never.",
)
def create(name: str, expires: float | None) -> None:
    """Make a key for the user NAME and print it, once."""
    if USER_FORM.fullmatch(name) is None:
        _leave(
            EX_USAGE,
            f"{name!r} is not a valid name; use up to 64 letters, digits and . _ @ -, starting with a letter or digit",
        )
    with _store() as store:
        key, text = new_key(name, store.now, store.now + expires * _DAY_S if expires is not None else None)
        handed_over = store.keys.add_first(key, LOCAL_USER)
        if handed_over is None:
            store.keys.add(key)
        click.echo(text)
        click.echo(f"Key {key.id} of {name}, in {store.name}. It is shown only once. {_asked_for(store)}", err=True)
        _tell_handed_over(store, name, handed_over)


@keys.command()
@click.argument("name")
def adopt(name: str) -> None:
    """Store the key in RINGTRUE_API_KEY as a key of the user NAME, unless the store has a key already.

    For a deployment that makes its secrets before its store.
    """
    text = os.environ.get("RINGTRUE_API_KEY", "")
    try:
        check_secrets(os.environ.get("RINGTRUE_PUBLISHED", "127.0.0.1"), {"RINGTRUE_API_KEY": text})
        key = given_key(text, name, 0.0)
    except (ValueError, SettingsError) as error:
        _leave(EX_USAGE, f"RINGTRUE_API_KEY cannot be stored: {error}")
    with _store() as store:
        handed_over = store.keys.add_first(replace(key, created_at=store.now), LOCAL_USER)
        if handed_over is None:
            click.echo("The store has a key already; nothing was changed.", err=True)
            return
        click.echo(f"Key {key.id} of {name} stored.", err=True)
        _tell_handed_over(store, name, handed_over)


@keys.command("list")
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object per line.")
def list_keys(as_lines: bool) -> None:
    """List every key ever made. Secrets are never shown."""
    with _store() as store:
        found, now = store.keys.list(), store.now
    if not found:
        click.echo(f"There are no keys in {store.name}.", err=True)
    for key in found:
        if as_lines:
            click.echo(as_json(_document(key, now)).decode())
        else:
            click.echo("  ".join((key.id, f"{key.user:20}", rfc3339(key.created_at), _state(key, now))))


@keys.command()
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """Revoke a key for good. It stops working within seconds."""
    with _store() as store:
        if not store.keys.revoke(key_id, store.now):
            _leave(EX_NOT_FOUND, f"there is no key {key_id} in {store.name}")
    click.echo(f"Key {key_id} in {store.name} revoked.", err=True)


def _asked_for(store: _Store) -> str:
    """Say which gateway asks for keys from now on."""
    if store.served:
        return "The running gateway of this store requires keys from now on."
    return (
        "No gateway uses this store at the moment. For another data folder: `ringtrue keys --data FOLDER create NAME`."
    )


def _tell_handed_over(store: _Store, heir: str, handed_over: Mapping[str, int] | None) -> None:
    """Say what the first key's user took over of what was made without a key.

    ``handed_over``: how much, by kind; None if this is not the first key."""
    if handed_over is None:
        return
    late: Mapping[str, int] = {}
    if store.served:  # it takes requests without a key for a moment more
        time.sleep(CACHED_S + _LATE_S)
        late = store.keys.hand_over(LOCAL_USER, heir)
    total = {kind: handed_over.get(kind, 0) + late.get(kind, 0) for kind in [*handed_over, *late]}
    if total:
        counts = ", ".join(f"{count} {kind if count > 1 else kind.removesuffix('s')}" for kind, count in total.items())
        click.echo(f"Everything made here without a key now belongs to {heir}: {counts}.", err=True)


@dataclass(frozen=True, slots=True)
class _Store:
    """An open store. ``now``: epoch seconds by the store's own clock. ``served``: a gateway runs on it."""

    name: str
    keys: KeyStore
    now: float
    served: bool


@contextlib.contextmanager
def _store() -> Iterator[_Store]:
    try:
        settings = read_settings(os.environ)
        keep_private(settings.data)
        settings.data.mkdir(parents=True, exist_ok=True)
        blobs = open_blobs(settings.blobs, create=False)
        database = open_database(settings.database_url, blobs, accept_empty=_accepts_empty())
        found = _Store(name_of(database), SqlKeyStore(database), database.now(), is_served(database))
    except (SettingsError, OSError) as error:
        _leave(EX_CONFIG, f"cannot open the store: {error}")
    except StoreUnavailable as error:
        _leave(EX_UNAVAILABLE, f"the store does not answer: {error}")
    with contextlib.closing(database):
        yield found


def _accepts_empty() -> bool:
    group = click.get_current_context().parent
    return group is not None and bool(group.params["accept_empty"])


def _leave(code: int, why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(code)


def _state(key: Key, now: float) -> str:
    if key.revoked_at is not None:
        return f"revoked {rfc3339(key.revoked_at)}"
    if key.expires_at is None:
        return "good"
    return f"{'good until' if key.expires_at > now else 'expired'} {rfc3339(key.expires_at)}"


def _document(key: Key, now: float) -> dict[str, str | None]:
    return {
        "id": key.id,
        "user": key.user,
        "created_at": rfc3339(key.created_at),
        "expires_at": None if key.expires_at is None else rfc3339(key.expires_at),
        "revoked_at": None if key.revoked_at is None else rfc3339(key.revoked_at),
        "state": _state(key, now),
    }


if __name__ == "__main__":
    keys(prog_name="ringtrue keys")
