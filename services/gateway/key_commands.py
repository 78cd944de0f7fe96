"""``ringtrue keys``: make, list and revoke API keys in the SQL store, with no gateway running.

A composition root of its own: it reads the environment like `app.py`, and nothing else does.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

import click

from services.gateway.answers import as_json
from services.gateway.auth import check_secrets
from services.gateway.keys import USER_FORM, given_key, new_key
from shared.errors import SettingsError, StoreUnavailable
from shared.keys import Key, KeyStore
from shared.settings import read_settings
from shared.store.sql import Database, SqlKeyStore, migrate
from shared.times import rfc3339

EX_USAGE = 64
EX_NOT_FOUND = 66
EX_UNAVAILABLE = 69
EX_CONFIG = 78
_DAY_S = 24 * 3600


@click.group()
def keys() -> None:
    """API keys of this machine's store. Once there is one, every request needs one."""


@keys.command()
@click.argument("name")
@click.option("--expires", metavar="DAYS", type=click.FloatRange(min=0, min_open=True), help="Good for so many days.")
def create(name: str, expires: float | None) -> None:
    """Make a key for the user NAME and print it, once."""
    if USER_FORM.fullmatch(name) is None:
        _leave(EX_USAGE, f"{name!r} is no name: up to 64 letters, digits and . _ @ -, a letter or digit first")
    now = time.time()
    key, text = new_key(name, now, now + expires * _DAY_S if expires is not None else None)
    with _store() as store:
        store.add(key)
    click.echo(text)
    click.echo(f"Key {key.id} of {name}; it is shown this once. A running gateway asks for keys from now on.", err=True)


@keys.command()
@click.argument("name")
def adopt(name: str) -> None:
    """Keep the key in RINGTRUE_API_KEY as one of the user NAME, unless there is a key already.

    For a deployment that makes its secrets before its store.
    """
    text = os.environ.get("RINGTRUE_API_KEY", "")
    try:
        check_secrets(os.environ.get("RINGTRUE_PUBLISHED", "127.0.0.1"), {"RINGTRUE_API_KEY": text})
        key = given_key(text, name, time.time())
    except (ValueError, SettingsError) as error:
        _leave(EX_USAGE, f"RINGTRUE_API_KEY cannot be kept: {error}")
    with _store() as store:
        if store.any():
            click.echo("There is a key already; nothing was changed.", err=True)
            return
        store.add(key)
    click.echo(f"Key {key.id} of {name} is kept.", err=True)


@keys.command("list")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object per line.")
def list_keys(as_lines: bool) -> None:
    """Show every key ever made; never its secret."""
    with _store() as store:
        found = store.list()
    for key in found:
        if as_lines:
            click.echo(as_json(_document(key)).decode())
        else:
            click.echo("  ".join((key.id, f"{key.user:20}", rfc3339(key.created_at), _state(key))))


@keys.command()
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """Make a key invalid, within seconds and for good."""
    with _store() as store:
        if not store.revoke(key_id, time.time()):
            _leave(EX_NOT_FOUND, f"there is no key {key_id}")
    click.echo(f"Key {key_id} is revoked.", err=True)


@contextlib.contextmanager
def _store() -> Iterator[KeyStore]:
    try:
        settings = read_settings(os.environ)
        settings.data.mkdir(parents=True, exist_ok=True)
        database = Database(settings.database_url)
        migrate(database)
    except (SettingsError, OSError) as error:
        _leave(EX_CONFIG, f"cannot open the store: {error}")
    except StoreUnavailable as error:
        _leave(EX_UNAVAILABLE, f"the store does not answer: {error}")
    with contextlib.closing(database):
        yield SqlKeyStore(database)


def _leave(code: int, why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(code)


def _state(key: Key) -> str:
    if key.revoked_at is not None:
        return f"revoked {rfc3339(key.revoked_at)}"
    if key.expires_at is None:
        return "good"
    return f"{'good until' if key.expires_at > time.time() else 'expired'} {rfc3339(key.expires_at)}"


def _document(key: Key) -> dict[str, str | None]:
    return {
        "id": key.id,
        "user": key.user,
        "created_at": rfc3339(key.created_at),
        "expires_at": None if key.expires_at is None else rfc3339(key.expires_at),
        "revoked_at": None if key.revoked_at is None else rfc3339(key.revoked_at),
        "state": _state(key),
    }


if __name__ == "__main__":
    keys(prog_name="ringtrue keys")
