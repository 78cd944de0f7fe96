"""Which clip or study a scorer takes next, in SQL: the rules of shared/scheduling/fairness.py as one statement each.

Owns the accounts of users for scorers' work (`turns`). Does not know what is done with what was taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from shared.ports import FacetName
from shared.scheduling.fairness import counts_seconds, window_at
from shared.store.sql.choosing.study_readiness import DUE
from shared.store.sql.tables.schema import jobs, pending, studies, turns
from shared.studies import Step

SPARE = 16
"""How many more rows are read than are wanted: other scorers may take some of them at the same moment."""

_NOW = bindparam("due_by", type_=Double)
_WINDOW = bindparam("turns_window", type_=Integer)
_LOOKED_AT = bindparam("looked_at", type_=Integer)
_CHOSEN: ColumnElement[Any] = bindparam("chosen", type_=ARRAY(Text))
_WANTED = bindparam("wanted", type_=Integer)


_RACES = 5
"""How many times the search is repeated at once if other scorers took everything that was found. After that, the next
wake-up starts a new one."""


def _charging(insert: Callable[[Table], Any]) -> Any:
    new = insert(turns)
    before = case((turns.c.window == new.excluded.window, turns.c.taken), else_=0.0)
    more = {"window": new.excluded.window, "taken": before + new.excluded.taken}
    return new.on_conflict_do_update(index_elements=[turns.c.work, turns.c.user], set_=more)


_CHARGE = {"sqlite": _charging(sqlite.insert), "postgresql": _charging(postgresql.insert)}


def _after(before: FromClause, found: Select[Any], of: Table, *, lateral: bool) -> tuple[FromClause, FromClause]:
    """Return the rows of ``of`` that are ``found`` for each row of ``before``, and the join of both.

    ``found`` selects columns of ``of``, its id among them. ``lateral``: use LATERAL, for PostgreSQL; SQLite has none.
    """
    found = found.correlate(before)
    if lateral:
        there: FromClause = found.lateral()
        return there, before.join(there, true())
    there = of.alias()
    id_ = next(column for column in found.selected_columns if column.name == "id")
    return there, before.join(there, there.c.id.in_(found.with_only_columns(id_)))


def _users(of: Table, step: str, *, lateral: bool) -> CTE:
    """Return for each user the row that has been due longest. Steps from user to user, however many rows wait."""
    line = of.alias()
    due_at = line.c[f"{step}_due_at"]
    first = (
        select(line.c.user, due_at.label("due_at"), line.c.id)
        .where(pending(step, line))
        .order_by(line.c.user, due_at, line.c.id)
    )
    users = select(first.limit(1).subquery()).cte("users", recursive=True)
    there, joined = _after(users, first.where(line.c.user > users.c.user).limit(1), of, lateral=lateral)
    due = there.c.due_at if lateral else there.c[f"{step}_due_at"]
    return users.union_all(select(there.c.user, due, there.c.id).select_from(joined))


def _taken(work: str, user: ColumnElement[str]) -> ColumnElement[float]:
    account = select(turns.c.taken).where(turns.c.work == work, turns.c.user == user, turns.c.window == _WINDOW)
    return func.coalesce(account.scalar_subquery(), 0.0)


def _next_clips(facet: FacetName, *, lateral: bool) -> Select[Any]:
    """Return ids, users and costs of jobs whose facet is due, in order of turn.

    Only the users whose turn is next are read, and of each of them no more rows than the limit.
    """
    users = _users(jobs, facet, lateral=lateral)
    heads = select(users, _taken(facet, users.c.user).label("taken")).where(users.c.due_at <= _NOW).subquery("heads")
    by_turn = select(heads).order_by(heads.c.taken, heads.c.due_at, heads.c.id).limit(_LOOKED_AT).subquery("by_turn")
    clip = jobs.alias("clip")
    due_at = clip.c[f"{facet}_due_at"]
    of_one = (
        select(clip.c.id, due_at, clip.c.estimated_s)
        .where(pending(facet, clip), due_at <= _NOW, clip.c.user == by_turn.c.user)
        .order_by(due_at, clip.c.id)
        .limit(_LOOKED_AT)
    )
    there, joined = _after(by_turn, of_one, jobs, lateral=lateral)
    since = there.c[f"{facet}_due_at"]
    cost = there.c.estimated_s if counts_seconds(facet) else literal_column("1.0", type_=Double)
    before = func.sum(cost).over(partition_by=by_turn.c.user, order_by=(since, there.c.id), rows=(None, -1))
    ranked = select(
        there.c.id, by_turn.c.user, cost.label("cost"), since.label("due_at"),
        (by_turn.c.taken + func.coalesce(before, 0.0)).label("turn"),
    ).select_from(joined).subquery("ranked")  # fmt: skip
    ordered = select(ranked.c.id, ranked.c.user, ranked.c.cost).order_by(ranked.c.turn, ranked.c.due_at, ranked.c.id)
    return ordered.limit(_LOOKED_AT)


def _next_studies(step: Step, *, lateral: bool) -> Select[Any]:
    """Return ids, users and costs of studies whose step is due, in order of turn; only the first of each user."""
    users = _users(studies, step, lateral=lateral)
    due_at = studies.c[f"{step}_due_at"]
    of_one = select(studies.c.id, due_at).where(DUE[step], studies.c.user == users.c.user)
    there, joined = _after(users, of_one.order_by(due_at, studies.c.id).limit(1), studies, lateral=lateral)
    cost = literal_column("1.0", type_=Double).label("cost")
    turn = (_taken(_work(step), users.c.user), there.c[f"{step}_due_at"], there.c.id)
    return select(there.c.id, users.c.user, cost).select_from(joined).order_by(*turn).limit(_LOOKED_AT)


def _locked(of: Table, step: str) -> Select[Any]:
    """Return the ids of ``chosen`` rows that no other scorer has taken or is taking, in order, at most ``wanted``.

    Only for PostgreSQL: in SQLite no other transaction writes at the same time.
    """
    still = of.c[f"{step}_status"].concat(literal_column("''")) == literal_column("'pending'")  # forces use of the id
    these = select(of.c.id).where(of.c.id == func.any(_CHOSEN), still)
    return these.order_by(func.array_position(_CHOSEN, of.c.id)).limit(_WANTED).with_for_update(skip_locked=True)


def _work(step: Step) -> str:
    return f"study {step}"


class Turns:
    """Chooses the next rows of one kind of work, and charges them to their users' accounts."""

    def __init__(self, of: Table, step: FacetName | Step) -> None:
        if isinstance(step, FacetName):
            self._work, find = step.value, partial(_next_clips, step)
        else:
            self._work, find = _work(step), partial(_next_studies, step)
        self._next = {"sqlite": find(lateral=False), "postgresql": find(lateral=True)}
        self._locked = _locked(of, step)

    def take(self, connection: Connection, now: float, wanted: int = 1) -> list[str]:
        """Return ids of up to ``wanted`` rows whose turn it is, charged to their users.

        They are locked for this transaction.
        """
        alone = connection.dialect.name == "sqlite"
        known = {"due_by": now, "turns_window": window_at(now), "looked_at": wanted if alone else wanted + SPARE}
        for _ in range(_RACES):
            found = {row.id: row for row in connection.execute(self._next[connection.dialect.name], known)}
            if not found:
                return []
            chosen = list(found)
            if not alone:
                asked = {"chosen": chosen, "wanted": wanted}
                chosen = list(connection.execute(self._locked, asked).scalars())
            if chosen:
                self._charge(connection, [(found[id_].user, found[id_].cost) for id_ in chosen], now)
                return chosen
        return []

    def _charge(self, connection: Connection, taken: Iterable[tuple[str, float]], now: float) -> None:
        costs: defaultdict[str, float] = defaultdict(float)
        for user, cost in taken:
            costs[user] += cost
        # Sorted by user, so that two scorers never wait for each other.
        own = {"work": self._work, "window": window_at(now)}
        rows = [{**own, "user": user, "taken": cost} for user, cost in sorted(costs.items())]
        connection.execute(_CHARGE[connection.dialect.name], rows)
