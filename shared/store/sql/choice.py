"""Whose job is next, in SQL: the rules of shared/fairness.py as one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
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
)

from shared.fairness import PREFER_LOADED_FOR_S, window_at
from shared.store.sql.schema import jobs, pins, usage

_NOW = bindparam("choice_now", type_=Double)
_LONG_AGO = bindparam("choice_long_ago", type_=Double)
_WINDOW = bindparam("choice_window", type_=Integer)
_SERVED = bindparam("choice_served", type_=Text, expanding=True)
_LOADED = bindparam("choice_loaded", type_=Text, expanding=True)

_line = jobs.alias("line")
_front = (
    select(_line.c.id, _line.c.priority, _line.c.created_at)
    .where(
        _line.c.status == literal_column("'queued'"),
        _line.c.engine == pins.c.engine,
        _line.c.user == usage.c.user,
        _line.c.pin == pins.c.name,
        _line.c.expires_at > _NOW,
    )
    .order_by(_line.c.priority.desc(), _line.c.id)
    .limit(1)
    .correlate(pins, usage)
)


def next_job(*, lateral: bool) -> Select[str]:
    """The id of the queued job that is next; executed with ``binds``.

    Looks at the front of each user's line per pin only, found by index: the cost is users times pins, not jobs.
    ``lateral``: how to say so in PostgreSQL, whose planner might else join with all jobs; SQLite has no such word.
    """
    if lateral:
        front: FromClause = _front.lateral("front")
        lines = pins.join(usage, true()).join(front, true())
    else:
        front = jobs.alias("front")
        lines = pins.join(usage, true()).join(
            front, front.c.id == _front.with_only_columns(_line.c.id).scalar_subquery()
        )
    spent = case((usage.c.window == _WINDOW, usage.c.audio_s), else_=0.0)
    overdue = and_(pins.c.served_at <= _LONG_AGO, front.c.created_at <= _LONG_AGO)
    behind = case((or_(pins.c.name.in_(_LOADED), overdue), 0), else_=1)
    return (
        select(front.c.id)
        .select_from(lines)
        .where(pins.c.name.in_(_SERVED))
        .order_by(behind, spent, usage.c.user, front.c.priority.desc(), front.c.id)
        .limit(1)
    )


_CHOICE = 0x72746331  # any number that only we use
_ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(_CHOICE))


def one_at_a_time(connection: Connection) -> None:
    """Wait until nobody else chooses; then nobody does until this transaction has ended.

    One choice sees what the one before it charged, and no two write jobs or users' rows in different orders. In SQLite
    a write transaction is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_AT_A_TIME)


def binds(served: Sequence[str], loaded: Sequence[str], now: float) -> dict[str, Any]:
    """What ``next_job`` needs to know: the pins that the worker can serve, those that it has loaded, and the time."""
    return {
        "choice_served": list(served),
        "choice_loaded": list(loaded),
        "choice_now": now,
        "choice_long_ago": now - PREFER_LOADED_FOR_S,
        "choice_window": window_at(now),
    }
