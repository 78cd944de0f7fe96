"""The job store as dictionaries: what tests use in place of SQL, held to the same suite.

Knows nothing of durability; one lock makes every method a transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.catalog import Manifest
from shared.errors import FailureCode
from shared.fairness import PREFER_LOADED_FOR_S, window_at
from shared.jobs import HELD, MAX_ATTEMPTS, Facet, FacetStatus, Job, JobError, Status
from shared.ports import FacetName, JobFilter, Remembered, Result, Standing, Submission, Swept, Waiting
from shared.scores import Scored


@dataclass
class _Usage:
    window: int
    audio_s: float


@dataclass
class _Published:
    manifest: Manifest
    seen_at: float
    served_at: float = 0.0


def with_facet(job: Job, facet: FacetName, **changes: Any) -> Job:
    """``job`` with members of one facet changed."""
    return job.evolve(**{facet.value: replace(getattr(job, facet.value), **changes)})


def ended(job: Job, status: Status, now: float, error: JobError | None = None) -> Job:
    """``job`` finished without audio: nothing to score, and to be tracked only if it was ever started."""
    started = job.started_at is not None
    return job.evolve(
        status=status,
        completed_at=now,
        error=error,
        lease_until=None,
        scoring=Facet(FacetStatus.SKIPPED),
        tracking=Facet(FacetStatus.PENDING, due_at=now) if started else Facet(FacetStatus.SKIPPED),
    )


class MemoryJobStore:
    """Implements ``shared.ports.JobStore``."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._free_attempts: dict[str, int] = {}
        self._remembered: dict[str, Remembered] = {}
        self._usage: dict[str, _Usage] = {}
        self._pins: dict[str, _Published] = {}
        self._served_by: dict[tuple[str, str], float] = {}
        self._environments: dict[str, Mapping[str, Any]] = {}
        self._holds: dict[str, tuple[str, float]] = {}
        self._tracking_since: dict[str, float] = {}

    # -- gateway -----------------------------------------------------------------------------------------------
    def add(self, submissions: Sequence[Submission]) -> list[bool]:
        with self._lock:
            return [self._add_one(submission) for submission in submissions]

    def _add_one(self, submission: Submission) -> bool:
        asked = submission.idempotency
        if asked is not None:
            if asked.scope in self._remembered:
                return False
            first = submission.jobs[0].id if submission.jobs else None
            self._remembered[asked.scope] = Remembered(
                asked.fingerprint, first, None, None, asked.created_at, asked.busy_until
            )
        for new in submission.jobs:
            self._jobs[new.id] = Job.accepted(new)
            self._usage.setdefault(new.user, _Usage(0, 0.0))
        return True

    def get(self, ids: Iterable[str]) -> dict[str, Job]:
        with self._lock:
            return {id_: self._jobs[id_] for id_ in ids if id_ in self._jobs}

    def list(self, filter: JobFilter) -> list[Job]:
        def wanted(job: Job) -> bool:
            return (
                job.user == filter.user
                and (filter.status is None or job.status == filter.status)
                and (filter.pin is None or job.pin == filter.pin)
                and (filter.scoring is None or job.scoring.status == filter.scoring)
                and (filter.tracking is None or job.tracking.status == filter.tracking)
                and (filter.created_after is None or job.created_at > filter.created_after)
                and (filter.created_before is None or job.created_at < filter.created_before)
                and (filter.before is None or job.id < filter.before)
                and all(job.metadata.get(key) == value for key, value in filter.metadata.items())
            )

        with self._lock:
            return sorted(filter_(wanted, self._jobs.values()), key=lambda job: job.id, reverse=True)[: filter.limit]

    def positions(self, ids: Iterable[str]) -> dict[str, int]:
        with self._lock:
            queued = [job for job in self._jobs.values() if job.status is Status.QUEUED]
            return {
                id_: self._position(self._jobs[id_], queued)
                for id_ in ids
                if id_ in self._jobs and self._jobs[id_].status is Status.QUEUED
            }

    @staticmethod
    def _position(job: Job, queued: Sequence[Job]) -> int:
        same = [other for other in queued if other.engine == job.engine]
        mine = sum(o.user == job.user and (-o.priority, o.id) < (-job.priority, job.id) for o in same)
        theirs: dict[str, int] = {}
        for other in same:
            if other.user != job.user:
                theirs[other.user] = theirs.get(other.user, 0) + 1
        return 1 + mine + sum(min(count, mine + (user < job.user)) for user, count in theirs.items())

    def cancel(self, job_id: str, now: float) -> Job | None:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.finished:
                return job
            if job.status is Status.QUEUED:
                self._jobs[job_id] = ended(job, Status.CANCELED, now)
            else:
                self._jobs[job_id] = job.evolve(cancel_requested=True)
            return self._jobs[job_id]

    def recall(self, scope: str) -> Remembered | None:
        with self._lock:
            return self._remembered.get(scope)

    def remember(self, scope: str, status: int, body: bytes) -> None:
        with self._lock:
            if scope in self._remembered:
                self._remembered[scope] = replace(self._remembered[scope], status=status, body=body)

    def retry_tracking(self, job_id: str, now: float) -> bool:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.tracking.status is not FacetStatus.FAILED:
                return False
            self._tracking_since[job_id] = now
            self._jobs[job_id] = with_facet(job, FacetName.TRACKING, status=FacetStatus.PENDING, due_at=now)
            return True

    # -- worker ------------------------------------------------------------------------------------------------
    def publish(self, worker: str, manifests: Sequence[Manifest], now: float) -> None:
        with self._lock:
            for manifest in manifests:
                served_at = self._pins[manifest.pin].served_at if manifest.pin in self._pins else 0.0
                self._pins[manifest.pin] = _Published(manifest, now, served_at)
                self._served_by[worker, manifest.pin] = now

    def retire(self, worker: str) -> None:
        with self._lock:
            for key in [key for key in self._served_by if key[0] == worker]:
                del self._served_by[key]

    def manifests(self) -> list[tuple[Manifest, float]]:
        with self._lock:
            return [
                (
                    published.manifest,
                    max((at for (_, pin), at in self._served_by.items() if pin == name), default=0.0),
                )
                for name, published in sorted(self._pins.items())
            ]

    def claim(
        self, worker: str, pins: Sequence[str], loaded: Sequence[str], lease_s: float, now: float, limit: int = 1
    ) -> list[Job]:
        with self._lock:
            claimed: list[Job] = []
            while len(claimed) < limit:
                head = self._next(pins if not claimed else [claimed[0].pin], loaded, now)
                if head is None:
                    break
                claimed.append(self._take(head, worker, lease_s, now))
            return claimed

    def _next(self, pins: Sequence[str], loaded: Sequence[str], now: float) -> Job | None:
        window = window_at(now)

        def rank(job: Job) -> tuple[bool, float, str, int, str]:
            pin, usage = self._pins[job.pin], self._usage[job.user]
            overdue = max(pin.served_at, job.created_at) <= now - PREFER_LOADED_FOR_S
            spent = usage.audio_s if usage.window == window else 0.0
            return (job.pin not in loaded and not overdue, spent, job.user, -job.priority, job.id)

        heads: dict[tuple[str, str], Job] = {}
        for job in self._jobs.values():
            if job.status is not Status.QUEUED or job.pin not in pins or job.pin not in self._pins:
                continue
            if job.expires_at <= now:
                continue
            head = heads.get((job.user, job.pin))
            if head is None or (-job.priority, job.id) < (-head.priority, head.id):
                heads[job.user, job.pin] = job
        return min(heads.values(), key=rank, default=None)

    def _take(self, job: Job, worker: str, lease_s: float, now: float) -> Job:
        self._charge(job.user, job.estimated_s, now)
        self._pins[job.pin].served_at = now
        taken = job.evolve(
            status=Status.STARTING,
            attempt=job.attempt + 1,
            worker=worker,
            lease_until=now + lease_s,
            started_at=now,
            progress=None,
        )
        self._jobs[job.id] = taken
        return taken

    def _charge(self, user: str, audio_s: float, now: float) -> None:
        usage = self._usage[user]
        if usage.window != window_at(now):
            usage.window, usage.audio_s = window_at(now), 0.0
        usage.audio_s = max(0.0, usage.audio_s + audio_s)

    def _held(self, job_id: str, attempt: int) -> Job | None:
        job = self._jobs.get(job_id)
        return job if job is not None and job.status in HELD and job.attempt == attempt else None

    def beat(
        self, job_id: str, attempt: int, lease_s: float, now: float, progress: tuple[int, int] | None = None
    ) -> Standing:
        with self._lock:
            job = self._held(job_id, attempt)
            if job is None:
                return Standing.LOST
            self._jobs[job_id] = job.evolve(lease_until=now + lease_s, progress=progress or job.progress)
            return Standing.CANCELED if job.cancel_requested else Standing.HELD

    def begin(self, job_id: str, attempt: int, now: float) -> bool:
        return self._write(job_id, attempt, lambda job: job.evolve(status=Status.PROCESSING))

    def _write(self, job_id: str, attempt: int, change: Callable[[Job], Job]) -> bool:
        with self._lock:
            job = self._held(job_id, attempt)
            if job is None:
                return False
            self._jobs[job_id] = change(job)
            return True

    def finish(self, job_id: str, attempt: int, result: Result, now: float) -> bool:
        def change(job: Job) -> Job:
            self._charge(job.user, result.audio.duration_s - job.estimated_s, now)
            scored = job.scoring.status is FacetStatus.PENDING
            return job.evolve(
                status=Status.SUCCEEDED,
                completed_at=now,
                lease_until=None,
                audio=result.audio,
                timings=dict(result.timings),
                environment=result.environment,
                scoring=replace(job.scoring, due_at=now) if scored else job.scoring,
                tracking=job.tracking if scored else replace(job.tracking, due_at=now),
            )

        return self._write(job_id, attempt, change)

    def fail(self, job_id: str, attempt: int, error: JobError, now: float, *, final: bool) -> bool:
        def change(job: Job) -> Job:
            self._charge(job.user, -job.estimated_s, now)
            if final or attempt - self._free_attempts.get(job_id, 0) >= MAX_ATTEMPTS:
                return ended(job, Status.FAILED, now, error)
            return job.evolve(status=Status.QUEUED, lease_until=None, worker=None)

        return self._write(job_id, attempt, change)

    def stop(self, job_id: str, attempt: int, now: float) -> bool:
        def change(job: Job) -> Job:
            self._charge(job.user, -job.estimated_s, now)
            return ended(job, Status.CANCELED, now)

        return self._write(job_id, attempt, change)

    def hand_back(self, job_id: str, attempt: int) -> bool:
        def change(job: Job) -> Job:
            self._free_attempts[job_id] = self._free_attempts.get(job_id, 0) + 1
            return job.evolve(status=Status.QUEUED, lease_until=None, worker=None)

        return self._write(job_id, attempt, change)

    def record_environment(self, environment_id: str, environment: Mapping[str, Any]) -> None:
        with self._lock:
            self._environments.setdefault(environment_id, dict(environment))

    def environment(self, environment_id: str) -> Mapping[str, Any] | None:
        return self._environments.get(environment_id)

    # -- scorer ------------------------------------------------------------------------------------------------
    def claim_facet(self, facet: FacetName, holder: str, lease_s: float, now: float, limit: int = 1) -> list[Job]:
        def due(job: Job) -> bool:
            state: Facet = getattr(job, facet.value)
            return state.status is FacetStatus.PENDING and state.due_at is not None and state.due_at <= now

        with self._lock:
            found = sorted(filter_(due, self._jobs.values()), key=lambda job: job.id)[:limit]
            for job in found:
                state: Facet = getattr(job, facet.value)
                self._jobs[job.id] = with_facet(
                    job, facet, status=FacetStatus.RUNNING, attempt=state.attempt + 1, lease_until=now + lease_s
                )
            return [self._jobs[job.id] for job in found]

    def _write_facet(self, facet: FacetName, job_id: str, attempt: int, change: Callable[[Job], Job]) -> bool:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return False
            state: Facet = getattr(job, facet.value)
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
            return with_facet(done, FacetName.TRACKING, due_at=0.0)

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

    # -- sweeper -----------------------------------------------------------------------------------------------
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


filter_ = filter  # `filter` is also the contract's word for a selection of jobs
