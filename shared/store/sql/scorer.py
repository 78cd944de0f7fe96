"""The SQL store as scorers use it: claim and finish facets, fenced by the facet's own attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, select, update

from shared.jobs import FacetStatus, Job
from shared.ports import FacetName
from shared.scores import Scored
from shared.store.sql.rows import job_of
from shared.store.sql.schema import jobs, pending, running
from shared.store.sql.worker import WorkerSide


class ScorerSide(WorkerSide):
    """See ``shared.ports.JobStore``."""

    def claim_facet(self, facet: FacetName, holder: str, lease_s: float, now: float, limit: int = 1) -> list[Job]:
        due = and_(pending(facet), jobs.c[f"{facet}_due_at"] <= now)
        chosen = select(jobs.c.id).where(due).order_by(jobs.c.id).limit(limit).with_for_update(skip_locked=True)
        taken = {
            f"{facet}_status": FacetStatus.RUNNING.value,
            f"{facet}_attempt": jobs.c[f"{facet}_attempt"] + 1,
            f"{facet}_holder": holder,
            f"{facet}_lease_until": now + lease_s,
        }
        with self._db.write() as connection:
            ids = connection.execute(chosen).scalars().all()
            if not ids:
                return []
            claim = update(jobs).where(jobs.c.id.in_(ids)).values(taken).returning(*jobs.c)
            return sorted((job_of(row) for row in connection.execute(claim).mappings()), key=lambda job: job.id)

    def _write_facet(self, facet: FacetName, job_id: str, attempt: int, values: Mapping[str, Any]) -> bool:
        mine = and_(
            jobs.c.id == job_id,
            jobs.c[f"{facet}_attempt"] == attempt,
            running(facet),
        )
        with self._db.write() as connection:
            return connection.execute(update(jobs).where(mine).values(dict(values))).rowcount == 1

    def beat_facet(self, facet: FacetName, job_id: str, attempt: int, lease_s: float, now: float) -> bool:
        return self._write_facet(facet, job_id, attempt, {f"{facet}_lease_until": now + lease_s})

    def finish_scoring(
        self, job_id: str, attempt: int, scores: Mapping[str, Scored], scorers_lock: str, score_s: float
    ) -> bool:
        mine = and_(jobs.c.id == job_id, jobs.c.scoring_attempt == attempt, running(FacetName.SCORING))
        with self._db.write() as connection:
            timings = connection.execute(select(jobs.c.timings).where(mine)).scalar_one_or_none()
            if timings is None:
                return False
            values = {
                "scores": {name: value.to_json() for name, value in scores.items()},
                "scorers_lock": scorers_lock,
                "timings": {**timings, "score_s": score_s},
                "scoring_status": FacetStatus.DONE.value,
                "scoring_lease_until": None,
                "tracking_due_at": jobs.c.completed_at,
            }
            return connection.execute(update(jobs).where(mine).values(values)).rowcount == 1

    def finish_tracking(self, job_id: str, attempt: int, run_id: str, run_url: str) -> bool:
        values = {
            "tracking_status": FacetStatus.DONE.value,
            "tracking_lease_until": None,
            "run_id": run_id,
            "run_url": run_url,
        }
        return self._write_facet(FacetName.TRACKING, job_id, attempt, values)

    def postpone_facet(self, facet: FacetName, job_id: str, attempt: int, due_at: float) -> bool:
        values = {
            f"{facet}_status": FacetStatus.PENDING.value,
            f"{facet}_lease_until": None,
            f"{facet}_due_at": due_at,
        }
        return self._write_facet(facet, job_id, attempt, values)
