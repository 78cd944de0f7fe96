"""Which studies are due, in SQL: whether everything that a study depends on is over is read from the rows at each look.

Nothing is counted while clips are spoken and scored, so no count can go wrong when a process dies.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
)

from shared.store.sql.tables.schema import UNFINISHED, clips, jobs, pending, studies
from shared.studies import Step

_OPEN: Sequence[ColumnElement[str]] = (literal_column("'pending'"), literal_column("'running'"))
_below = studies.alias("below")
_CLIPS_NOT_OVER = {
    Step.RESULT: or_(UNFINISHED, jobs.c.scoring_status.in_(_OPEN)),
    Step.TRACKING: and_(clips.c.cached == false(), jobs.c.tracking_status.in_(_OPEN)),
}


def _ready(step: Step) -> ColumnElement[bool]:
    # Search backwards from the last clip. Clips are spoken from the first on, so one that is not over is found at once.
    # Not EXISTS: planners drop the order inside it.
    clip_not_over = (
        select(clips.c.place)
        .select_from(clips.join(jobs, jobs.c.id == clips.c.job_id))
        .where(clips.c.evaluation == studies.c.id, _CLIPS_NOT_OVER[step])
        .order_by(clips.c.place.desc())
        .limit(1)
        .correlate(studies)
        .scalar_subquery()
    )
    return and_(
        clip_not_over.is_(None),
        _study_over(step, studies.c.first_on),
        _study_over(step, studies.c.second_on),
    )


def _study_over(step: Step, id_: ColumnElement[str | None]) -> ColumnElement[bool]:
    """A missing study counts as over. It is looked up by its key."""
    status = select(_below.c[f"{step}_status"]).where(_below.c.id == id_).correlate(studies).scalar_subquery()
    return func.coalesce(status, literal_column("'none'")).not_in(_OPEN)


DUE = {
    step: and_(pending(step, studies), studies.c[f"{step}_due_at"] <= bindparam("due_by", type_=Double), _ready(step))
    for step in Step
}
"""Step -> condition that a scorer may take it now. Binds ``due_by``: the time."""

_ANY = [select(studies.c.id).where(due).limit(1) for due in DUE.values()]
_COUNT = {step: select(func.count()).select_from(studies).where(due) for step, due in DUE.items()}


def any_due(connection: Connection, now: float) -> bool:
    """Return whether a step of a study is due. Stops at the first one."""
    return any(connection.execute(one, {"due_by": now}).first() is not None for one in _ANY)


def count_due(connection: Connection, now: float) -> int:
    """Return how many steps of studies are due."""
    return sum(connection.execute(count, {"due_by": now}).scalar_one() for count in _COUNT.values())
