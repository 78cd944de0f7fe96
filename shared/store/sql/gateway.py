"""The SQL store as the gateway uses it: add, read and cancel jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from shared.jobs import FacetStatus, Job, Status
from shared.ports import JobFilter, Remembered, Submission
from shared.store.sql.database import Database
from shared.store.sql.rows import ended, job_of, row_of
from shared.store.sql.schema import HELD, QUEUED, jobs, requests, usage

_FROM_THE_START = 0


class GatewaySide:
    """See ``shared.ports.JobStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._insert_new = sqlite.insert if database.is_sqlite else postgresql.insert

    def add(self, submissions: Sequence[Submission]) -> list[bool]:
        with self._db.durable_write() as connection:
            added = [self._first_of_its_scope(connection, submission) for submission in submissions]
            new = [
                job for submission, first in zip(submissions, added, strict=True) if first for job in submission.jobs
            ]
            if new:
                connection.execute(insert(jobs), [row_of(job) for job in new])
                self._know_users(connection, {job.user for job in new})
        return added

    def _first_of_its_scope(self, connection: Connection, submission: Submission) -> bool:
        asked = submission.idempotency
        if asked is None:
            return True
        row = {
            "scope": asked.scope,
            "fingerprint": asked.fingerprint,
            "job_id": submission.jobs[0].id if submission.jobs else None,
            "status": asked.status,
            "body": asked.body,
            "created_at": asked.created_at,
            "busy_until": asked.busy_until,
        }
        return connection.execute(self._insert_new(requests).values(row).on_conflict_do_nothing()).rowcount == 1

    def _know_users(self, connection: Connection, users: set[str]) -> None:
        rows = [{"user": user, "window": _FROM_THE_START, "audio_s": 0.0} for user in sorted(users)]
        connection.execute(self._insert_new(usage).on_conflict_do_nothing(), rows)

    def get(self, ids: Iterable[str]) -> dict[str, Job]:
        with self._db.read() as connection:
            rows = connection.execute(select(jobs).where(jobs.c.id.in_(list(ids)))).mappings()
            return {row["id"]: job_of(row) for row in rows}

    def find(self, wanted: JobFilter) -> list[Job]:
        query = select(jobs).where(jobs.c.user == wanted.user).order_by(jobs.c.id.desc()).limit(wanted.limit)
        exact = {
            jobs.c.status: wanted.status,
            jobs.c.pin: wanted.pin,
            jobs.c.scoring_status: wanted.scoring,
            jobs.c.tracking_status: wanted.tracking,
        }
        query = query.where(*(column == str(value) for column, value in exact.items() if value is not None))
        query = query.where(*(jobs.c.metadata[key].as_string() == value for key, value in wanted.metadata.items()))
        if wanted.created_after is not None:
            query = query.where(jobs.c.created_at > wanted.created_after)
        if wanted.created_before is not None:
            query = query.where(jobs.c.created_at < wanted.created_before)
        if wanted.before is not None:
            query = query.where(jobs.c.id < wanted.before)
        with self._db.read() as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def positions(self, ids: Iterable[str]) -> dict[str, int]:
        with self._db.read() as connection:
            asked = connection.execute(
                select(jobs.c.id, jobs.c.user, jobs.c.engine, jobs.c.priority).where(jobs.c.id.in_(list(ids)), QUEUED)
            ).all()
            if not asked:
                return {}
            counts = connection.execute(
                select(jobs.c.engine, jobs.c.user, func.count()).where(QUEUED).group_by(jobs.c.engine, jobs.c.user)
            ).all()
            places = {}
            for id_, user, engine, priority in asked:
                earlier = or_(jobs.c.priority > priority, and_(jobs.c.priority == priority, jobs.c.id < id_))
                mine = connection.execute(
                    select(func.count()).where(QUEUED, jobs.c.engine == engine, jobs.c.user == user, earlier)
                ).scalar_one()
                others = [(name, count) for family, name, count in counts if family == engine and name != user]
                places[id_] = 1 + mine + sum(min(count, mine + (name < user)) for name, count in others)
            return places

    def cancel(self, job_id: str, now: float) -> Job | None:
        mine = jobs.c.id == job_id
        with self._db.durable_write() as connection:
            connection.execute(update(jobs).where(mine, QUEUED).values(ended(Status.CANCELED, now)))
            connection.execute(update(jobs).where(mine, HELD).values(cancel_requested=True))
            row = connection.execute(select(jobs).where(mine)).mappings().one_or_none()
            return job_of(row) if row is not None else None

    def recall(self, scope: str) -> Remembered | None:
        query = select(
            requests.c.fingerprint,
            requests.c.job_id,
            requests.c.status,
            requests.c.body,
            requests.c.created_at,
            requests.c.busy_until,
        ).where(requests.c.scope == scope)
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
            return Remembered(*row) if row is not None else None

    def remember(self, scope: str, status: int, body: bytes) -> None:
        with self._db.write() as connection:
            connection.execute(update(requests).where(requests.c.scope == scope).values(status=status, body=body))

    def retry_tracking(self, job_id: str, now: float) -> bool:
        again = {"tracking_status": FacetStatus.PENDING.value, "tracking_due_at": now, "tracking_since": now}
        failed = jobs.c.tracking_status == FacetStatus.FAILED.value
        with self._db.write() as connection:
            return connection.execute(update(jobs).where(jobs.c.id == job_id, failed).values(again)).rowcount == 1
