"""Rules as TOML: a ``gate.toml``, and the one that ships.

Owns the notation, and in which line something stands that is wrong.
"""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

from shared.errors import FieldError
from shared.gating.checking import read_rules
from shared.gating.rules import Rules, RulesInvalid

_HEADER = re.compile(r"\s*\[\[\s*rule\s*\]\]")


def rules_from_toml(text: str) -> Rules:
    """The rules in a ``gate.toml``. Raises `RulesInvalid`; details begin with ``line N:`` where that can be told."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesInvalid((FieldError("", f"no TOML: {error}"),)) from error
    try:
        return read_rules(document)
    except RulesInvalid as error:
        lines = text.splitlines()
        raise RulesInvalid(tuple(_with_line(one, lines) for one in error.errors)) from error


def default_rules() -> Rules:
    """Those that ship (docs/gates.md says why these)."""
    return rules_from_toml(default_toml())


def default_toml() -> str:
    """Their file, to start one's own from."""
    return files("shared.gating").joinpath("default.toml").read_text(encoding="utf-8")


def _with_line(error: FieldError, lines: list[str]) -> FieldError:
    """``error`` with the line of the member that it points to, or of the rule's header where that is not found.

    Rules that are written in line have no header, and their errors get no line.
    """
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    _, *path = error.pointer.split("/")
    if path[:1] == ["rule"] and len(path) > 1:
        index = int(path[1])
        if index >= len(headers):
            return error
        first, name = headers[index], path[2] if len(path) > 2 else None
        block = range(first, headers[index + 1] if index + 1 < len(headers) else len(lines))
    else:
        first, name = None, path[0] if path else None
        block = range(headers[0] if headers else len(lines))
    key = re.compile(rf'\s*"?{re.escape(name)}"?\s*=') if name else None
    line = next((number for number in block if key and key.match(lines[number])), first)
    return error if line is None else FieldError(error.pointer, f"line {line + 1}: {error.detail}")
