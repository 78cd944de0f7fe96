"""Where `ringtrue models` works: the catalog, its lock and the store, as the environment and the command line say.

The composition root of these commands. Only the alias commands, which need the database, read the settings themselves.

    @click.command()
    @click.argument("pins", nargs=-1)
    @with_place
    def verify(place: Place, pins: tuple[str, ...]) -> None: ...
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from services.pins.cli.exits import PinsExitCode, errors_told, leave
from shared.files.private_folder import keep_private
from shared.network.proxies import without_proxy_here
from shared.settings import read_settings
from shared.values.spelling import nearest
from shared.weights.catalog_file import Entry, read_catalog
from shared.weights.errors import NotLocked
from shared.weights.lock import PinLock, read_locks
from shared.weights.store import WeightStore
from shared.weights.trust import untrusted


def hint_for(unknown: Sequence[str], known: Collection[str]) -> str:
    """Return what to do about names of pins that are in no file: similar names, or where there are entries."""
    if not known:
        return "examples/catalog.toml and examples/catalog.lock have entries to start from"
    near = {name for pin in unknown if (name := nearest(pin, known))}
    return f"did you mean {', '.join(sorted(near))}?" if near else "`ringtrue models list` lists what they have"


@dataclass(frozen=True, slots=True)
class Place:
    """The two files and the store's folder. Files are read at each call, since other commands may write them
    meanwhile."""

    catalog_file: Path
    lock_file: Path
    store: WeightStore
    environ: Mapping[str, str]

    def entries(self) -> dict[str, Entry]:
        """Return the catalog, by pin."""
        return read_catalog(self.catalog_file)

    def locks(self) -> dict[str, PinLock]:
        """Return every lock, by pin."""
        return read_locks(self.lock_file)

    def locked(self, pins: Iterable[str]) -> list[PinLock]:
        """Return the locks of ``pins``, in order and each once. Raises `NotLocked`, which names those that have
        none."""
        locks, pins = self.locks(), dict.fromkeys(pins)
        if missing := [pin for pin in pins if pin not in locks]:
            entries = self.entries()
            if unknown := [pin for pin in missing if pin not in entries]:
                raise NotLocked(
                    f"neither {self.catalog_file} nor {self.lock_file} has {', '.join(unknown)}"
                    f"; {hint_for(unknown, {*locks, *entries})}"
                )
            raise NotLocked(
                f"{self.lock_file} has no lock for {', '.join(missing)}; to make one: ringtrue models lock PIN"
            )
        return [locks[pin] for pin in pins]

    def tell_if_none_is_locked(self) -> None:
        """Say on stderr if the lock file has no pin: silence would look like a success."""
        if not self.locks():
            click.echo(f"{self.lock_file} has no locks, so there is nothing to check", err=True)

    def locked_or_all(self, pins: Iterable[str]) -> list[PinLock]:
        """Return the locks of ``pins``, or every lock if none is named. Raises `NotLocked` if there is none at all."""
        locks = self.locked(list(pins) or self.locks())
        if not locks:
            raise NotLocked(
                f"{self.lock_file} has no locks; to make them: ringtrue models lock; to begin with a small set: "
                "ringtrue models pull starter"
            )
        return locks


def trusting(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option ``--trust-remote-code PIN``, as ``trusts``."""
    return click.option(
        "--trust-remote-code",
        "trusts",
        multiple=True,
        metavar="PIN",
        help="Allow this machine to run code from PIN's repository. Read the code first. Repeatable.",
    )(command)


def refuse_untrusted(place: Place, locks: Iterable[PinLock], trusts: Sequence[str]) -> None:
    """End the command if one of ``locks`` would run code that neither this machine nor this command trusts."""
    if names := untrusted(place.lock_file, locks, trusts):
        flags = " ".join(f"--trust-remote-code {name}" for name in names)
        leave(
            PinsExitCode.REFUSED,
            f"{', '.join(names)} would run code from their repositories; read the code, then add {flags}",
        )


def open_place(environ: Mapping[str, str], catalog: Path | None = None, models: Path | None = None) -> Place:
    """Return the place that ``environ`` and the given paths say; the paths take precedence. Makes no folder."""
    told = {"RINGTRUE_CATALOG": catalog, "RINGTRUE_MODELS": models}
    settings = read_settings({**environ, **{name: str(path) for name, path in told.items() if path is not None}})
    keep_private(settings.data, (settings.models, settings.catalog.parent))
    return Place(settings.catalog, settings.catalog_lock, WeightStore(settings.models), environ)


def with_place(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--catalog`` and ``--models``, and pass it its `Place` first. Errors of ours end it with one
    line."""

    @click.option("--catalog", type=click.Path(path_type=Path), help="The catalog file. Default: RINGTRUE_CATALOG.")
    @click.option("--models", type=click.Path(path_type=Path), help="Folder of the weights. Default: RINGTRUE_MODELS.")
    @functools.wraps(command)
    def placed(*, catalog: Path | None, models: Path | None, **options: Any) -> None:
        os.environ |= without_proxy_here(os.environ)  # for the hubs' own clients, which read the environment
        with errors_told():
            command(open_place(os.environ, catalog, models), **options)

    return placed
