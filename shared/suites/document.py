"""A suite as a JSON value, as `Suite.to_json` makes it: checked by the rules that files are, told by JSON pointers.

Owns the way from a value to nodes. Knows no rule about suites.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import FieldError, RingtrueError
from shared.suites.checking import suite_of
from shared.suites.errors import Fault
from shared.suites.nodes import MAX_DEPTH, Leaf, Members, Node, Pair, Rows, Unread
from shared.suites.suite import Suite


class DocumentInvalid(RingtrueError):
    """A value that is no suite; every fault of it has its place."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.pointer or '/'}: {error.detail}" for error in errors))
        self.errors = errors


def suite_in(document: Mapping[str, Any]) -> Suite:
    """The suite that ``document`` is. Its ``sha256``, where it has one, must be that of its items."""
    places, faults = _Places(), list[Fault]()
    said = document.get("sha256")
    node = places.node({name: value for name, value in document.items() if name != "sha256"}, "", 0, faults)
    suite = suite_of(node, faults, place=lambda line: places.pointers[line] or "/")
    if suite is None:
        raise DocumentInvalid(tuple(FieldError(places.pointers[fault.line], fault.what) for fault in sorted(faults)))
    if said is not None and said != suite.sha256:
        raise DocumentInvalid((FieldError("/sha256", f"is not that of the items, which is {suite.sha256}"),))
    return suite


class _Places:
    """Numbers the parts of a value in the order in which they stand: what lines are to a file."""

    def __init__(self) -> None:
        self.pointers: list[str] = []

    def node(self, value: object, pointer: str, depth: int, faults: list[Fault]) -> Node:
        line = len(self.pointers)
        self.pointers.append(pointer)
        if depth > MAX_DEPTH:
            faults.append(Fault(line, f"nested deeper than {MAX_DEPTH}"))
            return Unread(line)
        if isinstance(value, list):
            rows = (self.node(one, f"{pointer}/{index}", depth + 1, faults) for index, one in enumerate(value))
            return Rows(line, tuple(rows))
        if isinstance(value, Mapping):
            return Members(line, tuple(self._pair(name, one, pointer, depth, faults) for name, one in value.items()))
        assert value is None or isinstance(value, str | int | float | bool), "a value that was JSON"
        return Leaf(line, value)

    def _pair(self, name: str, value: object, pointer: str, depth: int, faults: list[Fault]) -> Pair:
        escaped = name.replace("~", "~0").replace("/", "~1")
        node = self.node(value, f"{pointer}/{escaped}", depth + 1, faults)
        return Pair(node.line, name, node)
