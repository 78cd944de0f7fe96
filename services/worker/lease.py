"""A worker's hold on its jobs while they are spoken: renewed often, and the way it learns that it must stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from shared.errors import RingtrueError, StoreUnavailable
from shared.jobs import Job
from shared.ports import JobStore, Standing

BEAT_S = 0.5
"""The row is read this often while a job is spoken: so long may a cancel take to be noticed."""

log = logging.getLogger(__name__)


class JobLost(RingtrueError):
    """The lease ran out and the job is somebody else's: nothing may be written."""


class JobCanceled(RingtrueError):
    """Its user wants the job stopped."""


class HandBack(RingtrueError):
    """The worker is shutting down and cannot wait for this job."""


class Holder(Protocol):
    """What a lease needs of the bench."""

    @property
    def store(self) -> JobStore: ...
    @property
    def lease_s(self) -> float: ...
    @property
    def clock(self) -> Callable[[], float]: ...
    @property
    def overdue(self) -> bool: ...


class Lease:
    """The hold on one attempt of one job."""

    def __init__(self, holder: Holder, job: Job) -> None:
        self._holder = holder
        self._job = job
        self._beaten_at = time.monotonic()
        self._progress: tuple[int, int] | None = None

    def progress(self, done: int, pieces: int) -> None:
        """So many pieces are spoken; written with the next beat, or now where there is something to see."""
        self._progress = (done, pieces)
        if pieces > 1:
            self._beat()

    def tick(self) -> None:
        """Called often while something is waited for. Raises `JobLost`, `JobCanceled` or `HandBack`."""
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
            log.warning("lease of %s not renewed: %s", self._job.id, error)
            return
        if standing is Standing.LOST:
            raise JobLost
        if standing is Standing.CANCELED:
            raise JobCanceled


class Leases:
    """The holds on jobs that were claimed together: renewed together, and one that ends takes no other along."""

    def __init__(self, holder: Holder, jobs: Sequence[Job]) -> None:
        self._leases = {job.id: Lease(holder, job) for job in jobs}
        self._over: dict[str, JobLost | JobCanceled] = {}

    def over(self, job: Job) -> JobLost | JobCanceled | None:
        """Why ``job`` is not to be spoken any more."""
        return self._over.get(job.id)

    def open(self, jobs: Sequence[Job]) -> list[Job]:
        """Those of ``jobs`` that nothing final was said of yet."""
        return [job for job in jobs if job.id in self._leases]

    def settle(self, job: Job) -> None:
        """``job`` has ended: nothing is to be renewed."""
        self._leases.pop(job.id, None)

    def lose(self, job: Job) -> None:
        """``job`` turned out to be somebody else's."""
        self._over[job.id] = JobLost()

    def progress(self, job: Job, done: int, pieces: int) -> None:
        """So many pieces of ``job`` are spoken."""
        self._guarded(job.id, lambda lease: lease.progress(done, pieces))
        self.require([job])

    def tick(self, spoken: Sequence[Job]) -> None:
        """Called often while ``spoken`` are waited for. Raises `HandBack`, and what `require` raises."""
        for job_id in self._leases:
            self._guarded(job_id, lambda lease: lease.tick())
        self.require(spoken)

    def require(self, spoken: Sequence[Job]) -> None:
        """Raises `JobLost` or `JobCanceled` once nobody wants any of ``spoken``."""
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
