"""The SQL store as scorers use it: claim and finish facets, fenced by the facet's own attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Double, and_, bindparam, func, select, update

from shared.jobs import FacetStatus, Job
from shared.ports import FacetName
from shared.scores import Scored
from shared.store.sql.choosing.turns import Turns
from shared.store.sql.jobs.worker import WorkerSide
from shared.store.sql.tables.reading import LEAVE_S, readable
from shared.store.sql.tables.rows import job_of
from shared.store.sql.tables.schema import jobs, running

_TURNS = {facet: Turns(jobs, facet) for facet in FacetName}
# `Turns.take` has locked these rows for this transaction.
_CHOSEN = jobs.c.id.in_(bindparam("chosen", expanding=True))
_CLAIM = {
    facet: update(jobs)
    .where(_CHOSEN)
    .values({f"{facet}_status": FacetStatus.RUNNING.value, f"{facet}_attempt": jobs.c[f"{facet}_attempt"] + 1})
    .returning(jobs)
    for facet in FacetName
}
_LEAVE = {
    facet: update(jobs)
    .where(_CHOSEN)
    .values(
        {
            f"{facet}_status": FacetStatus.PENDING.value,
            f"{facet}_attempt": jobs.c[f"{facet}_attempt"] - 1,
            f"{facet}_lease_until": None,
        }
    )
    for facet in FacetName
}
_BUDGET_BEGINS = {"tracking_since": func.coalesce(jobs.c.tracking_since, bindparam("now", type_=Double))}
_CLAIM[FacetName.TRACKING] = _CLAIM[FacetName.TRACKING].values(_BUDGET_BEGINS)

# Only the holder of this attempt may write: a scorer that lost its lease matches no row.
_MINE = {
    facet: and_(jobs.c.id == bindparam("of_job"), jobs.c[f"{facet}_attempt"] == bindparam("of_attempt"), running(facet))
    for facet in FacetName
}
_WRITE = {facet: update(jobs).where(_MINE[facet]) for facet in FacetName}
_TIMINGS = select(jobs.c.timings).where(_MINE[FacetName.SCORING]).with_for_update()
_FINISH_SCORING = _WRITE[FacetName.SCORING].values(tracking_due_at=jobs.c.completed_at)


def _mine(job_id: str, attempt: int) -> dict[str, Any]:
    return {"of_job": job_id, "of_attempt": attempt}


class ScorerSide(WorkerSide):
    """See ``shared.ports.JobStore``."""

    def claim_facet(self, facet: FacetName, holder: str, lease_s: float, now: float, limit: int = 1) -> list[Job]:
        taken = {f"{facet}_holder": holder, f"{facet}_lease_until": now + lease_s}
        while True:
            with self._db.write() as connection:
                chosen = _TURNS[facet].take(connection, now, limit)
                if not chosen:
                    return []
                rows = connection.execute(_CLAIM[facet], {"chosen": chosen, "now": now, **taken}).mappings()
                claimed = {job.id: job for job in readable(rows, job_of)}
                if others := [id_ for id_ in chosen if id_ not in claimed]:
                    connection.execute(_LEAVE[facet], {"chosen": others, f"{facet}_due_at": now + LEAVE_S})
            if claimed:
                return [claimed[id_] for id_ in chosen if id_ in claimed]

    def _write_facet(self, facet: FacetName, job_id: str, attempt: int, values: Mapping[str, Any]) -> bool:
        with self._db.write() as connection:
            return connection.execute(_WRITE[facet], {**_mine(job_id, attempt), **values}).rowcount == 1

    def beat_facet(self, facet: FacetName, job_id: str, attempt: int, lease_s: float, now: float) -> bool:
        return self._write_facet(facet, job_id, attempt, {f"{facet}_lease_until": now + lease_s})

    def finish_scoring(
        self, job_id: str, attempt: int, scores: Mapping[str, Scored], scorers_lock: str, score_s: float
    ) -> bool:
        mine = _mine(job_id, attempt)
        with self._db.write() as connection:
            timings = connection.execute(_TIMINGS, mine).scalar_one_or_none()
            if timings is None:
                return False
            values = {
                "scores": {name: value.to_json() for name, value in scores.items()},
                "scorers_lock": scorers_lock,
                "timings": {**timings, "score_s": score_s},
                "scoring_status": FacetStatus.DONE.value,
                "scoring_lease_until": None,
            }
            connection.execute(_FINISH_SCORING, {**mine, **values})
        return True

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
