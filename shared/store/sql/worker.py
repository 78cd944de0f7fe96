"""The SQL store as workers use it: fair choice, leases, results.

Every write names the attempt it belongs to (``WHERE attempt = mine``), so that a worker which lost its lease writes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    and_,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)

from shared.catalog import Manifest
from shared.fairness import PREFER_LOADED_FOR_S, window_at
from shared.jobs import MAX_ATTEMPTS, FacetStatus, Job, JobError, Status
from shared.ports import Result, Standing
from shared.store.sql.gateway import GatewaySide
from shared.store.sql.rows import audio_to_json, charge, ended, job_of, queued_again
from shared.store.sql.schema import HELD, QUEUED, environments, jobs, pins, usage, workers

_RACES = 5
"""How often a claim that another worker won is tried again at once; then the bell rings another time anyway."""


def _held(job_id: str, attempt: int) -> ColumnElement[bool]:
    return and_(jobs.c.id == job_id, jobs.c.attempt == attempt, HELD)


def next_by_fair_choice(served: Sequence[str], loaded: Sequence[str], now: float) -> ScalarSelect[str]:
    """The id of the queued job that is next (see shared/fairness.py).

    Looks at the head of each user's line per pin only, found by index: the cost is users times pins, not jobs.
    """
    line = jobs.alias("line")
    head = (
        select(line.c.id)
        .where(
            line.c.status == literal_column("'queued'"),
            line.c.engine == pins.c.engine,
            line.c.user == usage.c.user,
            line.c.pin == pins.c.name,
            line.c.expires_at > now,
        )
        .order_by(line.c.priority.desc(), line.c.id)
        .limit(1)
        .correlate(pins, usage)
        .scalar_subquery()
    )
    heads = (
        select(
            head.label("id"),
            usage.c.user,
            case((usage.c.window == window_at(now), usage.c.audio_s), else_=0.0).label("spent"),
            pins.c.name.label("pin"),
            pins.c.served_at,
        )
        .where(pins.c.name.in_(list(served)))
        .subquery("heads")
    )
    job = jobs.alias("head")
    long_ago = now - PREFER_LOADED_FOR_S
    overdue = and_(heads.c.served_at <= long_ago, job.c.created_at <= long_ago)
    behind = case((or_(heads.c.pin.in_(list(loaded)), overdue), 0), else_=1)
    return (
        select(heads.c.id)
        .select_from(heads.join(job, job.c.id == heads.c.id))
        .order_by(behind, heads.c.spent, heads.c.user, job.c.priority.desc(), job.c.id)
        .limit(1)
        .scalar_subquery()
    )


class WorkerSide(GatewaySide):
    """See ``shared.ports.JobStore``."""

    def publish(self, worker: str, manifests: Sequence[Manifest], now: float) -> None:
        with self._db.write() as connection:
            for manifest in sorted(manifests, key=lambda m: m.pin):
                told = {"engine": manifest.engine, "manifest": manifest.to_json()}
                pin = self._insert_new(pins).values(name=manifest.pin, served_at=0.0, **told)
                connection.execute(pin.on_conflict_do_update(index_elements=[pins.c.name], set_=told))
                seen = self._insert_new(workers).values(worker=worker, pin=manifest.pin, seen_at=now)
                connection.execute(
                    seen.on_conflict_do_update(index_elements=[workers.c.worker, workers.c.pin], set_={"seen_at": now})
                )

    def retire(self, worker: str) -> None:
        with self._db.write() as connection:
            connection.execute(delete(workers).where(workers.c.worker == worker))

    def manifests(self) -> list[tuple[Manifest, float]]:
        seen_at = func.coalesce(func.max(workers.c.seen_at), 0.0)
        query = (
            select(pins.c.name, seen_at)
            .select_from(pins.outerjoin(workers, workers.c.pin == pins.c.name))
            .group_by(pins.c.name)
        )
        with self._db.read() as connection:
            seen = dict(connection.execute(query).tuples())
            known = connection.execute(select(pins.c.manifest).order_by(pins.c.name)).scalars()
            manifests = [Manifest.from_json(manifest) for manifest in known]
        return [(manifest, seen.get(manifest.pin, 0.0)) for manifest in manifests]

    def claim(
        self, worker: str, pins: Sequence[str], loaded: Sequence[str], lease_s: float, now: float, limit: int = 1
    ) -> list[Job]:
        claimed: list[Job] = []
        with self._db.write() as connection:
            while len(claimed) < limit:
                served = [claimed[0].pin] if claimed else pins
                job = self._claim_one(connection, worker, served, loaded, lease_s, now)
                if job is None:
                    break
                claimed.append(job)
        return claimed

    def _claim_one(
        self,
        connection: Connection,
        worker: str,
        served: Sequence[str],
        loaded: Sequence[str],
        lease_s: float,
        now: float,
    ) -> Job | None:
        taken = {
            "status": Status.STARTING.value,
            "attempt": jobs.c.attempt + 1,
            "worker": worker,
            "lease_until": now + lease_s,
            "started_at": now,
            "pieces_done": None,
            "pieces": None,
        }
        chosen = next_by_fair_choice(served, loaded, now)
        claim = update(jobs).where(jobs.c.id == chosen, QUEUED).values(taken)
        for _ in range(_RACES):
            row = connection.execute(claim.returning(*jobs.c)).mappings().one_or_none()
            if row is not None:
                charge(connection, row["user"], row["estimated_s"], now)
                connection.execute(update(pins).where(pins.c.name == row["pin"]).values(served_at=now))
                return job_of(row)
            if connection.execute(select(next_by_fair_choice(served, loaded, now))).scalar() is None:
                return None
        return None

    def beat(
        self, job_id: str, attempt: int, lease_s: float, now: float, progress: tuple[int, int] | None = None
    ) -> Standing:
        values: dict[str, Any] = {"lease_until": now + lease_s}
        if progress is not None:
            values["pieces_done"], values["pieces"] = progress
        renew = update(jobs).where(_held(job_id, attempt)).values(values).returning(jobs.c.cancel_requested)
        with self._db.write() as connection:
            canceled = connection.execute(renew).scalar_one_or_none()
        if canceled is None:
            return Standing.LOST
        return Standing.CANCELED if canceled else Standing.HELD

    def begin(self, job_id: str, attempt: int) -> bool:
        return self._write_held(job_id, attempt, {"status": Status.PROCESSING.value}) is not None

    def _write_held(self, job_id: str, attempt: int, values: Mapping[str, Any]) -> Job | None:
        with self._db.write() as connection:
            return self._changed(connection, job_id, attempt, values)

    @staticmethod
    def _changed(connection: Connection, job_id: str, attempt: int, values: Mapping[str, Any]) -> Job | None:
        change = update(jobs).where(_held(job_id, attempt)).values(values).returning(*jobs.c)
        row = connection.execute(change).mappings().one_or_none()
        return job_of(row) if row is not None else None

    def finish(self, job_id: str, attempt: int, result: Result, now: float) -> bool:
        to_score = jobs.c.scoring_status == FacetStatus.PENDING.value
        values = {
            "status": Status.SUCCEEDED.value,
            "completed_at": now,
            "lease_until": None,
            "audio": audio_to_json(result.audio),
            "timings": dict(result.timings),
            "environment": result.environment,
            "scoring_due_at": case((to_score, now), else_=None),
            "tracking_due_at": case((to_score, None), else_=now),
            "tracking_since": now,
        }
        with self._db.write() as connection:
            job = self._changed(connection, job_id, attempt, values)
            if job is not None:
                charge(connection, job.user, result.audio.duration_s - job.estimated_s, now)
        return job is not None

    def fail(self, job_id: str, attempt: int, error: JobError, now: float, *, final: bool) -> bool:
        with self._db.write() as connection:
            free = connection.execute(select(jobs.c.free_attempts).where(_held(job_id, attempt))).scalar_one_or_none()
            if free is None:
                return False
            over = final or attempt - free >= MAX_ATTEMPTS
            job = self._changed(
                connection, job_id, attempt, ended(Status.FAILED, now, error) if over else queued_again()
            )
            if job is not None:
                charge(connection, job.user, -job.estimated_s, now)
        return job is not None

    def stop(self, job_id: str, attempt: int, now: float) -> bool:
        with self._db.write() as connection:
            job = self._changed(connection, job_id, attempt, ended(Status.CANCELED, now))
            if job is not None:
                charge(connection, job.user, -job.estimated_s, now)
        return job is not None

    def hand_back(self, job_id: str, attempt: int) -> bool:
        values = {**queued_again(), "free_attempts": jobs.c.free_attempts + 1}
        return self._write_held(job_id, attempt, values) is not None

    def record_environment(self, environment_id: str, environment: Mapping[str, Any]) -> None:
        row = {"id": environment_id, "description": dict(environment)}
        with self._db.write() as connection:
            connection.execute(self._insert_new(environments).values(row).on_conflict_do_nothing())

    def environment(self, environment_id: str) -> Mapping[str, Any] | None:
        query = select(environments.c.description).where(environments.c.id == environment_id)
        with self._db.read() as connection:
            found: Mapping[str, Any] | None = connection.execute(query).scalar_one_or_none()
            return found
