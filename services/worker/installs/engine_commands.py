"""``ringtrue engines``: the commands that list engine families with the state of their Pythons, and make such a Python.

A composition root of its own: it reads the environment like `app.py`. Owns the command lines, the output and the exit
codes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from services.worker.installs.environments import (
    FamilyUnknown,
    InstallState,
    InstallStep,
    family_called,
    standing,
    standings,
)
from services.worker.installs.installing import NotMade, Order, install
from services.worker.installs.interpreters import Interpreters
from services.worker.installs.pythons import NoPython, uv
from services.worker.installs.requirements_file import RequirementsInvalid, Sources, requirements_of
from shared.errors import RingtrueError, SettingsError
from shared.files.private_folder import keep_private
from shared.settings import Settings, read_settings

_BY_ERROR: tuple[tuple[type[Exception], int], ...] = (
    (FamilyUnknown, os.EX_NOINPUT),
    (NoPython, os.EX_DATAERR),
    (RequirementsInvalid, os.EX_DATAERR),
    (SettingsError, os.EX_CONFIG),
    (NotMade, 76),
    (OSError, os.EX_CANTCREAT),
    (RingtrueError, os.EX_SOFTWARE),
)
_HEADER = ("FAMILY", "PACKAGE", "PYTHON", "INTERPRETER", "STATE")


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object per family and line.")
@click.pass_context
def engines(context: click.Context, as_lines: bool) -> None:
    """Show every engine family: the package that brings it, the Python that serves it, and whether that works.

    Exit codes: 0 also if some are broken or not installed; 78 a setting cannot be used.
    """
    if context.invoked_subcommand is not None:
        return
    with _errors_told():
        found = standings(_interpreters(read_settings(os.environ)))
    if as_lines:
        for one in found:
            click.echo(json.dumps(_document(one), ensure_ascii=False))
        return
    rows = [_HEADER, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@engines.command("install")
@click.argument("family")
@click.option(
    "--python", type=click.Path(path_type=Path), help="The Python to use. Default: a fitting one on the PATH."
)
@click.option("--index", metavar="URL", help="Use this package index instead of the default one.")
@click.option("--extra-index", metavar="URL", multiple=True, help="Another index, searched first; repeatable.")
@click.option("--find-links", metavar="URL", multiple=True, help="Page or folder with wheels; repeatable.")
@click.option("--no-index", is_flag=True, help="Use no index; take all packages from --find-links.")
@click.option(
    "--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set ${NAME} of the requirements; repeatable."
)
@click.option("--force", is_flag=True, help="Install again even if it works already.")
def install_command(
    family: str,
    python: Path | None,
    index: str | None,
    extra_index: Sequence[str],
    find_links: Sequence[str],
    no_index: bool,
    settings: Sequence[str],
    force: bool,
) -> None:
    """Make the Python that FAMILY needs, with all its packages at their pinned versions.

    Each option replaces what the family's requirements.txt says of its kind. Exit codes: 65 it cannot be made with
    these options, 66 no such family, 73 the folder cannot be written, 76 it could not be made, 78 settings.
    """
    sources = Sources(index, extra_index, find_links)
    order = Order(python and python.expanduser().absolute(), sources, no_index, dict(map(_half, settings)), uv())
    with _errors_told(), _terminated_like_interrupted():
        _install(family, order, force)


def _install(name: str, order: Order, force: bool) -> None:
    settings = read_settings(os.environ)
    keep_private(settings.data, (settings.engines,))
    family = family_called(name)
    wanted = requirements_of(family)
    if wanted is None:
        click.echo(f"{name} needs no Python of its own; this one serves it", err=True)
        return
    interpreter = _interpreters(settings).of(name)
    if not force and interpreter.elsewhere and standing(family, interpreter).state is InstallStep.READY:
        click.echo(f"{name} is already installed: {interpreter.python}; use --force to install it again", err=True)
        return
    done = install(family, wanted, order, settings.engines, lambda line: click.echo(line, err=True))
    click.echo(f"{name} is ready: {settings.engines / name}, Python {done.version}", err=True)
    if name in settings.interpreters:
        click.echo(f"note: RINGTRUE_INTERPRETERS names {settings.interpreters[name]}, which is used instead", err=True)


def _interpreters(settings: Settings) -> Interpreters:
    return Interpreters(settings.engines, settings.interpreters)


def _row(found: InstallState) -> tuple[str, ...]:
    state: str = found.state
    return (
        found.family.name,
        f"{found.family.distribution} {found.family.version}",
        found.version or "-",
        str(found.interpreter.python) if found.interpreter.elsewhere else "this one",
        f"{state}: {found.detail}" if found.detail else state,
    )


def _document(found: InstallState) -> dict[str, Any]:
    return {
        "family": found.family.name,
        "package": found.family.distribution,
        "version": found.family.version,
        "interpreter": str(found.interpreter.python),
        "own": found.interpreter.elsewhere,
        "python": found.version,
        "state": found.state.replace(" ", "_"),
        "detail": found.detail or None,
    }


def _half(setting: str) -> tuple[str, str]:
    name, equals, value = setting.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"{setting!r} is not NAME=VALUE", param_hint="--set")
    return name, value


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except (RingtrueError, OSError) as error:
        _leave(next(code for kind, code in _BY_ERROR if isinstance(error, kind)), str(error))


def _leave(code: int, why: str) -> NoReturn:
    click.echo(f"error: {why}", err=True)
    sys.exit(code)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Turn SIGTERM into an exit, so that a half-made environment is removed as after Ctrl-C."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
