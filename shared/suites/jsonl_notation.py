"""JSON Lines as nodes with lines: the first line is the suite without its items, each further line an item.

Owns which JSON Lines are accepted. Knows no rule about suites.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from shared.suites.errors import Fault
from shared.suites.nodes import MAX_DEPTH, Leaf, Members, Node, NodeBudget, NodePair, NodeRows, Unread

LONGEST_LINE = 1 << 18
"""Characters: twice the longest text of an item with every character escaped. A line is parsed in one call."""


def read_jsonl(text: str, faults: list[Fault]) -> Node:
    """Return the suite in ``text`` as nodes. Faults of the notation are added to ``faults``."""
    budget = NodeBudget()
    nodes = [_read(number, line, budget, faults) for number, line in _lines(text)]
    if not nodes:
        faults.append(Fault(1, "there is nothing in the file"))
        return Unread(1)
    head, *items = nodes
    rows = NodeRows(items[0].line if items else head.line, tuple(items))
    pairs = head.pairs if isinstance(head, Members) else ()
    if isinstance(head, Leaf | NodeRows):
        faults.append(Fault(head.line, "the first line is an object: the suite without its items"))
    return Members(head.line, (*pairs, NodePair(rows.line, "items", rows)), complete=isinstance(head, Members))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers; one at a time, because a file may consist of very many.

    Not `splitlines`: JSON strings may contain U+2028 and other line separators.
    """
    number, at = 0, 0
    while at < len(text):
        number += 1
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if end > at and (line := text[at:end]).strip():
            yield number, line
        at = end + 1


class _Object(list[tuple[str, Any]]):
    """The members of an object, as they are written."""


def _read(number: int, line: str, budget: NodeBudget, faults: list[Fault]) -> Node:
    if len(line) > LONGEST_LINE:
        faults.append(Fault(number, f"{len(line)} characters, at most {LONGEST_LINE} are taken in a line"))
        return Unread(number)
    try:
        value = json.loads(line, object_pairs_hook=_Object, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        faults.append(Fault(number, f"is no JSON: {error.msg}, column {error.colno}"))
    except ValueError as error:
        faults.append(Fault(number, f"is no JSON: {error}"))
    except RecursionError:
        faults.append(Fault(number, f"nested deeper than {MAX_DEPTH}"))
    else:
        return _node(number, value, 0, budget, faults)
    return Unread(number)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is none of its numbers")


def _node(line: int, value: Any, depth: int, budget: NodeBudget, faults: list[Fault]) -> Node:
    if depth > MAX_DEPTH:
        faults.append(Fault(line, f"nested deeper than {MAX_DEPTH}"))
        return Unread(line)
    budget.spend(line, depth)
    if isinstance(value, _Object):
        return Members(line, tuple(_pair(line, name, one, depth, budget, faults) for name, one in value))
    if isinstance(value, list):
        return NodeRows(line, tuple(_node(line, one, depth + 1, budget, faults) for one in value))
    return Leaf(line, value)


def _pair(line: int, name: str, value: Any, depth: int, budget: NodeBudget, faults: list[Fault]) -> NodePair:
    budget.spend(line, depth)
    return NodePair(line, name, _node(line, value, depth + 1, budget, faults))
