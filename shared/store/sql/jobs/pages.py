"""Pages of a user's jobs, read by the index of the filter that matches fewest jobs, at a bounded cost.

Owns the choice of the index and the bound. A way is an index (or several) whose order is that of pages, newest first. A
single filter has its own index that contains nothing else, so it costs what the page holds, however many jobs there
are. With several filters, the way whose jobs are rarest is walked, and each job on it is compared with the other
filters, at most `SCAN` jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Double,
    FromClause,
    Integer,
    Row,
    Select,
    Subquery,
    Text,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)

from shared.jobs import HELD, FacetStatus, Status
from shared.ports import JobFilter, Page
from shared.store.sql.tables.indexes import FINISHED, SCORING_KNOWN, metadata_pairs
from shared.store.sql.tables.pairs import pair_of
from shared.store.sql.tables.reading import readable
from shared.store.sql.tables.rows import job_of
from shared.store.sql.tables.schema import jobs

SCAN = 300
"""Most jobs that are looked at for one page. If fewer than a page of them match, the page ends there and the next one
goes on. So no combination of filters costs more, and none returns part of the result as if it were all."""

_MOST_WAYS = 8
"""For at most this many filters, their number of jobs is compared. With more, a page is right but may end earlier."""

_UNFINISHED = (Status.QUEUED, *sorted(HELD))
_POSITION = select(jobs.c.created_at).where(jobs.c.id == bindparam("of_job"))
_USER = bindparam("of_user", type_=Text)
_LIMIT = bindparam("at_most", type_=Integer)
_SCAN: ColumnElement[int] = literal_column(str(SCAN))
_AFTER = bindparam("created_after", type_=Double)
_BEFORE = bindparam("created_before", type_=Double)
_LAST = (bindparam("last_created_at", type_=Double), bindparam("last_id", type_=Text))

Condition = ColumnElement[bool]
_Ask = Callable[[FromClause], Condition]
"""The condition that a filter puts on a job, in a table with the columns of `jobs`."""


class _Range(NamedTuple):
    """A range of one index of ``of``, after the user: the rows whose ``column`` has the ``value``."""

    of: FromClause
    column: str | None = None
    value: ColumnElement[Any] | None = None
    where: tuple[Condition, ...] = ()
    """Conditions of the partial index."""


_Way = Sequence[_Range]
"""Disjoint ranges: no job is in two of them."""


class _Shape(NamedTuple):
    """Everything that the statements of a page depend on, except the bound values."""

    sqlite: bool
    filters: tuple[str, ...]
    """Columns of `jobs` that must have a given value. A facet that must be pending has the suffix ``:pending``."""
    pairs: int
    bounds: frozenset[str]
    """Names of the bounds that `_bounds` binds. ``last_created_at`` and ``last_id``: older than a job; ``below_id``:
    with a smaller id, of any age."""


class _Statements(NamedTuple):
    pages: Sequence[Select[Any]]
    """By way, as `ends`."""
    ends: Sequence[Select[Any]]
    """By way: selects the last job that may be looked at; no row if the way ends before."""
    furthest: CompoundSelect[Any] | None
    """All `ends` with the number of their way, if there are several ways."""
    exact: bool
    """Whether every job on the way matches."""


def find(connection: Connection, wanted: JobFilter) -> Page:
    """Return a page of jobs, newest first, at most ``wanted.limit``."""
    shape, values = _read(connection, wanted)
    statements = _statements(shape)
    way, end = 0, None
    if statements.furthest is not None:
        way, end = _rarest(connection.execute(statements.furthest, values).all(), len(statements.ends))
    rows = connection.execute(statements.pages[way], {**values, "at_most": wanted.limit}).mappings().all()
    found = readable(rows, job_of)
    if len(rows) >= wanted.limit:
        # If some rows cannot be read, the page is shorter, and the next one goes on after the last row.
        return Page(found, rows[-1]["id"] if len(found) < wanted.limit else None)
    if statements.furthest is None and not statements.exact:
        end = connection.execute(statements.ends[way], values).one_or_none()
    return Page(found, end.id if end is not None else None)


def _rarest(ends: Sequence[Row[Any]], ways: int) -> tuple[int, Row[Any] | None]:
    """Return the way on which `SCAN` jobs reach furthest back, and the last of these.

    ``None`` in place of the last job: the way ends before.
    """
    reached = {end.way: end for end in ends}
    for way in range(ways):
        if way not in reached:
            return way, None
    furthest = min(ends, key=lambda end: (end.created_at, end.id))
    return furthest.way, furthest


def _read(connection: Connection, wanted: JobFilter) -> tuple[_Shape, dict[str, Any]]:
    """Return the shape of a page and the values that it binds."""
    exact = {
        "status": wanted.status,
        "scoring_status": wanted.scoring,
        "tracking_status": wanted.tracking,
        "pin": wanted.pin,
    }
    values: dict[str, Any] = {name: str(value) for name, value in exact.items() if value is not None}
    filters = tuple(_pending(name) if exact[name] is FacetStatus.PENDING else name for name in values)
    for number, (key, value) in enumerate(wanted.metadata.items()):
        values |= {f"key_{number}": key, f"value_{number}": value, f"pair_{number}": pair_of(key, value)}
    bounds = _bounds(connection, wanted)
    values |= {"of_user": wanted.user, **bounds}
    return _Shape(connection.dialect.name == "sqlite", filters, len(wanted.metadata), frozenset(bounds)), values


def _pending(column: str) -> str:
    return f"{column}:pending"


def _bounds(connection: Connection, wanted: JobFilter) -> dict[str, Any]:
    bounds: dict[str, Any] = {"created_after": wanted.created_after, "created_before": wanted.created_before}
    if wanted.before is not None:
        at = connection.execute(_POSITION, {"of_job": wanted.before}).scalar_one_or_none()
        if at is None:  # no user was given this cursor
            bounds["below_id"] = wanted.before
        elif wanted.created_before is None or at < wanted.created_before:
            # Only the narrower of two upper bounds: the planner enters an index at one of them, perhaps the wrong one.
            bounds |= {"last_created_at": at, "last_id": wanted.before, "created_before": None}
    return {name: value for name, value in bounds.items() if value is not None}


@lru_cache(maxsize=512)
def _statements(shape: _Shape) -> _Statements:
    filters = [*map(_filter_by, shape.filters), *(_filter_by_pair(n, sqlite=shape.sqlite) for n in range(shape.pairs))]
    ways = [way for way, _ in filters][:_MOST_WAYS] or [[_Range(jobs)]]
    asks = [ask for _, ask in filters]
    if "below_id" in shape.bounds:
        asks.append(lambda of: of.c.id < bindparam("below_id", type_=Text))
    ends = [_last_of(way, shape) for way in ways]
    furthest = union_all(*(_numbered(way, end) for way, end in enumerate(ends))) if len(ends) > 1 else None
    if exact := len(ways) == 1 and _is_of_jobs(ways[0]) and "below_id" not in shape.bounds:
        # SQLite sorts everything that is scanned; PostgreSQL stops at the page.
        scanned = _LIMIT if shape.sqlite else _SCAN
        return _Statements([_page(ways[0], shape, (), scanned)], ends, furthest, exact)
    return _Statements([_page(way, shape, asks, _SCAN) for way in ways], ends, furthest, exact)


def _is_of_jobs(way: _Way) -> bool:
    return len(way) == 1 and way[0].of is jobs


def _numbered(way: int, end: Select[Any]) -> Select[Any]:
    last = end.subquery()
    return select(literal(way).label("way"), last.c.created_at, last.c.id)


def _filter_by(name: str) -> tuple[_Way, _Ask]:
    """Return the way of a filter, and its condition on a job."""
    column, _, pending = name.partition(":")
    value = bindparam(column, type_=Text)
    indexed = {"scoring_status": (SCORING_KNOWN,), "tracking_status": (FINISHED,), "pin": (FINISHED,)}.get(column, ())
    way = [_Range(jobs, column, value, indexed)]
    if pending or column == "pin":
        # The index of this filter has no unfinished jobs. They are found by their status.
        unfinished = [_Range(jobs, "status", literal_column(f"'{status}'")) for status in _UNFINISHED]
        way = [_Range(jobs, column, value, (*indexed, FINISHED)), *unfinished]
    return way, lambda of: of.c[column] == value


def _filter_by_pair(number: int, *, sqlite: bool) -> tuple[_Way, _Ask]:
    key, value = (bindparam(f"{name}_{number}", type_=Text) for name in ("key", "value"))

    def ask(of: FromClause) -> Condition:
        if not sqlite:
            has: Condition = of.c.metadata[key].as_string() == value
            return has
        # A JSON path of SQLite cannot contain a quotation mark, so keys are compared as values.
        pair = func.json_each(of.c.metadata).table_valued("key", "value")
        return exists(select(1).select_from(pair).where(pair.c.key == key, pair.c.value == value))

    return [_Range(metadata_pairs, "pair", bindparam(f"pair_{number}", type_=BigInteger))], ask


def _newest(of: FromClause, column: str | None = None) -> Sequence[ColumnElement[Any]]:
    """Return the order of pages. ``column``: has one value in all rows, and comes first in the index."""
    page = (of.c.created_at.desc(), of.c.id.desc())
    return page if column is None else (of.c[column].desc(), *page)


def _within(range_: _Range, bounds: frozenset[str]) -> Iterator[Condition]:
    """Yield the conditions that bound a range.

    Not "column = value": a planner would see that the index of all jobs of the user has the same order, and walk that
    if it thinks that many jobs match. With two bounds on the column, only its own index is in order.
    """
    of, column, value, where = range_
    yield of.c.user == _USER
    yield from where
    key = () if column is None else (of.c[column],)
    first = () if value is None else (value,)
    if "created_after" in bounds:
        yield _tuple(*key, of.c.created_at) > _tuple(*first, _AFTER)
    elif column is not None:
        yield of.c[column] >= value
    if "last_id" in bounds:
        yield _tuple(*key, of.c.created_at, of.c.id) < _tuple(*first, *_LAST)
    elif "created_before" in bounds:
        yield _tuple(*key, of.c.created_at) < _tuple(*first, _BEFORE)
    elif column is not None:
        yield of.c[column] <= value


def _tuple(*members: ColumnElement[Any]) -> ColumnElement[Any]:
    return members[0] if len(members) == 1 else tuple_(*members)


def _in_order(range_: _Range, shape: _Shape, *columns: Any) -> Select[Any]:
    """Select the rows of a range, newest first."""
    order = _newest(range_.of, range_.column)
    return select(*columns).where(*_within(range_, shape.bounds)).order_by(*order)


def _walk(way: _Way, shape: _Shape) -> tuple[Subquery, Sequence[ColumnElement[Any]]]:
    """Return the first `SCAN` jobs of a way (ids and times), and their order."""
    parts = [_in_order(range_, shape, *_columns(range_)).limit(_SCAN) for range_ in way]
    if len(parts) == 1:
        walk = parts[0].subquery("walk")
        return walk, _newest(walk, way[0].column)
    found = [part.subquery() for part in parts]
    merged = union_all(*(select(part.c.created_at, part.c.id) for part in found)).subquery()
    walk = select(merged).order_by(*_newest(merged)).limit(_SCAN).subquery("walk")
    return walk, _newest(walk)


def _columns(range_: _Range) -> Iterator[ColumnElement[Any]]:
    of = range_.of
    if range_.column is not None:
        yield of.c[range_.column]
    yield from (of.c.created_at, of.c.id)


def _last_of(way: _Way, shape: _Shape) -> Select[Any]:
    walk, order = _walk(way, shape)
    return select(walk.c.created_at, walk.c.id).order_by(*order).offset(literal_column(str(SCAN - 1))).limit(1)


def _page(way: _Way, shape: _Shape, asks: Sequence[_Ask], scanned: ColumnElement[int]) -> Select[Any]:
    """Select the jobs of the walk that match. If the way has only rows of `jobs`, they are read while it is walked."""
    if _is_of_jobs(way) and (scanned is _LIMIT or not shape.sqlite):
        job: FromClause = _in_order(way[0], shape, jobs).limit(scanned).subquery("walk")
        page = select(job).where(*(ask(job) for ask in asks))
        return page.order_by(*_newest(job, way[0].column)).limit(_LIMIT)
    walk, order = _walk(way, shape)
    if shape.sqlite:
        return _sorted_by_sqlite(walk, asks)
    # OFFSET 0 keeps the planner from turning this into a join with all jobs.
    job = select(jobs).where(jobs.c.id == walk.c.id, *(ask(jobs) for ask in asks)).offset(0).lateral("job")
    return select(job).select_from(walk.join(job, true())).order_by(*order).limit(_LIMIT)


def _sorted_by_sqlite(walk: Subquery, asks: Sequence[_Ask]) -> Select[Any]:
    """Select the page in two steps, because SQLite sorts again what a walk gives in order.

    Only ids are sorted, and whole jobs are read for the page alone.
    """
    passed = walk.join(jobs, jobs.c.id == walk.c.id)
    ids = select(walk.c.created_at, walk.c.id).select_from(passed).where(*(ask(jobs) for ask in asks))
    page = ids.order_by(*_newest(walk)).limit(_LIMIT).subquery("page")
    job = jobs.alias("job")
    return select(job).select_from(page.join(job, job.c.id == page.c.id)).order_by(*_newest(page))
