"""Looking at jobs: one at a time as requests see it, many at a time as the store is asked.

Owns whose job may be seen, and how long a request waits for one. Knows no HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from services.gateway.lanes import Lane
from services.gateway.places import Places
from services.gateway.schemas import JOB_ID
from services.gateway.waiting import Waiters, pause
from shared.errors import RefusalCode, Refused
from shared.jobs import Job, Status
from shared.ports import JobFilter, JobStore


class Look(NamedTuple):
    """A job at one moment; ``position`` is its place in the queue while it is queued."""

    job: Job
    position: int | None


class Looker:
    """Reads jobs for the users whom they belong to."""

    def __init__(self, store: JobStore, waiters: Waiters) -> None:
        self._store = store
        self._waiters = waiters
        self._places, self._places_of_pages = Places(store.positions), Places(store.positions)
        self._lane: Lane[str, Look | None] = Lane("looks", self._read)
        self._pages: Lane[JobFilter, list[Look]] = Lane("pages", self._find)

    async def look(self, job_id: str, user: str) -> Look:
        """The job now. Another user's job is ``job_not_found``: that it exists is not theirs to know."""
        look = await self._lane.ask(job_id) if JOB_ID.fullmatch(job_id) else None
        if look is None or look.job.user != user:
            raise Refused(RefusalCode.JOB_NOT_FOUND, f"there is no job {job_id[:40]}")
        return look

    async def wait(self, job_id: str, user: str, seconds: float, gone: Callable[[], Awaitable[bool]]) -> Look:
        """The job once it is finished, or after ``seconds``, whichever is first. ``gone``: nobody waits any more."""
        until = time.monotonic() + seconds
        with self._waiters.watch(job_id) as changed:
            while True:
                look = await self.look(job_id, user)
                left_s = until - time.monotonic()
                if look.job.finished or left_s <= 0 or self._waiters.closing or await gone():
                    return look
                await pause(changed, left_s)

    async def find(self, wanted: JobFilter) -> list[Look]:
        """Jobs by what they are, newest first."""
        return await self._pages.ask(wanted)

    def close(self) -> None:
        self._lane.close()
        self._pages.close()

    def _read(self, ids: Sequence[str]) -> Sequence[Look | None]:
        jobs = self._store.get(set(ids))
        places = self._places.of([job.id for job in jobs.values() if job.status is Status.QUEUED])
        return [Look(jobs[job_id], places.get(job_id)) if job_id in jobs else None for job_id in ids]

    def _find(self, wanted: Sequence[JobFilter]) -> Sequence[list[Look]]:
        return [self._placed(self._store.find(one)) for one in wanted]

    def _placed(self, jobs: Sequence[Job]) -> list[Look]:
        places = self._places_of_pages.of([job.id for job in jobs if job.status is Status.QUEUED])
        return [Look(job, places.get(job.id)) for job in jobs]
