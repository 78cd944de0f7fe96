"""Places in the queue, in SQL: how many jobs fair choice puts ahead of a job.

Ahead of a job are its user's own jobs that come first, and of every other user as many jobs as take turns with those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Row, and_, func, or_, select

from shared.store.sql.tables.schema import QUEUED, jobs

_LENGTHS = select(jobs.c.engine, jobs.c.user, func.count()).where(QUEUED).group_by(jobs.c.engine, jobs.c.user)
_Line = tuple[str, str]
_Asked = Row[str, str, str, int]


def places(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Return job id -> place; 1 is next. Ids that are not queued are absent."""
    columns = (jobs.c.id, jobs.c.engine, jobs.c.user, jobs.c.priority)
    asked_of: defaultdict[_Line, list[_Asked]] = defaultdict(list)
    for asked in connection.execute(select(*columns).where(jobs.c.id.in_(ids), QUEUED)):
        asked_of[asked.engine, asked.user].append(asked)
    if not asked_of:
        return {}
    lengths = {(engine, user): length for engine, user, length in connection.execute(_LENGTHS)}
    return {
        id_: 1 + own + _of_others(line, own, lengths)
        for line, those in asked_of.items()
        for id_, own in _own_ahead(connection, line, those).items()
    }


def _own_ahead(connection: Connection, line: _Line, asked: Sequence[_Asked]) -> dict[str, int]:
    """Return how many jobs of the same user come first. One job is counted; several are numbered in one statement."""
    in_line = and_(QUEUED, jobs.c.engine == line[0], jobs.c.user == line[1])
    if len(asked) == 1:
        id_, priority = asked[0].id, asked[0].priority
        earlier = or_(jobs.c.priority > priority, and_(jobs.c.priority == priority, jobs.c.id < id_))
        return {id_: connection.execute(select(func.count()).where(in_line, earlier)).scalar_one()}
    number = func.row_number().over(order_by=(jobs.c.priority.desc(), jobs.c.id)).label("number")
    numbered = select(jobs.c.id, number).where(in_line).subquery()
    wanted = select(numbered.c.id, numbered.c.number - 1).where(numbered.c.id.in_([one.id for one in asked]))
    return dict(connection.execute(wanted).all())


def _of_others(line: _Line, own: int, lengths: Mapping[_Line, int]) -> int:
    return sum(
        min(length, own + (user < line[1]))
        for (engine, user), length in lengths.items()
        if engine == line[0] and user != line[1]
    )
