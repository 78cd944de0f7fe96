"""The SQL store as the gateway uses it: add, read and cancel jobs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

from shared.errors import StoreBusy
from shared.jobs import HELD, TERMINAL, FacetStatus, Job, JobState, NewJob, Status
from shared.ports import JobFilter, Page, Remembered, Submission
from shared.store.sql.connection.database import Database, is_lock_timeout
from shared.store.sql.jobs import pages
from shared.store.sql.jobs.places import places
from shared.store.sql.tables.pairs import rows_of
from shared.store.sql.tables.reading import read_or_none, readable
from shared.store.sql.tables.rows import ENDED, NEW_COLUMNS, copied, how_it_ended, job_of, line_of, values_of
from shared.store.sql.tables.schema import QUEUED, jobs, requests, usage
from shared.store.sql.tables.study_rows import add_studies

_BEFORE_ANY_WINDOW = -1
_ONE = jobs.c.id == bindparam("of_job")
_COLUMNS = ", ".join(f'"{name}"' for name in NEW_COLUMNS)
_ROW = f"({', '.join('?' * len(NEW_COLUMNS))})"
_AT_ONCE = 250
_INSERT_ONE = f"INSERT INTO jobs ({_COLUMNS}) VALUES {_ROW}"  # noqa: S608 (names of ours)
_INSERT_MANY = _INSERT_ONE + f", {_ROW}" * (_AT_ONCE - 1)
_COPY = f"COPY jobs ({_COLUMNS}) FROM STDIN"
_PAIR_COLUMNS = '"user", pair, created_at, id'
_INSERT_PAIRS = f"INSERT INTO metadata_pairs ({_PAIR_COLUMNS}) VALUES (?, ?, ?, ?)"  # noqa: S608 (names of ours)
_COPY_PAIRS = f"COPY metadata_pairs ({_PAIR_COLUMNS}) FROM STDIN"
_GET = select(jobs).where(jobs.c.id.in_(bindparam("ids", expanding=True)))
_STATES = select(jobs.c.id, jobs.c.user, jobs.c.status).where(jobs.c.id.in_(bindparam("ids", expanding=True)))
_FINISHED = frozenset(status.value for status in TERMINAL)
_QUEUED_BY_USER = select(jobs.c.user, func.count()).where(QUEUED).group_by(jobs.c.user)
_CANCEL_QUEUED = update(jobs).where(_ONE).values(ENDED).returning(jobs)
_CANCEL_HELD = update(jobs).where(_ONE).values(cancel_requested=True).returning(jobs)


_LOCK_S = 1.0
"""Seconds `add` waits for a lock. No live process holds what it locks for long."""
_SCOPE_LOCK_S = 0.25
"""Seconds `add` waits if there are idempotency scopes: another transaction may be adding one of them right now."""
_ONE_SCOPE_LOCK_S = 0.01
_TAKEN_FOR_S = 5.0
"""Seconds for which a locked scope counts as taken, so that repeated requests with it do not hold up the others."""


class GatewaySide:
    """See ``shared.ports.JobStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._locked: dict[str, float] = {}
        """Scope -> monotonic seconds until which it counts as taken, because another transaction was adding it."""
        self._insert_new = sqlite.insert if database.is_sqlite else postgresql.insert
        self._remember_scopes = self._insert_new(requests).on_conflict_do_nothing().returning(requests.c.scope)
        self._know_users = self._insert_new(usage).on_conflict_do_nothing()

    def add(self, submissions: Sequence[Submission]) -> list[bool]:
        first = self._first_of_their_scopes(submissions)
        if not first:
            return self._add(submissions, first)
        try:
            return self._add(submissions, first, lock_s=_SCOPE_LOCK_S)
        except StoreBusy:
            # A process that is slow or stopped is adding one of the scopes. It must not block the other submissions.
            return self._add(submissions, first, lock_s=_ONE_SCOPE_LOCK_S, one_by_one=True)

    def _add(
        self,
        submissions: Sequence[Submission],
        first: Mapping[str, int],
        *,
        lock_s: float = _LOCK_S,
        one_by_one: bool = False,
    ) -> list[bool]:
        with self._db.durable_write(lock_s=lock_s) as connection:
            fresh = self._remember(connection, [_request_of(submissions[first[scope]]) for scope in first], one_by_one)
            if one_by_one:
                self._db.wait_for_locks(connection, _LOCK_S)
            winners = {first[scope] for scope in fresh}
            added = [one.idempotency is None or number in winners for number, one in enumerate(submissions)]
            taken = [submission for submission, is_first in zip(submissions, added, strict=True) if is_first]
            add_studies(connection, [submission.study for submission in taken if submission.study is not None])
            new = [job for submission in taken for job in submission.jobs]
            if new:
                users = sorted({job.user for job in new})
                self._insert(connection, new)
                self._insert_pairs(connection, new)
                connection.execute(
                    self._know_users, [{"user": user, "window": _BEFORE_ANY_WINDOW, "audio_s": 0.0} for user in users]
                )
        return added

    def _first_of_their_scopes(self, submissions: Sequence[Submission]) -> dict[str, int]:
        """Return scope -> number of the first submission with it, without the scopes that are locked.

        Sorted by scope: two gateways that get the same requests must not wait for each other.
        """
        now = time.monotonic()
        self._locked = {scope: until for scope, until in self._locked.items() if until > now}
        first: dict[str, int] = {}
        for number, submission in enumerate(submissions):
            if submission.idempotency is not None and submission.idempotency.scope not in self._locked:
                first.setdefault(submission.idempotency.scope, number)
        return dict(sorted(first.items()))

    def _remember(self, connection: Connection, rows: Sequence[dict[str, Any]], one_by_one: bool) -> set[str]:
        """Return the scopes that were neither there nor being added."""
        if not one_by_one:
            return set(connection.execute(self._remember_scopes, rows).scalars()) if rows else set()
        fresh: set[str] = set()
        for row in rows:
            try:
                with connection.begin_nested():
                    fresh |= set(connection.execute(self._remember_scopes, row).scalars())
            except OperationalError as error:
                if not is_lock_timeout(error):
                    raise
                self._locked[row["scope"]] = time.monotonic() + _TAKEN_FOR_S
        return fresh

    def _insert(self, connection: Connection, new: Sequence[NewJob]) -> None:
        """Insert jobs.

        Both ways are built for thousands of rows: with SQLAlchemy's parameters they would take twice as long.
        """
        stretches = [new[start : start + _AT_ONCE] for start in range(0, len(new), _AT_ONCE)]
        if not self._db.is_sqlite:
            # The server reads one chunk while the next one is built.
            self._db.copy(connection, _COPY, ("".join(map(line_of, stretch)) for stretch in stretches))
            return
        for stretch in stretches:
            rows = map(values_of, stretch)
            if len(stretch) == _AT_ONCE:
                # Other threads run during a statement. With one statement per row they would hardly ever run.
                connection.exec_driver_sql(_INSERT_MANY, tuple(chain.from_iterable(rows)))
            else:
                connection.exec_driver_sql(_INSERT_ONE, list(rows))

    def _insert_pairs(self, connection: Connection, new: Sequence[NewJob]) -> None:
        pairs = list(rows_of(new))
        if pairs and self._db.is_sqlite:
            connection.exec_driver_sql(_INSERT_PAIRS, pairs)
        elif pairs:
            self._db.copy(connection, _COPY_PAIRS, ["".join(map(copied, pairs))])

    def get(self, ids: Iterable[str]) -> dict[str, Job]:
        with self._db.read() as connection:
            rows = connection.execute(_GET, {"ids": list(ids)}).mappings()
            return {job.id: job for job in readable(rows, job_of)}

    def states(self, ids: Iterable[str]) -> dict[str, JobState]:
        with self._db.read() as connection:
            rows = connection.execute(_STATES, {"ids": list(ids)})
            return {id_: JobState(user, status in _FINISHED) for id_, user, status in rows}

    def queued_by_user(self) -> dict[str, int]:
        with self._db.read() as connection:
            return dict(connection.execute(_QUEUED_BY_USER).all())

    def find(self, wanted: JobFilter) -> Page:
        with self._db.read() as connection:
            return pages.find(connection, wanted)

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
        return read_or_none(row, job_of) if row is not None else None

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
