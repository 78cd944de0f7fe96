"""What the sweeper does to studies: leases and retry budgets that ran out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, update

from shared.jobs import MAX_ATTEMPTS, FacetStatus
from shared.store.sql.schema import pending, running, studies
from shared.studies import SCORER_LOST, Step


@dataclass(frozen=True, slots=True)
class SweptStudies:
    """Steps that are pending again, and steps that have failed."""

    released: int
    failed: int


def _lapsed(step: Step, now: float) -> ColumnElement[bool]:
    return and_(running(step, studies), studies.c[f"{step}_lease_until"] <= now)


def sweep_studies(connection: Connection, now: float, tracking_budget_s: float) -> SweptStudies:
    """Release what was left, fail what was tried long enough."""
    failed = _tracking_budget(connection, now, tracking_budget_s) + _results_given_up(connection, now)
    released = 0
    for step in Step:
        again: dict[str, Any] = {
            f"{step}_status": FacetStatus.PENDING.value,
            f"{step}_lease_until": None,
            f"{step}_due_at": now,
        }
        if step is Step.RESULT:
            again["result_lost"] = studies.c.result_lost + 1
        released += connection.execute(update(studies).where(_lapsed(step, now)).values(again)).rowcount
    return SweptStudies(released, failed)


def _tracking_budget(connection: Connection, now: float, tracking_budget_s: float) -> int:
    failed = {"tracking_status": FacetStatus.FAILED.value, "tracking_lease_until": None}
    spent = update(studies).where(studies.c.tracking_since <= now - tracking_budget_s).values(failed)
    waits = (pending(Step.TRACKING, studies), _lapsed(Step.TRACKING, now))
    return sum(connection.execute(spent.where(condition)).rowcount for condition in waits)


def _results_given_up(connection: Connection, now: float) -> int:
    failed = {
        "result_status": FacetStatus.FAILED.value,
        "result_lease_until": None,
        "error": SCORER_LOST,
        "completed_at": now,
        "tracking_due_at": now,
    }
    spent = and_(_lapsed(Step.RESULT, now), studies.c.result_lost + 1 >= MAX_ATTEMPTS)
    return connection.execute(update(studies).where(spent).values(failed)).rowcount
