"""What all commands that talk to the gateway share.

Owns the options with the same meaning everywhere, and the client that is made from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from ringtrue import Ringtrue

PATIENCE_S = 6.0
"""Seconds. A person wants to know soon that the gateway does not answer; a busy gateway asks to wait 5 s."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="A job's id.")]


def connect(ctx: typer.Context) -> Ringtrue:
    """Return a client for the gateway that ``--url`` or RINGTRUE_URL names."""
    try:
        return Ringtrue(ctx.obj, patience_s=PATIENCE_S)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--url / RINGTRUE_URL") from error


def pairs(given: Iterable[str] | None, option: str) -> list[tuple[str, str]]:
    """Split ``K=V`` arguments into pairs."""
    split = [pair.partition("=") for pair in given or ()]
    for name, equals, value in split:
        if not (name and equals):
            raise typer.BadParameter(f"{name + equals + value!r} does not have the form K=V", param_hint=option)
    return [(name, value) for name, _, value in split]
