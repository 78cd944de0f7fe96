"""YAML as nodes with lines.

Owns which YAML is accepted: one document of mappings, lists and scalars, without tags and aliases, and with plain
scalars as in YAML 1.2 (`no`, `on` and `2026-01-01` are text). No Python objects are built from it, whatever it
contains.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared.suites.errors import Fault
from shared.suites.nodes import Leaf, Members, Node, NodeBudget, NodePair, NodeRows, Unread

if TYPE_CHECKING:
    from types import ModuleType

_LOWER = {"": None, "~": None, "null": None, "true": True, "false": False}
_WORDS = {form(word): value for word, value in _LOWER.items() for form in (str, str.capitalize, str.upper)}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40
_MOST_SHOWN = 60
_STRETCH = 1 << 16
# the parser compares each directive with all before it; a suite needs none
_DIRECTIVE = re.compile("(?:^|[\n\r\x85\u2028\u2029])%")
_MOST_DIRECTIVES = 8
# characters that YAML forbids; PyYAML's two parsers disagree on where they found them
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_yaml(text: str, faults: list[Fault]) -> Node:
    """Return the document in ``text`` as nodes. Faults of the notation are added to ``faults``."""
    import yaml  # type: ignore[import-untyped]  # only when a YAML suite is read

    _check_characters(text, faults)
    if faults:
        return Unread(1)
    events = yaml.parse(_Stream(text), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    try:
        return _Document(yaml, events, faults).node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or str(error)
        # what is missing at the end is reported for a line that does not exist
        line = min(mark.line + 1, _lines(text)) if mark else 1
        faults.append(Fault(line, f"is no YAML: {what}"))
    return Unread(1)


class _Stream:
    """A text that is read in parts.

    The parser lets other threads run only when it asks for more. With a text that is passed in whole, a long scalar
    keeps them all waiting.
    """

    name = "a suite"

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self, size: int) -> str:
        """Return the next characters, at most ``size``."""
        begin, self._at = self._at, self._at + size
        return self._text[begin : self._at]


def _check_characters(text: str, faults: list[Fault]) -> None:
    """Report what the parser must not see."""
    line, at = 1, 0
    for found in _found(_UNPRINTABLE, 0, text):
        line, at = line + text.count("\n", at, found.start()), found.start()
        faults.append(Fault(line, f"control character U+{ord(found.group()):04X}"))
    if (last := next(islice(_found(_DIRECTIVE, 1, text), _MOST_DIRECTIVES, None), None)) is not None:
        line = text.count("\n", 0, last.end()) + 1
        faults.append(Fault(line, f"more than {_MOST_DIRECTIVES} lines begin with %: a suite needs no directives"))


def _lines(text: str) -> int:
    breaks = sum(map(text.count, ("\n", "\r", "\x85", "\u2028", "\u2029"))) - text.count("\r\n")
    return breaks if text[-1:] in {"\n", "\r", "\x85", "\u2028", "\u2029"} else breaks + 1


def _found(form: re.Pattern[str], overlap: int, text: str) -> Iterator[re.Match[str]]:
    """Yield matches, one chunk of the text at a time, for the same reason as `_Stream`.

    ``overlap``: characters of a match beyond its first.
    """
    for begin in range(0, len(text), _STRETCH):
        yield from form.finditer(text, begin, begin + _STRETCH + overlap)


class _Document:
    """Reads the parser's events, one node after the other."""

    def __init__(self, yaml: ModuleType, events: Iterator[Any], faults: list[Fault]) -> None:
        self._yaml = yaml
        self._events = events
        self._faults = faults
        self._budget = NodeBudget()

    def node(self) -> Node:
        """Return the first document of the stream."""
        next(self._events)  # the stream's start
        first = next(self._events)
        if isinstance(first, self._yaml.StreamEndEvent):
            self._faults.append(Fault(1, "there is nothing in the file"))
            return Unread(1)
        node = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, self._yaml.StreamEndEvent):
            self._faults.append(Fault(_line(after), "a second document begins; a suite is one"))
        return node

    def _node(self, event: Any, depth: int) -> Node:
        line = _line(event)
        self._budget.spend(line, depth)
        if isinstance(event, self._yaml.AliasEvent):
            self._faults.append(Fault(line, f"aliases (*{event.anchor[:_MOST_SHOWN]}) are not taken: write it out"))
            return Unread(line)
        if event.tag is not None:
            self._faults.append(Fault(line, f"tags ({event.tag[:_MOST_SHOWN]}) are not taken"))
        if isinstance(event, self._yaml.ScalarEvent):
            return Leaf(line, _plain(event.value) if event.implicit[0] else event.value)
        if isinstance(event, self._yaml.SequenceStartEvent):
            return NodeRows(line, tuple(self._node(one, depth + 1) for one in self._until(self._yaml.SequenceEndEvent)))
        return self._members(line, depth)

    def _members(self, line: int, depth: int) -> Members:
        pairs, complete = [], True
        for event in self._until(self._yaml.MappingEndEvent):
            name = self._node(event, depth + 1)
            node = self._node(next(self._events), depth + 1)
            if isinstance(name, Leaf):
                pairs.append(NodePair(name.line, event.value, node))
                continue
            complete = False
            if not isinstance(name, Unread):
                self._faults.append(Fault(name.line, "a member's name is text"))
        return Members(line, tuple(pairs), complete)

    def _until(self, end: type) -> Iterator[Any]:
        """Yield the events that begin a node, up to the end of what contains them."""
        while not isinstance(event := next(self._events), end):
            yield event


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


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
