"""The in-memory store as the sweeper uses it."""

from __future__ import annotations

from collections import Counter

from shared.errors import FailureCode
from shared.jobs import HELD, MAX_ATTEMPTS, FacetStatus, Job, JobError, Status
from shared.ports import FacetName, Swept, Waiting
from shared.store.memory.rows import Rows, due, ended, facet_of, queued_again, with_facet
from shared.studies import Step


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
        counts: Counter[str] = Counter()
        with self._lock:
            for job_id in self._jobs:
                counts[self._sweep_lease(self._jobs[job_id], now)] += 1
                counts[self._sweep_time_to_live(self._jobs[job_id], now)] += 1
                counts[self._sweep_tracking_budget(self._jobs[job_id], now, tracking_budget_s)] += 1
                for facet in FacetName:
                    counts[self._sweep_facet(facet, self._jobs[job_id], now)] += 1
            for scope, remembered_at in list(self._remembered_at.items()):
                if remembered_at <= now - idempotency_s:
                    del self._remembered[scope], self._remembered_at[scope]
            counts += self.studies.sweep(now, tracking_budget_s)
        del counts[""]
        return Swept(**counts)

    def _sweep_lease(self, job: Job, now: float) -> str:
        if job.status not in HELD or job.lease_until is None or job.lease_until > now:
            return ""
        self._settle(job, 0.0)
        if job.cancel_requested:
            self._jobs[job.id] = ended(job, Status.CANCELED, now)
            return "lost"
        if self._attempts_spent(job):
            error = JobError(FailureCode.WORKER_LOST, "the worker was lost on every attempt")
            self._jobs[job.id] = ended(job, Status.FAILED, now, error)
            return "lost"
        self._jobs[job.id] = queued_again(job)
        return "requeued"

    def _sweep_time_to_live(self, job: Job, now: float) -> str:
        if job.status is not Status.QUEUED or job.expires_at > now:
            return ""
        error = JobError(FailureCode.TTL_EXPIRED, "waited longer than its ttl_s")
        self._jobs[job.id] = ended(job, Status.EXPIRED, now, error)
        return "expired"

    def _sweep_tracking_budget(self, job: Job, now: float, tracking_budget_s: float) -> str:
        since = self._tracked_since.get(job.id)
        waits = job.tracking.status is FacetStatus.PENDING or self._facet_lapsed(FacetName.TRACKING, job, now)
        if not waits or since is None or since > now - tracking_budget_s:
            return ""
        self._jobs[job.id] = with_facet(job, FacetName.TRACKING, status=FacetStatus.FAILED, lease_until=None)
        return "facets_failed"

    def _sweep_facet(self, facet: FacetName, job: Job, now: float) -> str:
        if not self._facet_lapsed(facet, job, now):
            return ""
        if facet is FacetName.SCORING and job.scoring.attempt >= MAX_ATTEMPTS:
            given_up = with_facet(job, facet, status=FacetStatus.FAILED, lease_until=None)
            self._jobs[job.id] = with_facet(given_up, FacetName.TRACKING, due_at=now)
            return "facets_failed"
        self._jobs[job.id] = with_facet(job, facet, status=FacetStatus.PENDING, lease_until=None, due_at=now)
        return "facets_released"

    @staticmethod
    def _facet_lapsed(facet: FacetName, job: Job, now: float) -> bool:
        state = facet_of(job, facet)
        return state.status is FacetStatus.RUNNING and state.lease_until is not None and state.lease_until <= now

    def waiting(self, now: float) -> Waiting:
        with self._lock:
            jobs = self._jobs.values()
            families = Counter(job.engine for job in jobs if job.status is Status.QUEUED)
            scoring, tracking = sum(due(j.scoring, now) for j in jobs), sum(due(j.tracking, now) for j in jobs)
            studies = sum(len(self.studies.due(step, now, self._jobs)) for step in Step)
            return Waiting(dict(families), scoring, tracking, studies)

    def ping(self) -> None:
        """Memory always answers."""
