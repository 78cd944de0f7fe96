"""The in-memory store as scorers use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.jobs import FacetStatus, Job
from shared.ports import FacetName
from shared.scheduling.fairness import counts_seconds
from shared.scores import Scored
from tests.memory_store.rows import MemoryRows, due, facet_of, with_facet
from tests.memory_store.turns import Due


class MemoryScorerSide(MemoryRows):
    """Claim and finish facets."""

    def claim_facet(self, facet: FacetName, holder: str, lease_s: float, now: float, limit: int = 1) -> list[Job]:
        with self._lock:
            due_now = (job for job in self._jobs.values() if due(facet_of(job, facet), now))
            found = self.turns.take(facet, (_due(job, facet) for job in due_now), now, limit)
            for job in map(self._jobs.__getitem__, found):
                if facet is FacetName.TRACKING:
                    self._tracked_since.setdefault(job.id, now)
                self._jobs[job.id] = with_facet(
                    job,
                    facet,
                    status=FacetStatus.RUNNING,
                    attempt=facet_of(job, facet).attempt + 1,
                    holder=holder,
                    lease_until=now + lease_s,
                )
            return [self._jobs[id_] for id_ in found]

    def _write_facet(self, facet: FacetName, job_id: str, attempt: int, change: Callable[[Job], Job]) -> bool:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return False
            state = facet_of(job, facet)
            if state.status is not FacetStatus.RUNNING or state.attempt != attempt:
                return False
            self._jobs[job_id] = change(job)
            return True

    def beat_facet(self, facet: FacetName, job_id: str, attempt: int, lease_s: float, now: float) -> bool:
        return self._write_facet(facet, job_id, attempt, lambda job: with_facet(job, facet, lease_until=now + lease_s))

    def finish_scoring(
        self, job_id: str, attempt: int, scores: Mapping[str, Scored], scorers_lock: str, score_s: float
    ) -> bool:
        def change(job: Job) -> Job:
            done = job.evolve(
                scores=dict(scores), scorers_lock=scorers_lock, timings={**job.timings, "score_s": score_s}
            )
            done = with_facet(done, FacetName.SCORING, status=FacetStatus.DONE, lease_until=None)
            return with_facet(done, FacetName.TRACKING, due_at=job.completed_at)

        return self._write_facet(FacetName.SCORING, job_id, attempt, change)

    def finish_tracking(self, job_id: str, attempt: int, run_id: str, run_url: str) -> bool:
        return self._write_facet(
            FacetName.TRACKING,
            job_id,
            attempt,
            lambda job: with_facet(
                job.evolve(run_id=run_id, run_url=run_url),
                FacetName.TRACKING,
                status=FacetStatus.DONE,
                lease_until=None,
            ),
        )

    def postpone_facet(self, facet: FacetName, job_id: str, attempt: int, due_at: float) -> bool:
        return self._write_facet(
            facet,
            job_id,
            attempt,
            lambda job: with_facet(job, facet, status=FacetStatus.PENDING, lease_until=None, due_at=due_at),
        )


def _due(job: Job, facet: FacetName) -> Due:
    cost = job.estimated_s if counts_seconds(facet) else 1.0
    return Due(job.user, facet_of(job, facet).due_at or 0.0, job.id, cost)
