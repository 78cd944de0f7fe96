"""The query of ``GET /v1/jobs``: filters, page size and cursor; and the last two of every other list.

Owns their names and forms. A cursor is the id of the last one of a page; clients do not look into it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from services.gateway.schemas import JOB_ID
from shared.errors import FieldError, InvalidRequest
from shared.jobs import FacetStatus, Status
from shared.ports import JobFilter

MAX_PAGE = 200
DEFAULT_PAGE = 50
PREFIX = "metadata."


def _time(value: str) -> float:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def _cursor(value: str) -> str:
    if JOB_ID.fullmatch(value) is None:
        raise ValueError(value)
    return value


def _page(value: str) -> int:
    size = int(value)
    if not 1 <= size <= MAX_PAGE:
        raise ValueError(value)
    return size


def _name(value: str) -> str:
    if not value or len(value) > 200 or not value.isprintable():
        raise ValueError(value)
    return value


def read_names(query: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Those of these parameters that are there, each a name."""
    values, wrong = {}, []
    for name in names:
        try:
            if name in query:
                values[name] = _name(query[name])
        except ValueError:
            wrong.append(FieldError(f"/{name}", "a name is needed"))
    if wrong:
        raise InvalidRequest(tuple(wrong))
    return values


_READ: Mapping[str, tuple[str, Callable[[str], Any], str]] = {
    "status": ("status", Status, f"one of {', '.join(Status)}"),
    "pin": ("pin", _name, "the name of a pin"),
    "scoring": ("scoring", FacetStatus, f"one of {', '.join(FacetStatus)}"),
    "tracking": ("tracking", FacetStatus, f"one of {', '.join(FacetStatus)}"),
    "created_after": ("created_after", _time, "a time like 2025-01-31T12:00:00Z"),
    "created_before": ("created_before", _time, "a time like 2025-01-31T12:00:00Z"),
    "cursor": ("before", _cursor, "a next_cursor of this list"),
    "limit": ("limit", _page, f"a whole number from 1 to {MAX_PAGE}"),
}
"""Parameter -> field of the filter, reader, and what it must be."""
PARAMETERS = frozenset(_READ)


def read_filter(query: Mapping[str, str], user: str) -> tuple[JobFilter, int]:
    """What to ask the store for, one job more than the page takes, and the page's size."""
    values: dict[str, Any] = {"limit": DEFAULT_PAGE}
    metadata: dict[str, str] = {}
    wrong: list[FieldError] = []
    for name, value in query.items():
        if name.startswith(PREFIX):
            if not (name + value).isprintable():
                wrong.append(FieldError(f"/{name}", "control characters are not taken here"))
            metadata[name.removeprefix(PREFIX)] = value
            continue
        field, read, form = _READ[name]
        try:
            values[field] = read(value)
        except (ValueError, OverflowError):
            wrong.append(FieldError(f"/{name}", f"{form} is needed"))
    if wrong:
        raise InvalidRequest(tuple(wrong))
    limit = values.pop("limit")
    return JobFilter(user, **values, metadata=metadata, limit=limit + 1), limit


def read_page(query: Mapping[str, str], ids: re.Pattern[str]) -> tuple[int, str | None]:
    """The size of a page, and the one after which it starts. ``ids``: their form."""
    wrong = []
    limit = DEFAULT_PAGE
    try:
        limit = _page(query.get("limit", str(DEFAULT_PAGE)))
    except ValueError:
        wrong.append(FieldError("/limit", f"a whole number from 1 to {MAX_PAGE} is needed"))
    before = query.get("cursor")
    if before is not None and ids.fullmatch(before) is None:
        wrong.append(FieldError("/cursor", "a next_cursor of this list is needed"))
    if wrong:
        raise InvalidRequest(tuple(wrong))
    return limit, before


class Listed(Protocol):
    """What a list has."""

    @property
    def id(self) -> str: ...


def next_cursor(found: Sequence[Listed], limit: int) -> str | None:
    """Where the next page starts; ``found`` was asked for one more than ``limit``."""
    return found[limit - 1].id if len(found) > limit else None
