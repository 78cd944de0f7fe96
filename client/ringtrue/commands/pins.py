"""`ringtrue pins`: the model versions that jobs can use, and everything about one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from ringtrue import Pin
from ringtrue.commands.connection import AsJson, connect
from ringtrue.console.exits import ExitCode
from ringtrue.console.terminal import data, data_json, data_table, titled, words

SHOWN_LANGUAGES = 4

Name = Annotated[
    str | None, typer.Argument(metavar="[PIN]", help="A pin or an alias: show its voices, controls and options.")
]


def pins(ctx: typer.Context, name: Name = None, as_json: AsJson = False) -> None:
    """List the model versions that you can use, or show one of them."""
    with connect(ctx) as ringtrue:
        found = ringtrue.pins()
    if name is not None:
        _show(found, name, as_json)
        return
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


def _show(pins: Sequence[Pin], name: str, as_json: bool) -> None:
    found = [pin for pin in pins if name in (pin.name, *pin.aliases)]
    if not found:
        words(f"there is no pin {name}; see `ringtrue pins`")
        raise typer.Exit(ExitCode.NOT_FOUND)
    if as_json:
        data_json(found[0].raw)
    else:
        data("\n".join(_lines(found[0])))


def _lines(pin: Pin) -> Iterator[str]:
    """Yield the readable view: a name and a value on each line, with options indented. Leaves out what is empty."""
    said = pin.raw.get
    yield f"{pin.name} {_state(pin)}"
    model = "@".join(filter(None, (said("model_repo"), said("model_revision"))))
    shown = {
        "reason": said("detail"),
        "description": said("description"),
        "engine": f"{pin.engine} {said('engine_version', '')}",
        "model": model,
        "licence": said("licence"),
        "lock": pin.lock_sha256,
        "aliases": " ".join(pin.aliases),
        "sample rate": f"{pin.sample_rate} Hz" if pin.sample_rate else "",
        "languages": _with_default(pin.languages, said("default_language")),
        "voices": _with_default(said("voices", ()), said("default_voice")),
        "emotions": " ".join(pin.emotions),
        "controls": ", ".join(f"{control} {how}" for control, how in pin.controls.items()),
    }
    yield from (titled(label, value) for label, value in shown.items() if value)
    if options := said("options_schema", {}).get("properties"):
        yield "options"
        yield from (f"  {titled(option, _told(schema), 20)}" for option, schema in options.items())


def _with_default(names: Sequence[str], default: str | None) -> str:
    return " ".join(names) + (f" (default {default})" if names and default else "")


def _told(schema: Mapping[str, Any]) -> str:
    """Return an option's JSON schema in words: its values, its default and its description."""
    low, high, default = schema.get("minimum"), schema.get("maximum"), schema.get("default")
    values = ", ".join(map(str, schema.get("enum", ())))
    if low is not None and high is not None:
        values = f"{low:g} to {high:g}"
    parts = (values or str(schema.get("type", "")), "" if default is None else f"default {default}")
    told = ", ".join(filter(None, parts))
    return "; ".join(filter(None, (told, schema.get("description", ""))))
