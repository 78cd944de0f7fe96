"""`ringtrue pins`: the model versions that jobs can use."""

from __future__ import annotations

import typer

from ringtrue import Pin
from ringtrue.commands.connection import AsJson, connect
from ringtrue.console.terminal import data_json, data_table, words

SHOWN_LANGUAGES = 4


def pins(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the model versions that you can use."""
    with connect(ctx) as ringtrue:
        found = ringtrue.pins()
    if as_json:
        data_json([pin.raw for pin in found])
        return
    data_table(
        ("PIN", "ENGINE", "STATE", "HZ", "LANGUAGES", "EMOTIONS", "LOCK", "ALIASES"),
        (
            (
                *(pin.name, pin.engine, _state(pin), str(pin.sample_rate or "-")),
                *(_languages(pin), " ".join(pin.emotions), pin.lock_sha256[:12], " ".join(pin.aliases)),
            )
            for pin in found
        ),
    )
    for pin in found:
        if pin.state == "refused" and (why := pin.raw.get("detail")):
            words(f"{pin.name} is refused: {why}")


def _state(pin: Pin) -> str:
    """A refused pin has no worker because it is refused."""
    return pin.state if pin.live or pin.state == "refused" else "no worker"


def _languages(pin: Pin) -> str:
    if len(pin.languages) <= SHOWN_LANGUAGES:
        return " ".join(pin.languages)
    return f"{len(pin.languages)} languages"
