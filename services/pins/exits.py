"""How a command of `ringtrue models` ends: the codes, and every error of ours turned into one.

The codes are those of the whole `ringtrue` command: errors are 64 and above, so that none is taken for a verdict.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import NoReturn

import click

from services.pins.space import NotEnoughSpace
from shared.aliases import AliasRefused, AliasUnknown
from shared.errors import RingtrueError, SettingsError, StoreUnavailable
from shared.weights.errors import CatalogInvalid, NotLocked


class ExitCode(IntEnum):
    """Not 0: what was asked for was not done, or not all of it."""

    USAGE = 64  # the command line is wrong
    REFUSED = 65  # what was given (a file, an archive) is not taken
    NOT_FOUND = 66  # no such pin or alias, or the pin has no lock
    UNAVAILABLE = 69  # no source, or the store, answers
    INTERNAL = 70  # a fault of ours
    CANNOT_WRITE = 73  # a file or folder cannot be written, or the disk is too small
    FAILED = 76  # at least one pin is not what was asked for; the lines say which
    CONFIG = 78  # a setting, the catalog or the lock cannot be served


_BY_ERROR: tuple[tuple[type[Exception], ExitCode], ...] = (
    (NotLocked, ExitCode.NOT_FOUND),
    (AliasUnknown, ExitCode.NOT_FOUND),
    (AliasRefused, ExitCode.REFUSED),
    (CatalogInvalid, ExitCode.CONFIG),
    (SettingsError, ExitCode.CONFIG),
    (StoreUnavailable, ExitCode.UNAVAILABLE),
    (NotEnoughSpace, ExitCode.CANNOT_WRITE),
    (RingtrueError, ExitCode.FAILED),
    (OSError, ExitCode.CANNOT_WRITE),
)


def leave(code: ExitCode, why: str) -> NoReturn:
    """End the command with a line on stderr."""
    click.echo(why, err=True)
    sys.exit(code)


@contextmanager
def errors_told() -> Iterator[None]:
    """An error of ours ends the command with its message and its code; any other is a fault and goes on."""
    try:
        yield
    except (RingtrueError, OSError) as error:
        leave(next(code for family, code in _BY_ERROR if isinstance(error, family)), str(error))
