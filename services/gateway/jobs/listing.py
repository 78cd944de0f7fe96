"""The query of ``GET /v1/jobs``: filters, page size and cursor. All other lists share page size and cursor.

Owns the names and forms of these parameters. A cursor is the id of the last entry of a page; clients do not interpret
it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from services.gateway.requests.job_schemas import JOB_ID
from services.gateway.sharing.fair_threads import FairThreads
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused, StoreTooSlow
from shared.jobs import FacetStatus, Status
from shared.ports import JobFilter
from shared.values.numbers import whole_in

MAX_PAGE = 200
DEFAULT_PAGE = 50
PREFIX = "metadata."
MOST_METADATA = 16
"""Most filters by metadata: a job has no more metadata than that (`job_schemas.JobRequest`)."""
_RETRY_AFTER_S = 5

T = TypeVar("T")


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
    size = whole_in(value)
    if not 1 <= size <= MAX_PAGE:
        raise ValueError(value)
    return size


def _name(value: str) -> str:
    if not value or len(value) > 200 or not value.isprintable():
        raise ValueError(value)
    return value


def read_names(query: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return those of the parameters ``names`` that are in the query. Raises `InvalidRequest` if a value is not a
    name."""
    values, wrong = {}, []
    for name in names:
        try:
            if name in query:
                values[name] = _name(query[name])
        except ValueError:
            wrong.append(FieldError(f"/{name}", "must be a name"))
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
    "cursor": ("before", _cursor, "the next_cursor of a page of this list"),
    "limit": ("limit", _page, f"a whole number from 1 to {MAX_PAGE}"),
}
"""By parameter: the field of the filter, its reader, and what the value must be."""
PARAMETERS = frozenset(_READ)


def read_filter(query: Mapping[str, str], user: str) -> tuple[JobFilter, int]:
    """Return the filter for the store, which asks for one job more than the page takes, and the size of the page.

    Raises `InvalidRequest` with every fault of the query."""
    values: dict[str, Any] = {"limit": DEFAULT_PAGE}
    metadata: dict[str, str] = {}
    wrong: list[FieldError] = []
    for name, value in query.items():
        if name.startswith(PREFIX):
            if not (name + value).isprintable():
                wrong.append(FieldError(f"/{name}", "control characters are not allowed"))
            metadata[name.removeprefix(PREFIX)] = value
            continue
        field, read, form = _READ[name]
        try:
            values[field] = read(value)
        except (ValueError, OverflowError):
            wrong.append(FieldError(f"/{name}", f"must be {form}"))
    if len(metadata) > MOST_METADATA:
        many = f"{len(metadata)} metadata filters; at most {MOST_METADATA} are allowed"
        wrong = [FieldError(f"/{PREFIX}*", many)]
    if wrong:
        raise InvalidRequest(tuple(wrong))
    limit = values.pop("limit")
    return JobFilter(user, **values, metadata=metadata, limit=limit + 1), limit


def read_page(query: Mapping[str, str], ids: re.Pattern[str]) -> tuple[int, str | None]:
    """Return the size of the page, and the id that it starts after (or None). ``ids``: the form of ids.

    Raises `InvalidRequest` for a wrong ``limit`` or ``cursor``."""
    wrong = []
    limit = DEFAULT_PAGE
    try:
        limit = _page(query.get("limit", str(DEFAULT_PAGE)))
    except ValueError:
        wrong.append(FieldError("/limit", f"must be a whole number from 1 to {MAX_PAGE}"))
    before = query.get("cursor")
    if before is not None and ids.fullmatch(before) is None:
        wrong.append(FieldError("/cursor", "must be the next_cursor of a page of this list"))
    if wrong:
        raise InvalidRequest(tuple(wrong))
    return limit, before


class Listed(Protocol):
    """An entry of a list."""

    @property
    def id(self) -> str: ...


class Part(NamedTuple):
    """An entry of a list, encoded as it is sent."""

    id: str
    document: object


async def listed(listing: FairThreads, user: str, find: Callable[[], T]) -> T:
    """Return what ``find`` returns. It runs in a thread, in the user's turn.

    Raises `Refused` (`store_unavailable`) if that takes too long."""
    try:
        return await listing.run(user, find)
    except StoreTooSlow:
        detail = "this list took too long; ask for a smaller page, use fewer filters, or filter by pin or status"
        raise Refused(RefusalCode.STORE_UNAVAILABLE, detail, retry_after_s=_RETRY_AFTER_S) from None


def next_cursor(found: Sequence[Listed], limit: int) -> str | None:
    """Return the cursor of the next page, or None. ``found`` was asked for one more than ``limit``."""
    return found[limit - 1].id if len(found) > limit else None
