"""How a command of `ringtrue models` ends: the exit codes, and the code for each of our errors.

The codes are those of the whole `ringtrue` command. Errors are 64 and above, so that none is mistaken for a verdict.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import NoReturn

import click

from services.pins.pulling.space import NotEnoughSpace
from services.pins.starter.starter_set import StarterDiffers
from shared.aliases import AliasRefused, AliasUnknown
from shared.errors import RingtrueError, SettingsError, StoreUnavailable
from shared.weights.errors import CatalogInvalid, NotLocked


class PinsExitCode(IntEnum):
    """Exit codes other than 0: the request was not done, or not completely."""

    USAGE = 64  # the command line is wrong
    REFUSED = 65  # a given file or archive is not accepted
    NOT_FOUND = 66  # no such pin or alias, or the pin has no lock
    UNAVAILABLE = 69  # no source answers, or the store does not
    INTERNAL = 70  # an internal error
    CANNOT_WRITE = 73  # a file or folder cannot be written, or the disk is too small
    FAILED = 76  # at least one pin is not as requested; the output says which
    CONFIG = 78  # a setting, the catalog or the lock cannot be used


_BY_ERROR: tuple[tuple[type[Exception], PinsExitCode], ...] = (
    (NotLocked, PinsExitCode.NOT_FOUND),
    (AliasUnknown, PinsExitCode.NOT_FOUND),
    (AliasRefused, PinsExitCode.REFUSED),
    (StarterDiffers, PinsExitCode.REFUSED),
    (CatalogInvalid, PinsExitCode.CONFIG),
    (SettingsError, PinsExitCode.CONFIG),
    (StoreUnavailable, PinsExitCode.UNAVAILABLE),
    (NotEnoughSpace, PinsExitCode.CANNOT_WRITE),
    (RingtrueError, PinsExitCode.FAILED),
    (OSError, PinsExitCode.CANNOT_WRITE),
)


def leave(code: PinsExitCode, why: str) -> NoReturn:
    """Print ``why`` on stderr and end the command with ``code``."""
    click.echo(why, err=True)
    sys.exit(code)


@contextmanager
def errors_told() -> Iterator[None]:
    """End the command with the message and code of an error of ours. Any other error passes through."""
    try:
        yield
    except (RingtrueError, OSError) as error:
        leave(next(code for family, code in _BY_ERROR if isinstance(error, family)), str(error))
