"""YAML as nodes with lines.

Owns which YAML is taken: one document of mappings, lists and scalars, without tags and aliases, and with plain scalars
as in YAML 1.2 (`no`, `on` and `2026-01-01` are text). No object is made of it, whatever it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shared.suites.errors import Fault
from shared.suites.nodes import MAX_DEPTH, Leaf, Members, Node, Pair, Rows, Unread

if TYPE_CHECKING:
    from types import ModuleType

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40
# what YAML forbids in a file; PyYAML's two parsers disagree on where they found it
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_yaml(text: str, faults: list[Fault]) -> Node:
    """The document in ``text``; what is wrong with its notation is added to ``faults``."""
    import yaml  # type: ignore[import-untyped]  # by whoever reads a suite, not by whoever could

    for found in _UNPRINTABLE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        faults.append(Fault(line, f"control character U+{ord(found.group()):04X}"))
    if faults:
        return Unread(1)
    events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    try:
        return _Document(yaml, events, faults).node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or str(error)
        # what is missing at the end is missed in a line that is not there
        line = min(mark.line + 1, len(text.splitlines())) if mark else 1
        faults.append(Fault(line, f"is no YAML: {what}"))
    except _TooDeep as error:
        faults.append(Fault(error.line, f"nested deeper than {MAX_DEPTH}"))
    return Unread(1)


class _TooDeep(Exception):
    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class _Document:
    """Reads the parser's events, one node after the other."""

    def __init__(self, yaml: ModuleType, events: Iterator[Any], faults: list[Fault]) -> None:
        self._yaml = yaml
        self._events = events
        self._faults = faults

    def node(self) -> Node:
        """The first document of the stream."""
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
        if depth > MAX_DEPTH:
            raise _TooDeep(line)
        if isinstance(event, self._yaml.AliasEvent):
            self._faults.append(Fault(line, f"aliases (*{event.anchor}) are not taken: write it out"))
            return Unread(line)
        if event.tag is not None:
            self._faults.append(Fault(line, f"tags ({event.tag}) are not taken"))
        if isinstance(event, self._yaml.ScalarEvent):
            return Leaf(line, _plain(event.value) if event.implicit[0] else event.value)
        if isinstance(event, self._yaml.SequenceStartEvent):
            return Rows(line, tuple(self._node(one, depth + 1) for one in self._until(self._yaml.SequenceEndEvent)))
        return self._members(line, depth)

    def _members(self, line: int, depth: int) -> Members:
        pairs, complete = [], True
        for event in self._until(self._yaml.MappingEndEvent):
            name = self._node(event, depth + 1)
            node = self._node(next(self._events), depth + 1)
            if isinstance(name, Leaf):
                pairs.append(Pair(name.line, event.value, node))
                continue
            complete = False
            if not isinstance(name, Unread):
                self._faults.append(Fault(name.line, "a member's name is text"))
        return Members(line, tuple(pairs), complete)

    def _until(self, end: type) -> Iterator[Any]:
        """The events that begin something, up to the end of what they are in."""
        while not isinstance(event := next(self._events), end):
            yield event


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _plain(written: str) -> str | int | float | bool | None:
    """A scalar without quotes, by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/, 10.3.2)."""
    if written in _WORDS or written in map(str.capitalize, _WORDS) or written in map(str.upper, _WORDS):
        return _WORDS[written.lower()]
    if len(written) > _LONGEST_NUMBER:
        return written
    if _INTEGER.fullmatch(written):
        return int(written)
    return float(written) if _DECIMAL.fullmatch(written) else written
