"""JSON Lines: the first line is the suite without its items, each further line an item.

Owns which JSON Lines are accepted. Knows no rule about suites.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

from shared.suites.checking import MAX_DEPTH, Unchecked
from shared.suites.form import MAX_ITEMS
from shared.values.faults import Loc, Unread

LONGEST_LINE = 1 << 18
"""Characters: twice the longest text of an item with every character escaped. A line is parsed in one call."""


class _Items(list[str]):
    """Lines, as a list of items that parses each when it is asked for: values take many times the memory of text."""

    def __iter__(self) -> Iterator[Any]:
        return map(_parsed, super().__iter__())


def read_jsonl(text: str) -> Unchecked:
    """Return what is in ``text``, with at most one item more than a suite may have."""
    # not `splitlines`: JSON strings may contain U+2028 and other line separators
    lines = enumerate(io.StringIO(text, newline="\n"), 1)
    written = [*islice(((number, line.rstrip("\n")) for number, line in lines if line.strip()), MAX_ITEMS + 2)]
    if not written:
        return Unchecked(Unread("there is nothing in the file"), None, lambda _: 1)
    head, items = _parsed(written[0][1]), _Items(line for _, line in written[1:])
    if isinstance(head, dict):
        head["items"] = Unread("are the further lines, not a member of the first") if "items" in head else items

    def line_of(loc: Loc) -> int:
        match loc:
            case "items", int(index), *_:
                return written[index + 1][0]
        return written[0][0]

    return Unchecked(head, items, line_of)


def _parsed(line: str) -> Any:
    if len(line) > LONGEST_LINE:
        return Unread(f"has {len(line)} characters, at most {LONGEST_LINE} are allowed in a line")
    try:
        return json.loads(line, object_pairs_hook=_members, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return Unread(f"is no JSON: {error.msg}, column {error.colno}")
    except ValueError as error:
        return Unread(f"is no JSON: {error}")
    except RecursionError:
        return Unread(f"is nested deeper than {MAX_DEPTH}")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        members |= {name: Unread("appears twice") for name, count in counts.items() if count > 1}
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is none of its numbers")
