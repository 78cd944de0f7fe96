"""What every command that talks to the gateway has in common.

Owns the options that mean the same everywhere and the client they lead to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from ringtrue import Ringtrue

PATIENCE_S = 6.0
"""A person at a keyboard wants to know soon that nobody answers; a gateway that is busy asks for 5 s."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="A job's id.")]


def connect(ctx: typer.Context) -> Ringtrue:
    """A client for the gateway that ``--url`` or RINGTRUE_URL names."""
    try:
        return Ringtrue(ctx.obj, patience_s=PATIENCE_S)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--url / RINGTRUE_URL") from error


def pairs(given: Iterable[str] | None, option: str) -> list[tuple[str, str]]:
    """``K=V`` taken apart."""
    split = [pair.partition("=") for pair in given or ()]
    for name, equals, value in split:
        if not (name and equals):
            raise typer.BadParameter(f"{name + equals + value!r} is not K=V", param_hint=option)
    return [(name, value) for name, _, value in split]
