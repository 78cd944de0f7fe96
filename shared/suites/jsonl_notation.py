"""JSON Lines as nodes with lines: the first line is the suite without its items, each further one an item.

Owns which JSON Lines are taken. Knows no rule about suites.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from shared.suites.errors import Fault
from shared.suites.nodes import MAX_DEPTH, Leaf, Members, Node, Pair, Rows, Unread


def read_jsonl(text: str, faults: list[Fault]) -> Node:
    """The suite in ``text``; what is wrong with its notation is added to ``faults``."""
    # not splitlines: JSON has U+2028 and its like as they are
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        faults.append(Fault(1, "there is nothing in the file"))
        return Unread(1)
    head, *items = [_read(number, line, faults) for number, line in lines]
    rows = Rows(items[0].line if items else head.line, tuple(items))
    pairs = head.pairs if isinstance(head, Members) else ()
    if isinstance(head, Leaf | Rows):
        faults.append(Fault(head.line, "the first line is an object: the suite without its items"))
    return Members(head.line, (*pairs, Pair(rows.line, "items", rows)), complete=isinstance(head, Members))


class _Object(list[tuple[str, Any]]):
    """The members of an object as they are written."""


def _read(number: int, line: str, faults: list[Fault]) -> Node:
    try:
        value = json.loads(line, object_pairs_hook=_Object, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        faults.append(Fault(number, f"is no JSON: {error.msg}, column {error.colno}"))
    except ValueError as error:
        faults.append(Fault(number, f"is no JSON: {error}"))
    except RecursionError:
        faults.append(Fault(number, f"nested deeper than {MAX_DEPTH}"))
    else:
        return _node(number, value, 0, faults)
    return Unread(number)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is none of its numbers")


def _node(line: int, value: Any, depth: int, faults: list[Fault]) -> Node:
    if depth > MAX_DEPTH:
        faults.append(Fault(line, f"nested deeper than {MAX_DEPTH}"))
        return Unread(line)
    if isinstance(value, _Object):
        return Members(line, tuple(Pair(line, name, _node(line, one, depth + 1, faults)) for name, one in value))
    if isinstance(value, list):
        return Rows(line, tuple(_node(line, one, depth + 1, faults) for one in value))
    return Leaf(line, value)
