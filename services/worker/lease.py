"""A worker's leases on its jobs while they are spoken. Renewing them also tells the worker when it must stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from shared.errors import RingtrueError, StoreUnavailable
from shared.jobs import Job
from shared.ports import JobStore, LeaseState

BEAT_S = 0.5
"""Seconds between two renewals while a job is spoken. A cancel may go unnoticed for this long."""

log = logging.getLogger(__name__)


class JobLost(RingtrueError):
    """The lease ran out and another worker may hold the job: nothing may be written."""


class JobCanceled(RingtrueError):
    """The user canceled the job."""


class HandBack(RingtrueError):
    """The worker is shutting down and cannot wait for this job."""


class Holder(Protocol):
    """What a lease needs of the worker."""

    @property
    def store(self) -> JobStore: ...
    @property
    def lease_s(self) -> float: ...
    @property
    def clock(self) -> Callable[[], float]: ...
    @property
    def overdue(self) -> bool: ...


class Lease:
    """The lease on one attempt of one job."""

    def __init__(self, holder: Holder, job: Job) -> None:
        self._holder = holder
        self._job = job
        self._beaten_at = time.monotonic()
        self._progress: tuple[int, int] | None = None

    def progress(self, done: int, pieces: int) -> None:
        """Note that ``done`` of ``pieces`` are spoken. It is written with the next renewal, or at once if there are
        several pieces."""
        self._progress = (done, pieces)
        if pieces > 1:
            self._beat()

    def tick(self) -> None:
        """Renew the lease when due. Call it often while waiting. Raises `JobLost`, `JobCanceled` or `HandBack`."""
        if self._holder.overdue:
            raise HandBack
        if time.monotonic() - self._beaten_at >= BEAT_S:
            self._beat()

    def _beat(self) -> None:
        self._beaten_at = time.monotonic()
        now = self._holder.clock()
        try:
            standing = self._holder.store.beat(
                self._job.id, self._job.attempt, self._holder.lease_s, now, self._progress
            )
        except StoreUnavailable as error:
            # A failed renewal ends nothing: the lease runs on, and if it was lost, the next renewal says so.
            log.warning("lease of %s not renewed: %s", self._job.id, error)
            return
        if standing is LeaseState.LOST:
            raise JobLost
        if standing is LeaseState.CANCELED:
            raise JobCanceled


class Leases:
    """The leases on jobs that were claimed together. They are renewed together; one that ends does not end the
    others."""

    def __init__(self, holder: Holder, jobs: Sequence[Job]) -> None:
        self._leases = {job.id: Lease(holder, job) for job in jobs}
        self._over: dict[str, JobLost | JobCanceled] = {}

    def over(self, job: Job) -> JobLost | JobCanceled | None:
        """Return why ``job`` must not be spoken any more, or `None`."""
        return self._over.get(job.id)

    def open(self, jobs: Sequence[Job]) -> list[Job]:
        """Return those of ``jobs`` that have not ended yet."""
        return [job for job in jobs if job.id in self._leases]

    def settle(self, job: Job) -> None:
        """``job`` has ended: its lease is no longer renewed."""
        self._leases.pop(job.id, None)

    def lose(self, job: Job) -> None:
        """The lease on ``job`` was lost."""
        self._over[job.id] = JobLost()

    def progress(self, job: Job, done: int, pieces: int) -> None:
        """Note that ``done`` of ``pieces`` of ``job`` are spoken. Raises what `require` raises."""
        self._guarded(job.id, lambda lease: lease.progress(done, pieces))
        self.require([job])

    def tick(self, spoken: Sequence[Job]) -> None:
        """Renew the leases when due. Call it often while waiting for ``spoken``. Raises `HandBack`, and what `require`
        raises."""
        for job_id in self._leases:
            self._guarded(job_id, lambda lease: lease.tick())
        self.require(spoken)

    def require(self, spoken: Sequence[Job]) -> None:
        """Raise `JobLost` or `JobCanceled` once every job of ``spoken`` was lost or canceled."""
        ended = [self._over.get(job.id) for job in spoken]
        if all(ended) and (why := ended[-1]) is not None:
            raise why

    def _guarded(self, job_id: str, renew: Callable[[Lease], None]) -> None:
        if job_id in self._over:
            return
        try:
            renew(self._leases[job_id])
        except (JobLost, JobCanceled) as why:
            self._over[job_id] = why
