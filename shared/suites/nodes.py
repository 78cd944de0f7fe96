"""What stands in a file, with the line of each part: the one form that both notations are read into.

Owns no rule about suites.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MAX_DEPTH = 8
"""Deeper than any suite; a file that goes on is not read further."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Text, a number, true, false or null."""

    line: int
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Rows:
    """A list."""

    line: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """A mapping, names that stand twice included."""

    line: int
    pairs: tuple[Pair, ...]
    complete: bool = True
    """Not where some of it could not be read: what seems to be missing may be there."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read; its fault is told already."""

    line: int


Node = Leaf | Rows | Members | Unread


class Pair(NamedTuple):
    """One member; ``line`` is that of its name."""

    line: int
    name: str
    node: Node
