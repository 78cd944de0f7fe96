"""Rows that this version cannot read, because a newer one wrote them or they are damaged. Each is left out and logged.

Owns that rule. Knows no table.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import RowMapping

Record = TypeVar("Record")

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What reading such a row raises: a member is missing, a value is unknown or has another type."""
LEAVE_S = 60.0
"""Seconds for which no scorer looks again at a row that is due and cannot be read here."""
_MOST_TOLD = 10_000

log = logging.getLogger(__name__)
_told: set[str] = set()


def read_or_none(row: RowMapping, read: Callable[[RowMapping], Record], name: str = "id") -> Record | None:
    """Return the record in a row; if this version cannot read it, return ``None`` and log that the first time.

    ``name``: the column that identifies the row.
    """
    try:
        return read(row)
    except UNREADABLE as error:
        which = str(row[name])
        if which not in _told and len(_told) < _MOST_TOLD:
            _told.add(which)
            log.error("skipped %s, which this version cannot read: %r", which, error)
        return None


def readable(rows: Iterable[RowMapping], read: Callable[[RowMapping], Record], name: str = "id") -> list[Record]:
    """Return the records of the rows that can be read, in their order."""
    found = (read_or_none(row, read, name) for row in rows)
    return [record for record in found if record is not None]


def read_page(
    rows_of: Callable[[str | None, int], Sequence[RowMapping]],
    read: Callable[[RowMapping], Record],
    before: str | None,
    limit: int,
) -> list[Record]:
    """Return a full page of records. For each row that cannot be read, one more is fetched.

    ``rows_of``: returns at most so many rows after an id.
    """
    found: list[Record] = []
    while True:
        wanted = limit - len(found)
        rows = rows_of(before, wanted)
        found += readable(rows, read)
        if len(rows) < wanted or len(found) >= limit:
            return found
        before = rows[-1]["id"]
