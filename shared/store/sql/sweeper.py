"""The SQL store as the sweeper uses it: what ran out is put right in a few statements, however many jobs there are."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from shared.errors import FailureCode
from shared.jobs import MAX_ATTEMPTS, FacetStatus, JobError, Status
from shared.ports import FacetName, Swept, Waiting
from shared.store.sql.rows import charge, ended, queued_again
from shared.store.sql.schema import HELD, QUEUED, holds, jobs, pending, requests, running
from shared.store.sql.scorer import ScorerSide


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
            requeued, lost = self._leases(connection, now)
            expired = self._time_to_live(connection, now)
            released, failed = self._facets(connection, now)
            failed += self._tracking_budget(connection, now - tracking_budget_s)
            connection.execute(delete(requests).where(requests.c.created_at <= now - idempotency_s))
        return Swept(requeued, lost, expired, released, failed)

    @staticmethod
    def _leases(connection: Connection, now: float) -> tuple[int, int]:
        lapsed = and_(HELD, jobs.c.lease_until <= now)
        who = select(jobs.c.user, jobs.c.estimated_s).where(lapsed)
        for user, estimated_s in connection.execute(who).all():
            charge(connection, user, -estimated_s, now)
        spent = jobs.c.attempt - jobs.c.free_attempts >= MAX_ATTEMPTS
        error = JobError(FailureCode.WORKER_LOST, "the worker was lost on every attempt")
        canceled = update(jobs).where(lapsed, jobs.c.cancel_requested).values(ended(Status.CANCELED, now))
        failed = update(jobs).where(lapsed, spent).values(ended(Status.FAILED, now, error))
        again = update(jobs).where(lapsed).values(queued_again())
        lost = connection.execute(canceled).rowcount + connection.execute(failed).rowcount
        return connection.execute(again).rowcount, lost

    @staticmethod
    def _time_to_live(connection: Connection, now: float) -> int:
        error = JobError(FailureCode.TTL_EXPIRED, "waited longer than its ttl_s")
        over = and_(QUEUED, jobs.c.expires_at <= now)
        return connection.execute(update(jobs).where(over).values(ended(Status.EXPIRED, now, error))).rowcount

    @staticmethod
    def _facets(connection: Connection, now: float) -> tuple[int, int]:
        lapsed = {facet: and_(running(facet), jobs.c[f"{facet}_lease_until"] <= now) for facet in FacetName}
        given_up = update(jobs).where(lapsed[FacetName.SCORING], jobs.c.scoring_attempt >= MAX_ATTEMPTS)
        failed = connection.execute(
            given_up.values(scoring_status=FacetStatus.FAILED.value, scoring_lease_until=None, tracking_due_at=now)
        ).rowcount
        released = 0
        for facet, condition in lapsed.items():
            released_to = {
                f"{facet}_status": FacetStatus.PENDING.value,
                f"{facet}_lease_until": None,
                f"{facet}_due_at": now,
            }
            released += connection.execute(update(jobs).where(condition).values(released_to)).rowcount
        return released, failed

    @staticmethod
    def _tracking_budget(connection: Connection, began_before: float) -> int:
        spent = and_(pending(FacetName.TRACKING), jobs.c.tracking_since <= began_before)
        return connection.execute(update(jobs).where(spent).values(tracking_status=FacetStatus.FAILED.value)).rowcount

    def waiting(self, now: float) -> Waiting:
        queued = select(jobs.c.engine, func.count()).where(QUEUED).group_by(jobs.c.engine)

        def due(facet: FacetName) -> int:
            count = select(func.count()).where(pending(facet), jobs.c[f"{facet}_due_at"] <= now)
            return connection.execute(count).scalar_one()

        with self._db.read() as connection:
            families: dict[str, int] = dict(connection.execute(queued).tuples())
            return Waiting(families, due(FacetName.SCORING), due(FacetName.TRACKING))

    def ping(self) -> None:
        with self._db.read() as connection:
            connection.execute(select(1))
