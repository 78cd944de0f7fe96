"""A suite as a JSON value, as `Suite.to_json` returns it. Checked by the rules for files; errors have JSON pointers.

Owns the conversion from a value to nodes. Knows no rule about suites.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import FieldError, RingtrueError
from shared.suites.checking import suite_of
from shared.suites.errors import Fault
from shared.suites.nodes import MAX_DEPTH, Leaf, Members, Node, NodeBudget, NodePair, NodeRows, TooMuch, Unread
from shared.suites.suite import Suite
from shared.values.faults import AND_MORE, MOST_FAULTS, Enough, Faults

_LONGEST_STEP = 64


class DocumentInvalid(RingtrueError):
    """A value that is not a suite. Every error has its JSON pointer."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.pointer or '/'}: {error.detail}" for error in errors))
        self.errors = errors


def suite_in(document: Mapping[str, Any]) -> Suite:
    """Return the suite in ``document``.

    Its ``sha256``, if present, must be that of its items. Raises `DocumentInvalid`.
    """
    places, faults, more, suite = _Places(), Faults[Fault](), [], None
    said = document.get("sha256")
    try:
        node = places.node({name: value for name, value in document.items() if name != "sha256"}, None, "", 0, faults)
        suite = suite_of(node, faults, place=lambda line: places.pointer(line) or "/")
    except TooMuch as error:
        more = [Fault(error.line, error.what)]
    except Enough:
        more = [Fault(0, AND_MORE)]
        del faults[MOST_FAULTS:]
    if suite is None:
        told = [*sorted(faults), *more]
        raise DocumentInvalid(tuple(FieldError(places.pointer(fault.line), fault.what) for fault in told))
    if said is not None and said != suite.sha256:
        raise DocumentInvalid((FieldError("/sha256", f"is not that of the items, which is {suite.sha256}"),))
    return suite


class _Places:
    """Numbers the parts of a value in their order, as lines number the parts of a file.

    A pointer is built from a number only when a fault is reported: pointers for every part would be many times as long
    as the value.
    """

    def __init__(self) -> None:
        self._above: list[tuple[int | None, str]] = []
        self._budget = NodeBudget()

    def pointer(self, line: int) -> str:
        """Return the JSON pointer to a part."""
        steps: list[str] = []
        above: int | None = line
        while above is not None:
            above, step = self._above[above]
            steps.append(_escaped(step))
        return "/".join(reversed(steps))

    def node(self, value: object, above: int | None, step: str, depth: int, faults: list[Fault]) -> Node:
        """Return the node of a value. ``step``: its name or index within the part ``above``."""
        line = len(self._above)
        self._above.append((above, step))
        if depth > MAX_DEPTH:
            faults.append(Fault(line, f"nested deeper than {MAX_DEPTH}"))
            return Unread(line)
        self._budget.spend(line, depth)
        if isinstance(value, list):
            rows = (self.node(one, line, str(index), depth + 1, faults) for index, one in enumerate(value))
            return NodeRows(line, tuple(rows))
        if isinstance(value, Mapping):
            return Members(line, tuple(self._pair(name, one, line, depth, faults) for name, one in value.items()))
        assert value is None or isinstance(value, str | int | float | bool), "a value that was JSON"
        return Leaf(line, value)

    def _pair(self, name: str, value: object, above: int, depth: int, faults: list[Fault]) -> NodePair:
        self._budget.spend(above, depth)
        node = self.node(value, above, name, depth + 1, faults)
        return NodePair(node.line, name, node)


def _escaped(step: str) -> str:
    shown = step if len(step) <= _LONGEST_STEP else f"{step[:_LONGEST_STEP]}…"
    return shown.replace("~", "~0").replace("/", "~1")
