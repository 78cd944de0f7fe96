"""YAML as plain values with lines.

Owns which YAML is accepted: one document of mappings, lists and scalars, without tags and aliases, and with plain
scalars as in YAML 1.2 (`no`, `on` and `2026-01-01` are text). No Python objects are built from it, whatever it
contains.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import yaml  # type: ignore[import-untyped]

from shared.suites.checking import MAX_DEPTH, Unchecked
from shared.suites.errors import Fault, SuiteInvalid
from shared.values.faults import MOST_FAULTS, Loc, Unread

MAX_NODES = 400_000
"""Most names and values in a file. The largest suite, with every member and all tags in every item, has 330,000."""
_LOWER = {"": None, "~": None, "null": None, "true": True, "false": False}
_WORDS = {form(word): value for word, value in _LOWER.items() for form in (str, str.capitalize, str.upper)}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40
_MOST_SHOWN = 60
_STRETCH = 1 << 16
_BREAKS = ("\n", "\r", "\x85", "\u2028", "\u2029")
# the parser compares each directive with all before it; a suite needs none
_DIRECTIVE = re.compile(f"(?:^|[{''.join(_BREAKS)}])%")
_MOST_DIRECTIVES = 8
# characters that YAML forbids; PyYAML's two parsers disagree on where they found them
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_yaml(text: str, file: str) -> Unchecked:
    """Return what is in ``text``. Raises `SuiteInvalid` for ``file`` if it is not valid YAML or too large."""
    if faults := [*islice(_forbidden(text), MOST_FAULTS + 1)]:
        raise SuiteInvalid(file, faults)
    try:
        return _Document(text, file).read()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or str(error)
        # what is missing at the end is reported for a line that does not exist
        line = min(mark.line + 1, _lines(text)) if mark else 1
        raise SuiteInvalid(file, [Fault(line, f"not valid YAML: {what}")]) from None


class _Stream(io.StringIO):
    """A text that is read in parts by a function in Python.

    The parser lets other threads run only when that is called. With a text that is passed in whole, a long scalar
    keeps them all waiting.
    """

    def read(self, size: int | None = -1) -> str:
        """Return the next characters, at most ``size``."""
        return super().read(size)


class _Document:
    """Reads the parser's events, one value after the other, and counts them."""

    def __init__(self, text: str, file: str) -> None:
        self._events = yaml.parse(_Stream(text), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self._file = file
        self._left = MAX_NODES
        self._lines: dict[int, Any] = {}
        """By the `id` of a mapping or list: the lines of its parts, by name or index."""

    def read(self) -> Unchecked:
        """Return the first document of the stream."""
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return Unchecked(Unread("there is nothing in the file"), None, lambda _: 1)
        root = next(self._events)
        suite = self._value(root, 0)
        next(self._events)  # the document's end
        if not isinstance(after := next(self._events), yaml.StreamEndEvent):
            raise self._invalid(_line(after), "a second document begins; a suite is one")

        def line_of(loc: Loc) -> int:
            part, line = suite, _line(root)
            for step in loc:
                part, line = part[step], self._lines[id(part)][step]
            return line

        return Unchecked(suite, suite.get("items") if isinstance(suite, dict) else None, line_of)

    def _value(self, event: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise self._invalid(_line(event), f"more than {MAX_NODES} names and values: a suite has fewer")
        if depth > MAX_DEPTH:
            raise self._invalid(_line(event), f"nested deeper than {MAX_DEPTH}")
        if isinstance(event, yaml.AliasEvent):
            return Unread(f"is an alias (*{event.anchor[:_MOST_SHOWN]}), which is not allowed: write it out")
        if isinstance(event, yaml.ScalarEvent):
            value: Any = _plain(event.value) if event.implicit[0] else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._rows(depth + 1)
        else:
            value = self._members(depth + 1)
        return value if event.tag is None else Unread(f"has a tag ({event.tag[:_MOST_SHOWN]}), which is not allowed")

    def _rows(self, depth: int) -> list[Any]:
        rows: list[Any] = []
        lines = self._lines[id(rows)] = []
        for event in self._until(yaml.SequenceEndEvent):
            lines.append(_line(event))
            rows.append(self._value(event, depth))
        return rows

    def _members(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        lines = self._lines[id(members)] = {}
        for event in self._until(yaml.MappingEndEvent):
            line, written = _line(event), self._value(event, depth)
            value = self._value(next(self._events), depth)
            name = event.value if isinstance(event, yaml.ScalarEvent) else "?"
            if isinstance(written, Unread) or name == "?":
                value = written if isinstance(written, Unread) else Unread("stands for a name that is not text")
            elif name in members:
                value = Unread(f"appears twice, first in line {lines[name]}")
            members[name], lines[name] = value, line
        return members

    def _until(self, end: type) -> Iterator[Any]:
        """Yield the events that begin a value, up to the end of what contains them."""
        while not isinstance(event := next(self._events), end):
            yield event

    def _invalid(self, line: int, what: str) -> SuiteInvalid:
        return SuiteInvalid(self._file, [Fault(line, what)])


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _forbidden(text: str) -> Iterator[Fault]:
    """Yield what the parser must not see."""
    line, at = 1, 0
    for found in _found(_UNPRINTABLE, 0, text):
        line, at = line + text.count("\n", at, found.start()), found.start()
        yield Fault(line, f"control character U+{ord(found.group()):04X}")
    if (last := next(islice(_found(_DIRECTIVE, 1, text), _MOST_DIRECTIVES, None), None)) is not None:
        line = text.count("\n", 0, last.end()) + 1
        yield Fault(line, f"more than {_MOST_DIRECTIVES} lines begin with %: a suite needs no directives")


def _found(form: re.Pattern[str], overlap: int, text: str) -> Iterator[re.Match[str]]:
    """Yield matches, one chunk of the text at a time, for the same reason as `_Stream`.

    ``overlap``: characters of a match beyond its first.
    """
    for begin in range(0, len(text), _STRETCH):
        yield from form.finditer(text, begin, begin + _STRETCH + overlap)


def _lines(text: str) -> int:
    return sum(map(text.count, _BREAKS)) - text.count("\r\n") + (text[-1:] not in _BREAKS)


def _plain(written: str) -> str | int | float | bool | None:
    """Return the value of a scalar without quotes, by the core schema of YAML 1.2.

    See https://yaml.org/spec/1.2.2/, 10.3.2.
    """
    if written in _WORDS:
        return _WORDS[written]
    if len(written) > _LONGEST_NUMBER:
        return written
    if _INTEGER.fullmatch(written):
        return int(written)
    return float(written) if _DECIMAL.fullmatch(written) else written
