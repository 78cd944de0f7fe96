"""The content of a file, with the line of each part: the one form that both notations are read into.

Owns the nodes and their limits. Knows no rule about suites.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MAX_DEPTH = 8
"""Deeper than any suite. Beyond it a file is not read further."""
MAX_NODES = 400_000
"""Most names and values in a file. The largest suite, with every member and all tags in every item, has 330,000."""


class TooMuch(Exception):
    """A file that exceeds what any suite has. It is not read further."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


class NodeBudget:
    """Counts what is read of one file, and stops the reading at the limit."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def spend(self, line: int, depth: int) -> None:
        """Count one more name or value. Raises `TooMuch` if that is one too many, or too deep."""
        if depth > MAX_DEPTH:
            raise TooMuch(line, f"nested deeper than {MAX_DEPTH}")
        self._left -= 1
        if self._left < 0:
            raise TooMuch(line, f"more than {MAX_NODES} names and values: a suite has fewer")


@dataclass(frozen=True, slots=True)
class Leaf:
    """Text, a number, true, false or null."""

    line: int
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class NodeRows:
    """A list."""

    line: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """A mapping, including names that appear twice."""

    line: int
    pairs: tuple[NodePair, ...]
    complete: bool = True
    """False if some of it could not be read: what seems to be missing may be there."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A part that could not be read. Its fault is already reported."""

    line: int


Node = Leaf | NodeRows | Members | Unread


class NodePair(NamedTuple):
    """One member. ``line`` is that of its name."""

    line: int
    name: str
    node: Node
