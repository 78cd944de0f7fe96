"""The SQL store as the sweeper uses it: what ran out is put right in a few statements, however many jobs there are."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, delete, false, func, or_, select, update

from shared.errors import FailureCode
from shared.jobs import MAX_ATTEMPTS, FacetStatus, JobError, Status
from shared.ports import FacetName, Swept, Waiting
from shared.store.sql import choice
from shared.store.sql.rows import CHARGED, ENDED, QUEUED_AGAIN, Charged, how_it_ended, settle
from shared.store.sql.schema import HELD, QUEUED, holds, jobs, pending, requests, running
from shared.store.sql.scorer import ScorerSide
from shared.store.sql.study_readiness import count_due
from shared.store.sql.study_sweeping import sweep_studies


def _lapsed(facet: FacetName, now: float) -> ColumnElement[bool]:
    return and_(running(facet), jobs.c[f"{facet}_lease_until"] <= now)


class SweeperSide(ScorerSide):
    """See ``shared.ports.JobStore``."""

    def hold(self, name: str, holder: str, until: float, now: float) -> bool:
        row = {"name": name, "holder": holder, "until": until}
        free = or_(holds.c.holder == holder, holds.c.until <= now)
        with self._db.write() as connection:
            if connection.execute(self._insert_new(holds).values(row).on_conflict_do_nothing()).rowcount == 1:
                return True
            return connection.execute(update(holds).where(holds.c.name == name, free).values(row)).rowcount == 1

    def sweep(self, now: float, *, tracking_budget_s: float, idempotency_s: float) -> Swept:
        with self._db.write() as connection:
            choice.one_at_a_time(connection)
            requeued, lost, given_back = self._leases(connection, now)
            expired = self._time_to_live(connection, now)
            failed = self._tracking_budget(connection, now, tracking_budget_s)
            released, given_up = self._facets(connection, now)
            studies = sweep_studies(connection, now, tracking_budget_s)
            connection.execute(delete(requests).where(requests.c.created_at <= now - idempotency_s))
            settle(connection, given_back, 0.0)
        return Swept(requeued, lost, expired, released + studies.released, failed + given_up + studies.failed)

    @staticmethod
    def _leases(connection: Connection, now: float) -> tuple[int, int, list[Charged]]:
        lapsed = and_(HELD, jobs.c.lease_until <= now)
        spent = jobs.c.attempt - jobs.c.free_attempts >= MAX_ATTEMPTS
        error = JobError(FailureCode.WORKER_LOST, "the worker was lost on every attempt")
        end = update(jobs).where(lapsed).values(ENDED).returning(*CHARGED)
        canceled = connection.execute(end.where(jobs.c.cancel_requested), how_it_ended(Status.CANCELED, now))
        lost = [*canceled, *connection.execute(end.where(spent), how_it_ended(Status.FAILED, now, error))]
        # One that was canceled, and let go since the first of these statements, is left to the next sweep.
        wanted = jobs.c.cancel_requested == false()
        again = update(jobs).where(lapsed, wanted).values(QUEUED_AGAIN).returning(*CHARGED)
        requeued = connection.execute(again).all()
        return len(requeued), len(lost), [*requeued, *lost]

    @staticmethod
    def _time_to_live(connection: Connection, now: float) -> int:
        error = JobError(FailureCode.TTL_EXPIRED, "waited longer than its ttl_s")
        over = and_(QUEUED, jobs.c.expires_at <= now)
        expire = update(jobs).where(over).values(ENDED)
        return connection.execute(expire, how_it_ended(Status.EXPIRED, now, error)).rowcount

    @staticmethod
    def _facets(connection: Connection, now: float) -> tuple[int, int]:
        given_up = update(jobs).where(_lapsed(FacetName.SCORING, now), jobs.c.scoring_attempt >= MAX_ATTEMPTS)
        failed = connection.execute(
            given_up.values(scoring_status=FacetStatus.FAILED.value, scoring_lease_until=None, tracking_due_at=now)
        ).rowcount
        released = 0
        for facet in FacetName:
            released_to = {
                f"{facet}_status": FacetStatus.PENDING.value,
                f"{facet}_lease_until": None,
                f"{facet}_due_at": now,
            }
            released += connection.execute(update(jobs).where(_lapsed(facet, now)).values(released_to)).rowcount
        return released, failed

    @staticmethod
    def _tracking_budget(connection: Connection, now: float, tracking_budget_s: float) -> int:
        failed = {"tracking_status": FacetStatus.FAILED.value, "tracking_lease_until": None}
        spent = update(jobs).where(jobs.c.tracking_since <= now - tracking_budget_s).values(failed)
        waits = (pending(FacetName.TRACKING), _lapsed(FacetName.TRACKING, now))
        return sum(connection.execute(spent.where(condition)).rowcount for condition in waits)

    def waiting(self, now: float) -> Waiting:
        queued = select(jobs.c.engine, func.count()).where(QUEUED).group_by(jobs.c.engine)

        def due(facet: FacetName) -> int:
            count = select(func.count()).where(pending(facet), jobs.c[f"{facet}_due_at"] <= now)
            return connection.execute(count).scalar_one()

        with self._db.read() as connection:
            families: dict[str, int] = dict(connection.execute(queued).all())
            return Waiting(families, due(FacetName.SCORING), due(FacetName.TRACKING), count_due(connection, now))

    def ping(self) -> None:
        with self._db.read() as connection:
            connection.execute(select(1))
