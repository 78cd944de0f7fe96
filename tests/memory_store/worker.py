"""The in-memory store as workers use it: fair choice, leases, results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.catalog import Manifest, PinState
from shared.jobs import HELD, FacetStatus, Job, JobError, Status
from shared.ports import LIVE_S, ONE_EACH, LeaseState, Result
from shared.scheduling.fairness import PASSED_ON_S, PREFER_LOADED_FOR_S, process_of, window_at
from tests.memory_store.rows import MemoryRows, PublishedRow, ended, queued_again


class MemoryWorkerSide(MemoryRows):
    """Claim and finish jobs."""

    def publish(self, worker: str, manifests: Sequence[Manifest], now: float) -> None:
        with self._lock:
            for manifest in manifests:
                if manifest.state is PinState.REFUSED:
                    self._refuse(worker, manifest, now)
                else:
                    self._served_by[worker, manifest.pin] = now
                    self._tell(manifest)

    def _tell(self, manifest: Manifest) -> None:
        known = self._pins.get(manifest.pin)
        self._pins[manifest.pin] = PublishedRow(manifest, known.served_at if known else 0.0)

    def _refuse(self, worker: str, manifest: Manifest, now: float) -> None:
        self._served_by.pop((worker, manifest.pin), None)
        if not any(pin == manifest.pin and at > now - LIVE_S for (_, pin), at in self._served_by.items()):
            known = self._pins.get(manifest.pin)
            self._tell(manifest.refusal_of(known.manifest if known else None))

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
        self,
        worker: str,
        pins: Sequence[str],
        loaded: Sequence[str],
        lease_s: float,
        now: float,
        at_most: Mapping[str, int] = ONE_EACH,
    ) -> list[Job]:
        with self._lock:
            claimed: list[Job] = []
            while not claimed or len(claimed) < at_most.get(claimed[0].pin, 1):
                head = self._next(worker, pins if not claimed else [claimed[0].pin], loaded, now)
                if head is None:
                    break
                claimed.append(self._take(head, worker, lease_s, now))
            return claimed

    def _next(self, worker: str, pins: Sequence[str], loaded: Sequence[str], now: float) -> Job | None:
        window = window_at(now)

        def rank(job: Job) -> tuple[bool, float, str, int, str]:
            pin, usage = self._pins[job.pin], self._usage[job.user]
            overdue = max(pin.served_at, job.created_at) <= now - PREFER_LOADED_FOR_S
            spent = usage.audio_s if usage.window == window else 0.0
            return (job.pin not in loaded and not overdue, spent, job.user, -job.priority, job.id)

        heads: dict[tuple[str, str], Job] = {}
        for job in self._jobs.values():
            if job.status is not Status.QUEUED or job.pin not in pins or job.expires_at <= now:
                continue
            if job.id in self._failed_on and self._left_to_others(job, process_of(worker), now):
                continue
            if job.pin not in self._pins or self._pins[job.pin].manifest.engine != job.engine:
                continue
            head = heads.get((job.user, job.pin))
            if head is None or (-job.priority, job.id) < (-head.priority, head.id):
                heads[job.user, job.pin] = job
        return min(heads.values(), key=rank, default=None)

    def _left_to_others(self, job: Job, worker: str, now: float) -> bool:
        failed_on, passed_on_at = self._failed_on[job.id]
        return worker in failed_on and passed_on_at > now - PASSED_ON_S

    def _take(self, job: Job, worker: str, lease_s: float, now: float) -> Job:
        self._charge(job, now)
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

    def _held(self, job_id: str, attempt: int) -> Job | None:
        job = self._jobs.get(job_id)
        return job if job is not None and job.status in HELD and job.attempt == attempt else None

    def beat(
        self, job_id: str, attempt: int, lease_s: float, now: float, progress: tuple[int, int] | None = None
    ) -> LeaseState:
        with self._lock:
            job = self._held(job_id, attempt)
            if job is None:
                return LeaseState.LOST
            self._jobs[job_id] = job.evolve(lease_until=now + lease_s, progress=progress or job.progress)
            return LeaseState.CANCELED if job.cancel_requested else LeaseState.HELD

    def _write(self, job_id: str, attempt: int, change: Callable[[Job], Job]) -> bool:
        with self._lock:
            job = self._held(job_id, attempt)
            if job is None:
                return False
            self._jobs[job_id] = change(job)
            return True

    def begin(self, job_id: str, attempt: int) -> bool:
        return self._write(job_id, attempt, lambda job: job.evolve(status=Status.PROCESSING))

    def finish(self, job_id: str, attempt: int, result: Result, now: float) -> bool:
        with self._lock:
            job = self._held(job_id, attempt)
            if job is None or job.status is not Status.PROCESSING:
                return False
            self._settle(job, result.audio.duration_s)
            scored = job.scoring.status is FacetStatus.PENDING
            self._jobs[job_id] = job.evolve(
                status=Status.SUCCEEDED,
                completed_at=now,
                lease_until=None,
                audio=result.audio,
                timings=dict(result.timings),
                environment=result.environment,
                scoring=replace(job.scoring, due_at=now) if scored else job.scoring,
                tracking=job.tracking if scored else replace(job.tracking, due_at=now),
            )
            return True

    def fail(self, job_id: str, attempt: int, error: JobError, now: float, *, final: bool) -> bool:
        def change(job: Job) -> Job:
            self._settle(job, 0.0)
            if job.cancel_requested and not final:
                return ended(job, Status.CANCELED, now)
            if final or self._attempts_spent(job):
                return ended(job, Status.FAILED, now, error)
            return queued_again(job)

        return self._write(job_id, attempt, change)

    def pass_on(self, job_id: str, attempt: int, worker: str, now: float) -> bool:
        with self._lock:
            job = self._held(job_id, attempt)
            if job is None or job.cancel_requested or self._attempts_spent(job):
                return False
            failed_on = self._failed_on.get(job_id, (frozenset(), 0.0))[0] | {worker}
            live = {name for (name, pin), at in self._served_by.items() if pin == job.pin and at > now - LIVE_S}
            if live <= failed_on:
                return False
            self._failed_on[job_id] = failed_on, now
            self._settle(job, 0.0)
            self._jobs[job_id] = queued_again(job)
            return True

    def stop(self, job_id: str, attempt: int, now: float) -> bool:
        def change(job: Job) -> Job:
            self._settle(job, 0.0)
            return ended(job, Status.CANCELED, now)

        return self._write(job_id, attempt, change)

    def hand_back(self, job_id: str, attempt: int) -> bool:
        def change(job: Job) -> Job:
            if job.cancel_requested:  # nobody is to speak it again: the sweeper finds its lease run out
                return job.evolve(lease_until=0.0)
            self._settle(job, 0.0)
            self._free_attempts[job_id] = self._free_attempts.get(job_id, 0) + 1
            return queued_again(job)

        return self._write(job_id, attempt, change)

    def record_environment(self, environment_id: str, environment: Mapping[str, Any]) -> None:
        with self._lock:
            self._environments.setdefault(environment_id, dict(environment))

    def environment(self, environment_id: str) -> Mapping[str, Any] | None:
        with self._lock:
            return self._environments.get(environment_id)
