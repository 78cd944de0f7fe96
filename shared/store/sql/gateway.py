"""The SQL store as the gateway uses it: add, read and cancel jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from shared.jobs import HELD, FacetStatus, Job, NewJob, Status
from shared.ports import JobFilter, Remembered, Submission
from shared.store.sql.database import Database
from shared.store.sql.places import places
from shared.store.sql.rows import ENDED, NEW_COLUMNS, how_it_ended, job_of, line_of, values_of
from shared.store.sql.schema import jobs, requests, usage
from shared.store.sql.study_rows import add_studies

_BEFORE_ANY_WINDOW = -1
_ONE = jobs.c.id == bindparam("of_job")
_COLUMNS = ", ".join(f'"{name}"' for name in NEW_COLUMNS)
_ROW = f"({', '.join('?' * len(NEW_COLUMNS))})"
_AT_ONCE = 250
_INSERT_ONE = f"INSERT INTO jobs ({_COLUMNS}) VALUES {_ROW}"  # noqa: S608 (names of ours)
_INSERT_MANY = _INSERT_ONE + f", {_ROW}" * (_AT_ONCE - 1)
_COPY = f"COPY jobs ({_COLUMNS}) FROM STDIN"
_GET = select(jobs).where(jobs.c.id.in_(bindparam("ids", expanding=True)))
_CANCEL_QUEUED = update(jobs).where(_ONE).values(ENDED).returning(jobs)
_CANCEL_HELD = update(jobs).where(_ONE).values(cancel_requested=True).returning(jobs)


class GatewaySide:
    """See ``shared.ports.JobStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._insert_new = sqlite.insert if database.is_sqlite else postgresql.insert
        self._remember_scopes = self._insert_new(requests).on_conflict_do_nothing().returning(requests.c.scope)
        self._know_users = self._insert_new(usage).on_conflict_do_nothing()

    def add(self, submissions: Sequence[Submission]) -> list[bool]:
        with self._db.durable_write() as connection:
            added = self._first_of_their_scopes(connection, submissions)
            taken = [submission for submission, first in zip(submissions, added, strict=True) if first]
            add_studies(connection, [submission.study for submission in taken if submission.study is not None])
            new = [job for submission in taken for job in submission.jobs]
            if new:
                users = sorted({job.user for job in new})
                self._insert(connection, new)
                connection.execute(
                    self._know_users, [{"user": user, "window": _BEFORE_ANY_WINDOW, "audio_s": 0.0} for user in users]
                )
        return added

    def _insert(self, connection: Connection, new: Sequence[NewJob]) -> None:
        """Both ways are made for a thousand rows: parameters that SQLAlchemy looks at cost twice the time."""
        stretches = [new[start : start + _AT_ONCE] for start in range(0, len(new), _AT_ONCE)]
        if not self._db.is_sqlite:
            # The server reads a stretch while the next one is made.
            self._db.copy(connection, _COPY, ("".join(map(line_of, stretch)) for stretch in stretches))
            return
        for stretch in stretches:
            rows = map(values_of, stretch)
            if len(stretch) == _AT_ONCE:
                # Other threads run while a statement does; with a statement per row they hardly ever get to it.
                connection.exec_driver_sql(_INSERT_MANY, tuple(chain.from_iterable(rows)))
            else:
                connection.exec_driver_sql(_INSERT_ONE, list(rows))

    def _first_of_their_scopes(self, connection: Connection, submissions: Sequence[Submission]) -> list[bool]:
        first: dict[str, int] = {}
        for number, submission in enumerate(submissions):
            if submission.idempotency is not None:
                first.setdefault(submission.idempotency.scope, number)
        # In order of their names: two gateways that are sent the same requests must not wait for each other.
        rows = [_request_of(submissions[first[scope]]) for scope in sorted(first)]
        fresh = set(connection.execute(self._remember_scopes, rows).scalars()) if rows else set()
        taken = {first[scope] for scope in fresh}
        return [submission.idempotency is None or number in taken for number, submission in enumerate(submissions)]

    def get(self, ids: Iterable[str]) -> dict[str, Job]:
        with self._db.read() as connection:
            rows = connection.execute(_GET, {"ids": list(ids)}).mappings()
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
        query = query.where(*(self._labelled(key, value) for key, value in wanted.metadata.items()))
        if wanted.created_after is not None:
            query = query.where(jobs.c.created_at > wanted.created_after)
        if wanted.created_before is not None:
            query = query.where(jobs.c.created_at < wanted.created_before)
        if wanted.before is not None:
            query = query.where(jobs.c.id < wanted.before)
        with self._db.read() as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def _labelled(self, key: str, value: str) -> ColumnElement[bool]:
        if not self._db.is_sqlite:
            has: ColumnElement[bool] = jobs.c.metadata[key].as_string() == value
            return has
        # SQLite has no way to write a quotation mark in a JSON path, so keys are compared as values.
        pair = func.json_each(jobs.c.metadata).table_valued("key", "value")
        return exists(select(1).select_from(pair).where(pair.c.key == key, pair.c.value == value))

    def positions(self, ids: Iterable[str]) -> dict[str, int]:
        with self._db.read() as connection:
            return places(connection, list(ids))

    def cancel(self, job_id: str, now: float) -> Job | None:
        this = {"of_job": job_id}
        with self._db.durable_write() as connection:
            row = connection.execute(select(jobs).where(_ONE).with_for_update(), this).mappings().one_or_none()
            if row is not None and row["status"] == Status.QUEUED:
                how = {**this, **how_it_ended(Status.CANCELED, now)}
                row = connection.execute(_CANCEL_QUEUED, how).mappings().one()
            elif row is not None and row["status"] in HELD:
                row = connection.execute(_CANCEL_HELD, this).mappings().one()
        return job_of(row) if row is not None else None

    def recall(self, scope: str) -> Remembered | None:
        query = select(requests.c.fingerprint, requests.c.job_id, requests.c.status, requests.c.body).where(
            requests.c.scope == scope
        )
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
            return Remembered(*row) if row is not None else None

    def retry_tracking(self, job_id: str, now: float) -> bool:
        again = {"tracking_status": FacetStatus.PENDING.value, "tracking_due_at": now, "tracking_since": None}
        failed = jobs.c.tracking_status == FacetStatus.FAILED.value
        with self._db.write() as connection:
            return connection.execute(update(jobs).where(jobs.c.id == job_id, failed).values(again)).rowcount == 1


def _request_of(submission: Submission) -> dict[str, Any]:
    asked = submission.idempotency
    assert asked is not None
    return {
        "scope": asked.scope,
        "fingerprint": asked.fingerprint,
        "job_id": submission.jobs[0].id if submission.jobs else None,
        "status": asked.status,
        "body": asked.body,
        "created_at": asked.created_at,
    }
