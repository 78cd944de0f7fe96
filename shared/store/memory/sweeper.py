"""The in-memory store as the sweeper uses it."""

from __future__ import annotations

from shared.errors import FailureCode
from shared.jobs import HELD, MAX_ATTEMPTS, Facet, FacetStatus, Job, JobError, Status
from shared.ports import FacetName, Swept, Waiting
from shared.store.memory.rows import Rows, ended, with_facet


class SweeperSide(Rows):
    """Put right what ran out."""

    def hold(self, name: str, holder: str, until: float, now: float) -> bool:
        with self._lock:
            current = self._holds.get(name)
            if current is not None and current[0] != holder and current[1] > now:
                return False
            self._holds[name] = (holder, until)
            return True

    def sweep(self, now: float, *, tracking_budget_s: float, idempotency_s: float) -> Swept:
        with self._lock:
            counts = dict.fromkeys(("requeued", "lost", "expired", "facets_released", "facets_failed"), 0)
            for job in list(self._jobs.values()):
                counts_as = self._sweep_job(job, now) or self._sweep_facets(job, now, tracking_budget_s)
                if counts_as:
                    counts[counts_as] += 1
            for scope, kept in list(self._remembered.items()):
                if kept.created_at <= now - idempotency_s:
                    del self._remembered[scope]
            return Swept(**counts)

    def _sweep_job(self, job: Job, now: float) -> str | None:
        if job.status in HELD and job.lease_until is not None and job.lease_until <= now:
            self._charge(job.user, -job.estimated_s, now)
            if job.cancel_requested:
                self._jobs[job.id] = ended(job, Status.CANCELED, now)
                return "lost"
            if job.attempt - self._free_attempts.get(job.id, 0) >= MAX_ATTEMPTS:
                error = JobError(FailureCode.WORKER_LOST, "the worker was lost on every attempt")
                self._jobs[job.id] = ended(job, Status.FAILED, now, error)
                return "lost"
            self._jobs[job.id] = job.evolve(status=Status.QUEUED, lease_until=None, worker=None)
            return "requeued"
        if job.status is Status.QUEUED and job.expires_at <= now:
            error = JobError(FailureCode.TTL_EXPIRED, "waited longer than its ttl_s")
            self._jobs[job.id] = ended(job, Status.EXPIRED, now, error)
            return "expired"
        return None

    def _sweep_facets(self, job: Job, now: float, tracking_budget_s: float) -> str | None:
        for facet in FacetName:
            state: Facet = getattr(job, facet.value)
            if state.status is FacetStatus.RUNNING and state.lease_until is not None and state.lease_until <= now:
                if facet is FacetName.SCORING and state.attempt >= MAX_ATTEMPTS:
                    failed = with_facet(job, facet, status=FacetStatus.FAILED, lease_until=None)
                    self._jobs[job.id] = with_facet(failed, FacetName.TRACKING, due_at=now)
                    return "facets_failed"
                self._jobs[job.id] = with_facet(job, facet, status=FacetStatus.PENDING, lease_until=None, due_at=now)
                return "facets_released"
        return self._sweep_tracking_budget(job, now, tracking_budget_s)

    def _sweep_tracking_budget(self, job: Job, now: float, tracking_budget_s: float) -> str | None:
        waiting = job.tracking.status is FacetStatus.PENDING and job.tracking.due_at is not None
        since = self._tracking_since.get(job.id, job.completed_at)
        if waiting and since is not None and since <= now - tracking_budget_s:
            self._jobs[job.id] = with_facet(job, FacetName.TRACKING, status=FacetStatus.FAILED)
            return "facets_failed"
        return None

    def waiting(self, now: float) -> Waiting:
        with self._lock:
            families: dict[str, int] = {}
            for job in self._jobs.values():
                if job.status is Status.QUEUED:
                    families[job.engine] = families.get(job.engine, 0) + 1

            def due(state: Facet) -> bool:
                return state.status is FacetStatus.PENDING and state.due_at is not None and state.due_at <= now

            jobs = self._jobs.values()
            return Waiting(families, sum(due(j.scoring) for j in jobs), sum(due(j.tracking) for j in jobs))

    def ping(self) -> None:
        """Memory always answers."""
