"""The SQL store as workers use it: manifests, leases, results.

Every write names its attempt (``WHERE attempt = mine``), so that a worker that lost its lease writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Double, RowMapping, and_, bindparam, case, delete, func, select, update

from shared.catalog import Manifest, PinState
from shared.jobs import MAX_ATTEMPTS, FacetStatus, JobError, Status
from shared.ports import LIVE_S, LeaseState, Result
from shared.store.sql.jobs.claiming import ClaimingSide
from shared.store.sql.tables.reading import readable
from shared.store.sql.tables.rows import CHARGED, ENDED, QUEUED_AGAIN, how_it_ended, settle
from shared.store.sql.tables.schema import HELD, environments, jobs, pins, workers

_MINE = and_(jobs.c.id == bindparam("of_job"), jobs.c.attempt == bindparam("of_attempt"), HELD)
_HELD_NOW = select(jobs.c.free_attempts, jobs.c.cancel_requested, *CHARGED).where(_MINE).with_for_update()
_BEAT = update(jobs).where(_MINE).returning(jobs.c.cancel_requested)
_BEGIN = update(jobs).where(_MINE).values(status=Status.PROCESSING.value)
_TO_SCORE = jobs.c.scoring_status == FacetStatus.PENDING.value
_FINISHED_AT = bindparam("finished_at", type_=Double)
_FINISH = (
    update(jobs)
    .where(_MINE, jobs.c.status == Status.PROCESSING.value)
    .values(
        status=Status.SUCCEEDED.value,
        completed_at=_FINISHED_AT,
        lease_until=None,
        scoring_due_at=case((_TO_SCORE, _FINISHED_AT), else_=None),
        tracking_due_at=case((_TO_SCORE, None), else_=_FINISHED_AT),
    )
    .returning(*CHARGED)
)
_END = update(jobs).where(_MINE).values(ENDED)
_QUEUE_AGAIN = update(jobs).where(_MINE).values(QUEUED_AGAIN)
_HAND_BACK = _QUEUE_AGAIN.values(free_attempts=jobs.c.free_attempts + 1)
_HELD_TO_PASS_ON = (
    select(jobs.c.pin, jobs.c.failed_on, jobs.c.free_attempts, jobs.c.cancel_requested, *CHARGED)
    .where(_MINE)
    .with_for_update()
)
_PASS_ON = _QUEUE_AGAIN.values(failed_on=bindparam("all_failed_on"), passed_on_at=bindparam("at", type_=Double))
_LET_LAPSE = update(jobs).where(_MINE).values(lease_until=0.0)


def _manifest(row: RowMapping) -> Manifest:
    return Manifest.from_json(row["manifest"])


def _mine(job_id: str, attempt: int) -> dict[str, Any]:
    return {"of_job": job_id, "of_attempt": attempt}


class WorkerSide(ClaimingSide):
    """See ``shared.ports.JobStore``."""

    def publish(self, worker: str, manifests: Sequence[Manifest], now: float) -> None:
        with self._db.write() as connection:
            # Sorted by pin, so that two workers that publish the same pins never wait for each other.
            for manifest in sorted(manifests, key=lambda m: m.pin):
                if manifest.state is PinState.REFUSED:
                    self._refuse(connection, worker, manifest, now)
                    continue
                self._tell(connection, manifest)
                seen = self._insert_new(workers).values(worker=worker, pin=manifest.pin, seen_at=now)
                connection.execute(
                    seen.on_conflict_do_update(index_elements=[workers.c.worker, workers.c.pin], set_={"seen_at": now})
                )

    def _tell(self, connection: Connection, manifest: Manifest) -> None:
        told = {"engine": manifest.engine, "manifest": manifest.to_json()}
        pin = self._insert_new(pins).values(name=manifest.pin, served_at=0.0, **told)
        connection.execute(pin.on_conflict_do_update(index_elements=[pins.c.name], set_=told))

    def _refuse(self, connection: Connection, worker: str, manifest: Manifest, now: float) -> None:
        of_pin = workers.c.pin == manifest.pin
        connection.execute(delete(workers).where(of_pin, workers.c.worker == worker))
        if connection.execute(select(workers.c.worker).where(of_pin, workers.c.seen_at > now - LIVE_S)).first():
            return
        row = connection.execute(select(pins.c.name, pins.c.manifest).where(pins.c.name == manifest.pin))
        known = readable(row.mappings(), _manifest, "name")
        self._tell(connection, manifest.refusal_of(known[0] if known else None))

    def retire(self, worker: str) -> None:
        with self._db.write() as connection:
            connection.execute(delete(workers).where(workers.c.worker == worker))

    def manifests(self) -> list[tuple[Manifest, float]]:
        known = (
            select(pins.c.name, pins.c.manifest, func.coalesce(func.max(workers.c.seen_at), 0.0).label("seen_at"))
            .select_from(pins.outerjoin(workers, workers.c.pin == pins.c.name))
            .group_by(pins.c.name)
            .order_by(pins.c.name)
        )
        with self._db.read() as connection:
            rows = connection.execute(known).mappings()
            return readable(rows, lambda row: (_manifest(row), row["seen_at"]), "name")

    def beat(
        self, job_id: str, attempt: int, lease_s: float, now: float, progress: tuple[int, int] | None = None
    ) -> LeaseState:
        values: dict[str, Any] = {"lease_until": now + lease_s}
        if progress is not None:
            values["pieces_done"], values["pieces"] = progress
        with self._db.write() as connection:
            canceled = connection.execute(_BEAT, {**_mine(job_id, attempt), **values}).scalar_one_or_none()
        if canceled is None:
            return LeaseState.LOST
        return LeaseState.CANCELED if canceled else LeaseState.HELD

    def begin(self, job_id: str, attempt: int) -> bool:
        with self._db.write() as connection:
            return connection.execute(_BEGIN, _mine(job_id, attempt)).rowcount == 1

    def finish(self, job_id: str, attempt: int, result: Result, now: float) -> bool:
        handed_in = {
            "finished_at": now,
            "audio": result.audio,
            "timings": result.timings,
            "environment": result.environment,
        }
        with self._db.write() as connection:
            job = connection.execute(_FINISH, {**_mine(job_id, attempt), **handed_in}).one_or_none()
            if job is not None:
                settle(connection, [job], result.audio.duration_s)
        return job is not None

    def fail(self, job_id: str, attempt: int, error: JobError, now: float, *, final: bool) -> bool:
        mine = _mine(job_id, attempt)
        with self._db.write() as connection:
            held = connection.execute(_HELD_NOW, mine).one_or_none()
            if held is None:
                return False
            if held.cancel_requested and not final:
                connection.execute(_END, {**mine, **how_it_ended(Status.CANCELED, now)})
            elif final or attempt - held.free_attempts >= MAX_ATTEMPTS:
                connection.execute(_END, {**mine, **how_it_ended(Status.FAILED, now, error)})
            else:
                connection.execute(_QUEUE_AGAIN, mine)
            settle(connection, [(held.user, held.estimated_s, held.started_at)], 0.0)
        return True

    def pass_on(self, job_id: str, attempt: int, worker: str, now: float) -> bool:
        mine = _mine(job_id, attempt)
        with self._db.write() as connection:
            held = connection.execute(_HELD_TO_PASS_ON, mine).one_or_none()
            if held is None or held.cancel_requested or attempt - held.free_attempts >= MAX_ATTEMPTS:
                return False
            failed_on = f"{held.failed_on or '|'}{worker}|"
            live = select(workers.c.worker).where(workers.c.pin == held.pin, workers.c.seen_at > now - LIVE_S)
            if all(f"|{name}|" in failed_on for name in connection.execute(live).scalars()):
                return False
            connection.execute(_PASS_ON, {**mine, "all_failed_on": failed_on, "at": now})
            settle(connection, [(held.user, held.estimated_s, held.started_at)], 0.0)
        return True

    def stop(self, job_id: str, attempt: int, now: float) -> bool:
        ended = {**_mine(job_id, attempt), **how_it_ended(Status.CANCELED, now)}
        with self._db.write() as connection:
            job = connection.execute(_END.returning(*CHARGED), ended).one_or_none()
            if job is not None:
                settle(connection, [job], 0.0)
        return job is not None

    def hand_back(self, job_id: str, attempt: int) -> bool:
        mine = _mine(job_id, attempt)
        with self._db.write() as connection:
            held = connection.execute(_HELD_NOW, mine).one_or_none()
            if held is None:
                return False
            if held.cancel_requested:  # it must not be spoken again: the sweeper finds its lease run out
                connection.execute(_LET_LAPSE, mine)
            else:
                connection.execute(_HAND_BACK, mine)
                settle(connection, [(held.user, held.estimated_s, held.started_at)], 0.0)
        return True

    def record_environment(self, environment_id: str, environment: Mapping[str, Any]) -> None:
        row = {"id": environment_id, "description": dict(environment)}
        with self._db.write() as connection:
            connection.execute(self._insert_new(environments).values(row).on_conflict_do_nothing())

    def environment(self, environment_id: str) -> Mapping[str, Any] | None:
        query = select(environments.c.description).where(environments.c.id == environment_id)
        with self._db.read() as connection:
            found: Mapping[str, Any] | None = connection.execute(query).scalar_one_or_none()
            return found
