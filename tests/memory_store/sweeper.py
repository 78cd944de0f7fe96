"""The in-memory store as the sweeper uses it."""

from __future__ import annotations

from collections import Counter

from shared.errors import FailureCode
from shared.jobs import HELD, MAX_LAPSES, WORKER_LOST, FacetStatus, Job, JobError, Status
from shared.ports import LIVE_S, FacetName, Swept, Waiting
from shared.scheduling.lapsing import CLAIMS_WAIT_S, FORGET_WORKERS_S, HOLD_SLACK_S
from shared.studies import Step
from tests.memory_store.rows import MemoryRows, due, ended, facet_of, queued_again, run_out, with_facet


class MemorySweeperSide(MemoryRows):
    """Put right what ran out."""

    def hold(self, name: str, holder: str, until: float, now: float) -> bool:
        with self._lock:
            current = self._holds.get(name)
            if current is not None and current[0] != holder and now < current[1] <= until + HOLD_SLACK_S:
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
            for key, seen_at in list(self._served_by.items()):
                if not -HOLD_SLACK_S <= now - seen_at < FORGET_WORKERS_S:
                    del self._served_by[key]
        del counts[""]
        return Swept(**counts)

    def _sweep_lease(self, job: Job, now: float) -> str:
        if job.status not in HELD or not run_out(job.lease_until, now):
            return ""
        self._settle(job, 0.0)
        if job.cancel_requested:
            self._jobs[job.id] = ended(job, Status.CANCELED, now)
            return "lost"
        self._lapses[job.id] += 1
        if self._lapses[job.id] >= MAX_LAPSES:
            error = JobError(FailureCode.WORKER_LOST, WORKER_LOST)
            self._jobs[job.id] = ended(job, Status.FAILED, now, error)
            return "lost"
        self._free_attempts[job.id] = self._free_attempts.get(job.id, 0) + 1
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
        if facet is FacetName.SCORING and job.scoring.attempt >= MAX_LAPSES:
            given_up = with_facet(job, facet, status=FacetStatus.FAILED, lease_until=None)
            self._jobs[job.id] = with_facet(given_up, FacetName.TRACKING, due_at=now)
            return "facets_failed"
        self._jobs[job.id] = with_facet(job, facet, status=FacetStatus.PENDING, lease_until=None, due_at=now)
        return "facets_released"

    @staticmethod
    def _facet_lapsed(facet: FacetName, job: Job, now: float) -> bool:
        state = facet_of(job, facet)
        return state.status is FacetStatus.RUNNING and run_out(state.lease_until, now)

    def waiting(self, now: float) -> Waiting:
        with self._lock:
            jobs = self._jobs.values()
            families = Counter(job.engine for job in jobs if job.status is Status.QUEUED)
            scoring, tracking = sum(due(j.scoring, now) for j in jobs), sum(due(j.tracking, now) for j in jobs)
            studies = sum(len(self.studies.due(step, now, self._jobs)) for step in Step)
            return Waiting(dict(families), scoring, tracking, studies, self._unclaimed_s(now))

    def _unclaimed_s(self, now: float) -> float:
        busy = {job.worker for job in self._jobs.values() if job.status in HELD and job.worker is not None}
        idle = {
            pin
            for (worker, pin), seen_at in self._served_by.items()
            if abs(now - seen_at) <= LIVE_S
            and self._pins[pin].served_at <= now - CLAIMS_WAIT_S
            and not any(name == worker or name.startswith(f"{worker}/") for name in busy)
        }
        queued = (job for job in self._jobs.values() if job.status is Status.QUEUED and job.expires_at > now)
        waited_s = max((now - job.created_at for job in queued if job.pin in idle), default=0.0)
        return waited_s if waited_s >= CLAIMS_WAIT_S else 0.0

    def ping(self) -> None:
        """Memory always answers."""
