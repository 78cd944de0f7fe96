"""Rules as TOML: a ``gate.toml``, and the default one.

Owns the notation, and on which line an error is.
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
from shared.values.faults import MOST_FAULTS

MOST_CHARACTERS = 1 << 16
LONGEST_LINE = 2_000
"""The parser's time grows with the square of the dots in a line: 18 s for 20,000."""
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_HEADER = re.compile(r"\s*\[\[\s*rule\s*\]\]")
_MEMBER = re.compile(r'\s*"?([^\s"=\[\]#]+)"?\s*=')


def rules_from_toml(text: str) -> Rules:
    """Return the rules in a ``gate.toml``.

    Raises `RulesInvalid`; details begin with ``line N:`` if the line is known.
    """
    text = text.removeprefix("\ufeff")  # editors of Windows begin a file with it
    document = _document(text)
    try:
        return read_rules(document)
    except RulesInvalid as error:
        lines = _TomlLines(text)
        told = sorted(((lines.of(one), one) for one in error.errors[:MOST_FAULTS]), key=lambda pair: pair[0] or 0)
        in_order = [_with_line(one, line) for line, one in told]
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
    """Return the parser's error with its line.

    The parser gives the line only in its message; if that has another form, the message is kept as it is.
    """
    place = _PLACE.search(str(error))
    if place is None:
        return FieldError("", f"no TOML: {error}")
    return FieldError("", f"line {place[1]}: no TOML: {str(error)[: place.start()]}, column {place[2]}")


def _with_line(error: FieldError, line: int | None) -> FieldError:
    return error if line is None else FieldError(error.pointer, f"line {line}: {error.detail}")


class _TomlLines:
    """Finds the line of an error. It reads the file once, however many errors there are."""

    def __init__(self, text: str) -> None:
        headers: list[int] = []
        self._members: dict[tuple[int | None, str], int] = {}
        for number, line in enumerate(text.split("\n"), 1):
            if _HEADER.match(line):
                headers.append(number)
            elif member := _MEMBER.match(line):
                self._members.setdefault((len(headers) - 1 if headers else None, member[1]), number)
        self._headers = headers

    def of(self, error: FieldError) -> int | None:
        """Return the line of the member that ``error`` points to, or of the rule's header if that is not found.

        Rules that are written inline have no header, so their errors get no line.
        """
        _, *path = error.pointer.split("/")
        if path[:1] != ["rule"] or len(path) == 1:
            return self._members.get((None, path[0])) if path else None
        index = int(path[1])
        if index >= len(self._headers):
            return None
        name = path[2] if len(path) > 2 else ""
        return self._members.get((index, name), self._headers[index])
