"""Rules as TOML: a ``gate.toml``, and the default one.

Owns the notation, and on which line an error is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

from shared.errors import FieldError
from shared.gating.checking import read_rules
from shared.gating.rules import Rules, RulesInvalid
from shared.values.faults import MOST_FAULTS, pointer

MOST_CHARACTERS = 1 << 16
LONGEST_LINE = 2_000
"""The parser's time grows with the square of the dots in a line: 18 s for 20,000."""
_PLACE = re.compile(r"no TOML: (.*) \(at line (\d+), column (\d+)\)$", re.DOTALL)
_HEADER = re.compile(r"\s*\[\[\s*rule\s*\]\]")
_MEMBER = re.compile(r'\s*"?([^\s"=\[\]#]+)"?\s*=')


def rules_from_toml(text: str, metrics: Collection[str] | None = None) -> Rules:
    """Return the rules in a ``gate.toml``. ``metrics``: as for `read_rules`.

    Raises `RulesInvalid`; details begin with ``line N:`` if the line is known.
    """
    text = text.removeprefix("\ufeff")  # editors of Windows begin a file with it
    document = _document(text)
    try:
        return read_rules(document, metrics=metrics)
    except RulesInvalid as error:
        line_of = _line_finder(text)
        told = sorted(((line_of(one.pointer), one) for one in error.errors[:MOST_FAULTS]), key=lambda pair: pair[0])
        in_order = [replace(one, detail=f"line {line}: {one.detail}") if line else one for line, one in told]
        raise RulesInvalid([*in_order, *error.errors[MOST_FAULTS:]]) from error


def default_rules() -> Rules:
    """Return the default rules (docs/gates.md explains them)."""
    return rules_from_toml(default_toml())


def default_toml() -> str:
    """Return the file of the default rules, as a start for one's own."""
    return files("shared.gating").joinpath("default.toml").read_text(encoding="utf-8")


def _document(text: str) -> Mapping[str, Any]:
    """Parse ``text``. Raises `RulesInvalid` if it is not TOML, or too long."""
    if len(text) > MOST_CHARACTERS:
        raise RulesInvalid((FieldError("", f"{len(text)} characters, at most {MOST_CHARACTERS} are allowed"),))
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            detail = f"line {number}: {len(line)} characters, at most {LONGEST_LINE} are allowed in a line"
            raise RulesInvalid((FieldError("", detail),))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        detail = _PLACE.sub(r"line \2: no TOML: \1, column \3", f"no TOML: {error}")
        raise RulesInvalid((FieldError("", detail),)) from error
    except RecursionError as error:
        raise RulesInvalid((FieldError("", "no TOML: nested too deep"),)) from error


def _line_finder(text: str) -> Callable[[str], int]:
    """Return a function that returns the line of a pointer: of its member, or of its rule; 0 if it is not known.

    Rules that are written inline have no line.
    """
    lines: dict[str, int] = {}
    rule, at = -1, ""
    for number, line in enumerate(text.split("\n"), 1):
        if _HEADER.match(line):
            rule, at = rule + 1, f"/rule/{rule + 1}"
            lines[at] = number
        elif member := _MEMBER.match(line):
            lines.setdefault(at + pointer((member[1],)), number)
    return lambda to: lines.get(to) or lines.get("/".join(to.split("/")[:3]), 0)
