"""The SQL store as the sweeper uses it. It cleans up what ran out in a few statements, however many jobs there are."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, false, func, or_, select, update

from shared.errors import FailureCode
from shared.jobs import MAX_LAPSES, WORKER_LOST, FacetStatus, JobError, Status
from shared.ports import LIVE_S, FacetName, Swept, Waiting
from shared.scheduling.lapsing import CLAIMS_WAIT_S, FORGET_WORKERS_S, HOLD_SLACK_S, LONGEST_LEASE_S
from shared.store.sql.choosing import choice
from shared.store.sql.choosing.study_readiness import count_due
from shared.store.sql.jobs.scorer import ScorerSide
from shared.store.sql.studies.study_sweeping import sweep_studies
from shared.store.sql.tables.rows import CHARGED, ENDED, QUEUED_AGAIN, Charged, how_it_ended, settle
from shared.store.sql.tables.schema import HELD, QUEUED, holds, jobs, pending, pins, requests, running, studies, workers
from shared.studies import Step


def _lapsed(facet: FacetName, now: float) -> ColumnElement[bool]:
    return and_(running(facet), jobs.c[f"{facet}_lease_until"] <= now)


def _end_leases_of_the_future(connection: Connection, now: float) -> None:
    """Let leases run out whose end is too far ahead: a clock set them that was set back since.

    Separate statements, because a common condition would search everything that is held.
    """
    held: list[tuple[Table, ColumnElement[bool], str]] = [(jobs, HELD, "lease_until")]
    held += [(jobs, running(facet), f"{facet}_lease_until") for facet in FacetName]
    held += [(studies, running(step, studies), f"{step}_lease_until") for step in Step]
    for table, is_held, until in held:
        ahead = and_(is_held, table.c[until] > now + LONGEST_LEASE_S)
        connection.execute(update(table).where(ahead).values({until: 0.0}))


class SweeperSide(ScorerSide):
    """See ``shared.ports.JobStore``."""

    def hold(self, name: str, holder: str, until: float, now: float) -> bool:
        row = {"name": name, "holder": holder, "until": until}
        # A lease further ahead than anybody asks for was taken before the clock was set back.
        free = or_(holds.c.holder == holder, holds.c.until <= now, holds.c.until > until + HOLD_SLACK_S)
        with self._db.write() as connection:
            if connection.execute(self._insert_new(holds).values(row).on_conflict_do_nothing()).rowcount == 1:
                return True
            return connection.execute(update(holds).where(holds.c.name == name, free).values(row)).rowcount == 1

    def sweep(self, now: float, *, tracking_budget_s: float, idempotency_s: float) -> Swept:
        with self._db.write() as connection:
            choice.one_at_a_time(connection)
            _end_leases_of_the_future(connection, now)
            requeued, lost, given_back = self._leases(connection, now)
            expired = self._time_to_live(connection, now)
            failed = self._tracking_budget(connection, now, tracking_budget_s)
            released, given_up = self._facets(connection, now)
            of_studies = sweep_studies(connection, now, tracking_budget_s)
            connection.execute(delete(requests).where(requests.c.created_at <= now - idempotency_s))
            seen_at = workers.c.seen_at
            gone = or_(seen_at <= now - FORGET_WORKERS_S, seen_at > now + HOLD_SLACK_S)
            connection.execute(delete(workers).where(gone))
            settle(connection, given_back, 0.0)
        return Swept(requeued, lost, expired, released + of_studies.released, failed + given_up + of_studies.failed)

    @staticmethod
    def _leases(connection: Connection, now: float) -> tuple[int, int, list[Charged]]:
        lapsed = and_(HELD, jobs.c.lease_until <= now)
        spent = jobs.c.lapses + 1 >= MAX_LAPSES
        error = JobError(FailureCode.WORKER_LOST, WORKER_LOST)
        end = update(jobs).where(lapsed).values(ENDED).returning(*CHARGED)
        canceled = connection.execute(end.where(jobs.c.cancel_requested), how_it_ended(Status.CANCELED, now))
        lost = [*canceled, *connection.execute(end.where(spent), how_it_ended(Status.FAILED, now, error))]
        # A job that was canceled and let go after the first of these statements is left to the next sweep.
        wanted = jobs.c.cancel_requested == false()
        free = {"free_attempts": jobs.c.free_attempts + 1, "lapses": jobs.c.lapses + 1}
        again = update(jobs).where(lapsed, wanted).values({**QUEUED_AGAIN, **free}).returning(*CHARGED)
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
        given_up = update(jobs).where(_lapsed(FacetName.SCORING, now), jobs.c.scoring_attempt >= MAX_LAPSES)
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
            unclaimed_s = _unclaimed_s(connection, now)
            scoring, tracking = due(FacetName.SCORING), due(FacetName.TRACKING)
            return Waiting(families, scoring, tracking, count_due(connection, now), unclaimed_s)

    def ping(self) -> None:
        self._db.check()


def _unclaimed_s(connection: Connection, now: float) -> float:
    """Return `Waiting.unclaimed_s`. Reads jobs only if a worker is idle: then there are few, or something is wrong."""
    mine = or_(
        jobs.c.worker == workers.c.worker,
        func.substr(jobs.c.worker, 1, func.length(workers.c.worker) + 1) == workers.c.worker + "/",  # one of its slots
    )
    holds_one = select(jobs.c.id).where(HELD, mine).correlate(workers).exists()
    alive = workers.c.seen_at.between(now - LIVE_S, now + LIVE_S)
    idle = (
        select(pins.c.name)
        .distinct()
        .select_from(pins.join(workers, workers.c.pin == pins.c.name))
        .where(alive, pins.c.served_at <= now - CLAIMS_WAIT_S, ~holds_one)
    )
    names = connection.execute(idle).scalars().all()
    if not names:
        return 0.0
    oldest = select(func.min(jobs.c.created_at)).where(QUEUED, jobs.c.pin.in_(names), jobs.c.expires_at > now)
    created_at = connection.execute(oldest).scalar_one()
    waited_s = 0.0 if created_at is None else now - created_at
    return waited_s if waited_s >= CLAIMS_WAIT_S else 0.0
