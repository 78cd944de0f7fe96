"""The SQL store as workers take jobs from it: which job is next, and the start of its lease."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, update

from shared.errors import StoreBusy
from shared.jobs import Job, Status
from shared.ports import ONE_EACH
from shared.store.sql.choosing import choice
from shared.store.sql.connection.clock import elapsed_s
from shared.store.sql.connection.database import Database
from shared.store.sql.jobs.gateway import GatewaySide
from shared.store.sql.tables.indexes import STILL_QUEUED
from shared.store.sql.tables.rows import CHARGED, QUEUED_AGAIN, charge, settle
from shared.store.sql.tables.schema import HELD, jobs, pins

log = logging.getLogger(__name__)

_RACES = 5
"""How many times a claim is tried at once if its job was just canceled or expired. Then the next wake-up tries."""
_TRIES = 3
"""How many times a claim is tried if it could not get the lock. A process that was stopped while it holds the lock
loses it within `IDLE_S`."""
_MOST_PASSED = 2_000
"""Most queued jobs that this version cannot read and that are remembered, to be skipped."""

_NEXT = {
    (backend, passing): choice.next_job(lateral=backend == "postgresql", passing=passing)
    for backend in ("sqlite", "postgresql")
    for passing in (False, True)
}
# The new attempt number fences off the writes of every earlier holder.
_TAKEN = {
    "status": Status.STARTING.value,
    "attempt": jobs.c.attempt + 1,
    "worker": bindparam("claimed_by"),
    "lease_until": bindparam("claimed_until"),
    "started_at": bindparam("claimed_at"),
    "pieces_done": None,
    "pieces": None,
}
# STILL_QUEUED: the chosen job may be canceled or expire before this statement locks its row.
_CLAIM = {
    key: update(jobs)
    .where(jobs.c.id == chosen.scalar_subquery(), STILL_QUEUED)
    .values(_TAKEN)
    .returning(jobs.c.id, jobs.c.attempt, jobs.c.pin, jobs.c.user, jobs.c.estimated_s)
    for key, chosen in _NEXT.items()
}
_SERVED = update(pins).where(pins.c.name == bindparam("of_pin")).values(served_at=bindparam("at"))

_LEAVE = (
    update(jobs)
    .where(jobs.c.id == bindparam("of_job"), jobs.c.attempt == bindparam("of_attempt"), HELD)
    .values({**QUEUED_AGAIN, "free_attempts": jobs.c.free_attempts + 1})
    .returning(*CHARGED)
)


class _Asked(NamedTuple):
    """The arguments of a claim."""

    worker: str
    pins: Sequence[str]
    loaded: Sequence[str]
    lease_s: float
    now: float
    at_most: Mapping[str, int]

    def since(self, began: float) -> float:
        """Return the time after a wait that began at ``began``.

        A wait of up to a quarter of the lease is not counted.
        """
        waited_s = elapsed_s() - began
        return self.now + waited_s if waited_s > self.lease_s / 4 else self.now


class ClaimingSide(GatewaySide):
    """See ``shared.ports.JobStore``."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._passed: dict[str, None] = {}

    def claim(
        self,
        worker: str,
        pins: Sequence[str],
        loaded: Sequence[str],
        lease_s: float,
        now: float,
        at_most: Mapping[str, int] = ONE_EACH,
    ) -> list[Job]:
        began = elapsed_s()
        while taken := self._take(_Asked(worker, pins, loaded, lease_s, now, at_most), began):
            found = self.get([id_ for id_, _ in taken])
            for id_, attempt in taken:
                if id_ not in found:
                    self._pass_over(id_, attempt)
            if found:
                return [found[id_] for id_, _ in taken if id_ in found]
        return []

    def _take(self, asked: _Asked, began: float) -> list[tuple[str, int]]:
        for left in reversed(range(_TRIES)):
            try:
                return self._taken(asked, began)
            except StoreBusy as error:
                if not left:
                    raise
                log.warning("a claim is waiting for a lock that a stopped process holds: %s", error)
        return []

    def _taken(self, asked: _Asked, began: float) -> list[tuple[str, int]]:
        """Return ids and attempts of the jobs that are ours now.

        Only these are read under the lock, not whole rows: a process that is stopped while rows are sent to it must not
        keep the lock.
        """
        pins, loaded = asked.pins, asked.loaded
        taken: list[tuple[str, int]] = []
        with self._db.write() as connection:
            choice.one_at_a_time(connection)
            now = asked.since(began)
            lease = {"claimed_by": asked.worker, "claimed_until": now + asked.lease_s, "claimed_at": now}
            while not taken or len(taken) < asked.at_most.get(pins[0], 1):
                whose = choice.binds(asked.worker, pins, loaded, now, [*self._passed])
                row = self._take_one(connection, {**lease, **whose})
                if row is None:
                    break
                charge(connection, row.user, row.estimated_s, now)
                taken.append((row.id, row.attempt))
                pins = loaded = [row.pin]  # the rest is of this pin; loaded or not makes no difference any more
            if taken:
                connection.execute(_SERVED, {"of_pin": pins[0], "at": now})
        return taken

    def _take_one(self, connection: Connection, known: Mapping[str, Any]) -> Any:
        kind = (self._db.backend, bool(self._passed))
        for _ in range(_RACES):
            row = connection.execute(_CLAIM[kind], known).one_or_none()
            if row is not None:
                return row
            if connection.execute(_NEXT[kind], known).scalar() is None:
                return None
        return None

    def _pass_over(self, job_id: str, attempt: int) -> None:
        """Leave a job to a version that can read it."""
        self._passed[job_id] = None
        while len(self._passed) > _MOST_PASSED:
            del self._passed[next(iter(self._passed))]
        with self._db.write() as connection:
            job = connection.execute(_LEAVE, {"of_job": job_id, "of_attempt": attempt}).one_or_none()
            if job is not None:
                settle(connection, [job], 0.0)
