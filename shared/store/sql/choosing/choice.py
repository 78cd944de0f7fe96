"""Which job is next, in SQL: the rules of shared/scheduling/fairness.py as one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    Connection,
    Double,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)

from shared.scheduling.fairness import PASSED_ON_S, PREFER_LOADED_FOR_S, process_of, window_at
from shared.store.sql.tables.schema import jobs, pins, usage

_NOW = bindparam("choice_now", type_=Double)
_LONG_AGO = bindparam("choice_long_ago", type_=Double)
_WINDOW = bindparam("choice_window", type_=Integer)
_SERVED = bindparam("choice_served", type_=Text, expanding=True)
_LOADED = bindparam("choice_loaded", type_=Text, expanding=True)
_UNREADABLE = bindparam("choice_unreadable", type_=Text, expanding=True)

_NOT_BY = bindparam("choice_not_by", type_=Text)
_PASSED_BEFORE = bindparam("choice_passed_before", type_=Double)

_line = jobs.alias("line")
_IN_ORDER = (_line.c.engine, _line.c.user, _line.c.pin, _line.c.priority.desc(), _line.c.id)
_HEAD = (_line.c.id, _line.c.engine, _line.c.user, _line.c.pin, _line.c.priority, _line.c.created_at)
_not_passed_on = or_(
    _line.c.failed_on.is_(None), _line.c.passed_on_at <= _PASSED_BEFORE, _line.c.failed_on.not_like(_NOT_BY)
)
"""Most jobs were never passed on; for them only the first of the three conditions is evaluated."""
# This is the order of the queue's index, and only its first entry is read. No other index has this order.
_first = (
    select(*_HEAD)
    .where(_line.c.status == literal_column("'queued'"), _line.c.expires_at > _NOW, _not_passed_on)
    .order_by(*_IN_ORDER)
    .limit(1)
)


def _heads(*, lateral: bool, passing: bool) -> CTE:
    """Return the first job of every line (engine, user, pin) of the requested engines, from each line to the next.

    ``lateral``: use LATERAL, for PostgreSQL, whose planner might otherwise join with all jobs. SQLite has no LATERAL.
    """
    first = _first.where(_line.c.id.not_in(_UNREADABLE)) if passing else _first
    engines = select(pins.c.engine).where(pins.c.name.in_(_SERVED)).distinct().subquery("engines")
    begin = first.where(_line.c.engine == engines.c.engine)
    heads = _beside(engines, begin, lateral=lateral).cte("heads", recursive=True)
    later = tuple_(_line.c.user, _line.c.pin) > tuple_(heads.c.user, heads.c.pin)
    return heads.union_all(_beside(heads, first.where(_line.c.engine == heads.c.engine, later), lateral=lateral))


def _beside(before: FromClause, found: Select[Any], *, lateral: bool) -> Select[Any]:
    """Return the rows of ``found`` for each row of ``before``."""
    found = found.correlate(before)
    if lateral:
        there: FromClause = found.lateral("found")
        return select(there).select_from(before.join(there, true()))
    there = jobs.alias("head")
    by_id = there.c.id == found.with_only_columns(_line.c.id).scalar_subquery()
    return select(*(there.c[column.name] for column in _HEAD)).select_from(before.join(there, by_id))


def next_job(*, lateral: bool, passing: bool = False) -> Select[str]:
    """Return the statement for the id of the queued job that is next. Execute it with ``binds``.

    It reads only the head of each line and the account of its user, one index step each. So the cost grows with the
    number of lines that exist now, not with the number of jobs or of users ever seen. Nothing depends on the planner's
    statistics: there is only one index to a head (`jobs_queue`), and an account is looked up, not joined. ``passing``:
    skip the jobs that this version cannot read.
    """
    heads = _heads(lateral=lateral, passing=passing)
    account = select(usage.c.audio_s).where(usage.c.user == heads.c.user, usage.c.window == _WINDOW)
    spent = func.coalesce(account.correlate(heads).scalar_subquery(), 0.0)
    overdue = and_(pins.c.served_at <= _LONG_AGO, heads.c.created_at <= _LONG_AGO)
    behind = case((or_(pins.c.name.in_(_LOADED), overdue), 0), else_=1)
    served = and_(pins.c.name == heads.c.pin, pins.c.engine == heads.c.engine, pins.c.name.in_(_SERVED))
    return (
        select(heads.c.id)
        .select_from(heads.join(pins, served))
        .order_by(behind, spent, heads.c.user, heads.c.priority.desc(), heads.c.id)
        .limit(1)
    )


_CHOICE = 0x72746331  # an arbitrary number; nobody else uses it
_ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(_CHOICE))


def one_at_a_time(connection: Connection) -> None:
    """Wait until no other transaction is choosing, then exclude others until this transaction has ended.

    Each choice sees what the one before it charged, and no two transactions lock rows of jobs or users in different
    orders. Does nothing on SQLite, where only one write transaction runs anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_AT_A_TIME)


def binds(
    worker: str, served: Sequence[str], loaded: Sequence[str], now: float, unreadable: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the parameters of ``next_job``.

    They are the claiming worker, the pins that it serves and those that it has loaded, the time, and the ids of jobs
    that it cannot read, if any.
    """
    return {
        "choice_served": list(served),
        "choice_loaded": list(loaded),
        "choice_now": now,
        "choice_long_ago": now - PREFER_LOADED_FOR_S,
        "choice_window": window_at(now),
        "choice_not_by": f"%|{process_of(worker)}|%",
        "choice_passed_before": now - PASSED_ON_S,
        **({"choice_unreadable": list(unreadable)} if unreadable else {}),
    }
