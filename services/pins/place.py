"""Where `ringtrue models` works: the catalog, its lock and the store, as the environment and the command line say.

The composition root of these commands: nothing else in services/pins reads the environment.

    @click.command()
    @click.argument("pins", nargs=-1)
    @with_place
    def verify(place: Place, pins: tuple[str, ...]) -> None: ...
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from services.pins.exits import errors_told
from shared.settings import read_settings
from shared.weights.catalog_file import Entry, read_catalog
from shared.weights.errors import NotLocked
from shared.weights.lock import PinLock, read_locks
from shared.weights.store import WeightStore


@dataclass(frozen=True, slots=True)
class Place:
    """The two files and the folder. Files are read when asked for: other commands write them meanwhile."""

    catalog_file: Path
    lock_file: Path
    store: WeightStore
    environ: Mapping[str, str]

    def entries(self) -> dict[str, Entry]:
        """The catalog, by pin."""
        return read_catalog(self.catalog_file)

    def locks(self) -> dict[str, PinLock]:
        """Every lock, by pin."""
        return read_locks(self.lock_file)

    def locked(self, pins: Iterable[str]) -> list[PinLock]:
        """The locks of ``pins``, in order and each once; `NotLocked` names those that have none."""
        locks, pins = self.locks(), dict.fromkeys(pins)
        if missing := [pin for pin in pins if pin not in locks]:
            raise NotLocked(f"{self.lock_file} has no lock of {', '.join(missing)}; make one: ringtrue models lock PIN")
        return [locks[pin] for pin in pins]


def open_place(environ: Mapping[str, str], catalog: Path | None = None, models: Path | None = None) -> Place:
    """As ``environ`` says, but for what is given. Makes nothing."""
    told = {"RINGTRUE_CATALOG": catalog, "RINGTRUE_MODELS": models}
    settings = read_settings({**environ, **{name: str(path) for name, path in told.items() if path is not None}})
    return Place(settings.catalog, settings.catalog_lock, WeightStore(settings.models), environ)


def with_place(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--catalog`` and ``--models`` and hand it its `Place` first; errors of ours end it in a line."""

    @click.option("--catalog", type=click.Path(path_type=Path), help="catalog.toml. Default: RINGTRUE_CATALOG.")
    @click.option("--models", type=click.Path(path_type=Path), help="Folder of the weights. Default: RINGTRUE_MODELS.")
    @functools.wraps(command)
    def placed(*, catalog: Path | None, models: Path | None, **options: Any) -> None:
        with errors_told():
            command(open_place(os.environ, catalog, models), **options)

    return placed
