"""Rules as TOML: a ``gate.toml``, and the one that ships.

Owns the notation, and in which line something stands that is wrong.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from shared.errors import FieldError
from shared.gating.checking import read_rules
from shared.gating.rules import Rules, RulesInvalid

MOST_CHARACTERS = 1 << 16
LONGEST_LINE = 2_000
"""For the dots of a line, the parser takes the square of the time: 18 s for 20,000."""
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_HEADER = re.compile(r"\s*\[\[\s*rule\s*\]\]")


def rules_from_toml(text: str) -> Rules:
    """The rules in a ``gate.toml``. Raises `RulesInvalid`; details begin with ``line N:`` where that can be told."""
    document = _document(text)
    try:
        return read_rules(document)
    except RulesInvalid as error:
        lines = text.split("\n")
        told = sorted(((_line_of(one, lines), one) for one in error.errors), key=lambda pair: pair[0] or 0)
        raise RulesInvalid(tuple(_with_line(one, line) for line, one in told)) from error


def default_rules() -> Rules:
    """Those that ship (docs/gates.md says why these)."""
    return rules_from_toml(default_toml())


def default_toml() -> str:
    """Their file, to start one's own from."""
    return files("shared.gating").joinpath("default.toml").read_text(encoding="utf-8")


def _document(text: str) -> Mapping[str, Any]:
    """What stands in ``text``; `RulesInvalid` where it is no TOML, or none that is taken."""
    if len(text) > MOST_CHARACTERS:
        raise RulesInvalid((FieldError("", f"{len(text)} characters, at most {MOST_CHARACTERS} are taken"),))
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            detail = f"line {number}: {len(line)} characters, at most {LONGEST_LINE} are taken in a line"
            raise RulesInvalid((FieldError("", detail),))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesInvalid((_no_toml(error),)) from error
    except RecursionError as error:
        raise RulesInvalid((FieldError("", "no TOML: nested too deep"),)) from error


def _no_toml(error: tomllib.TOMLDecodeError) -> FieldError:
    """The parser has no other place for the line than its words; where they are others, they are told as they are."""
    place = _PLACE.search(str(error))
    if place is None:
        return FieldError("", f"no TOML: {error}")
    return FieldError("", f"line {place[1]}: no TOML: {str(error)[: place.start()]}, column {place[2]}")


def _with_line(error: FieldError, line: int | None) -> FieldError:
    return error if line is None else FieldError(error.pointer, f"line {line}: {error.detail}")


def _line_of(error: FieldError, lines: list[str]) -> int | None:
    """From 1: that of the member that ``error`` points to, or of the rule's header where that is not found.

    Rules that are written in line have no header, and their errors get no line.
    """
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    _, *path = error.pointer.split("/")
    if path[:1] == ["rule"] and len(path) > 1:
        index = int(path[1])
        if index >= len(headers):
            return None
        first, name = headers[index], path[2] if len(path) > 2 else None
        block = range(first, headers[index + 1] if index + 1 < len(headers) else len(lines))
    else:
        first, name = None, path[0] if path else None
        block = range(headers[0] if headers else len(lines))
    key = re.compile(rf'\s*"?{re.escape(name)}"?\s*=') if name else None
    line = next((number for number in block if key and key.match(lines[number])), first)
    return None if line is None else line + 1
