"""What the sweeper does to studies: clean up leases and retry budgets that ran out."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, update

from shared.jobs import MAX_LAPSES, FacetStatus
from shared.store.sql.tables.schema import pending, running, studies
from shared.store.sql.tables.study_rows import again, ended
from shared.studies import SCORER_LOST, Step


@dataclass(frozen=True, slots=True)
class SweptStudies:
    """How many steps are pending again, and how many have failed."""

    released: int
    failed: int


def _lapsed(step: Step, now: float) -> ColumnElement[bool]:
    return and_(running(step, studies), studies.c[f"{step}_lease_until"] <= now)


def sweep_studies(connection: Connection, now: float, tracking_budget_s: float) -> SweptStudies:
    """Release steps whose lease ran out, and fail those that were tried for long enough."""
    failed = _tracking_budget(connection, now, tracking_budget_s) + _results_given_up(connection, now)
    released = 0
    for step in Step:
        left = update(studies).where(_lapsed(step, now)).values(again(step, now))
        released += connection.execute(left).rowcount
    return SweptStudies(released, failed)


def _tracking_budget(connection: Connection, now: float, tracking_budget_s: float) -> int:
    failed = {"tracking_status": FacetStatus.FAILED.value, "tracking_lease_until": None}
    spent = update(studies).where(studies.c.tracking_since <= now - tracking_budget_s).values(failed)
    waits = (pending(Step.TRACKING, studies), _lapsed(Step.TRACKING, now))
    return sum(connection.execute(spent.where(condition)).rowcount for condition in waits)


def _results_given_up(connection: Connection, now: float) -> int:
    failed = {"error": SCORER_LOST, **ended(FacetStatus.FAILED, now)}
    spent = and_(_lapsed(Step.RESULT, now), studies.c.result_attempt >= MAX_LAPSES)
    return connection.execute(update(studies).where(spent).values(failed)).rowcount
