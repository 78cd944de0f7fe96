"""What all commands that talk to the gateway share.

Owns the options with the same meaning everywhere, and the client that is made from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ringtrue import Ringtrue
from ringtrue.console.exits import ExitCode
from ringtrue.console.terminal import words
from ringtrue.errors import KeyUnsendable
from ringtrue.lexicons import lexicon_in

PATIENCE_S = 6.0
"""Seconds. A person wants to know soon that the gateway does not answer; a busy gateway asks to wait 5 s."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LexiconFile = Annotated[
    Path | None, typer.Option("--lexicon", metavar="FILE", help="How words are to be read: a lexicon file (TOML).")
]
JobId = Annotated[str, typer.Argument(metavar="ID", help="A job's id.")]


def connect(ctx: typer.Context) -> Ringtrue:
    """Return a client for the gateway that ``--url`` or RINGTRUE_URL names."""
    try:
        return Ringtrue(ctx.obj, patience_s=PATIENCE_S)
    except KeyUnsendable as error:
        raise typer.BadParameter(str(error), param_hint="RINGTRUE_API_KEY") from error
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--url / RINGTRUE_URL") from error


def lexicon_option(file: Path | None) -> dict[str, Any] | None:
    """Return the lexicon in the file of `--lexicon`. Exits the command if the file cannot be read."""
    try:
        return None if file is None else lexicon_in(file)
    except OSError as error:
        words(f"{file}: {error.strerror}")
        raise typer.Exit(ExitCode.NOT_FOUND) from error


def pairs(given: Iterable[str] | None, option: str) -> list[tuple[str, str]]:
    """Split ``K=V`` arguments into pairs."""
    split = [pair.partition("=") for pair in given or ()]
    for name, equals, value in split:
        if not (name and equals):
            raise typer.BadParameter(f"{name + equals + value!r} does not have the form K=V", param_hint=option)
    return [(name, value) for name, _, value in split]
