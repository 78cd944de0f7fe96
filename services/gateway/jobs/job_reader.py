"""Reading of jobs: each request asks for one job, and the store is asked for many at a time.

Owns which jobs a user may see. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from services.gateway.http.json_bytes import as_part
from services.gateway.jobs.listing import Part, listed
from services.gateway.jobs.places import Places
from services.gateway.requests.job_schemas import JOB_ID
from services.gateway.sharing.fair_threads import FairThreads
from services.gateway.sharing.group_commit import GroupCommit
from services.gateway.sharing.waiting import Waiters
from shared.errors import RefusalCode, Refused
from shared.jobs import Job, Status
from shared.ports import JobFilter, JobStore


class JobView(NamedTuple):
    """A job at one moment. ``position``: its place in the queue while it is queued."""

    job: Job
    position: int | None


class Listing(NamedTuple):
    """The jobs of one page of a list. ``searched_to``: as in ``shared.ports.Page``."""

    parts: list[Part]
    searched_to: str | None


Document = Mapping[str, Any]


class JobReader:
    """Reads jobs for the users who own them. ``lists``: the store that answers list queries."""

    def __init__(self, store: JobStore, lists: JobStore, waiters: Waiters, listing: FairThreads) -> None:
        self._store, self._lists = store, lists
        self._waiters = waiters
        self._listing = listing
        self._places, self._places_of_pages = Places(store.positions), Places(lists.positions)
        self._lane: GroupCommit[str, JobView | None] = GroupCommit("looks", self._read)

    async def look(self, job_id: str, user: str) -> JobView:
        """Return the job as it is now.

        Raises `Refused` (`job_not_found`) also for another user's job: a user must not learn that it exists."""
        look = await self._lane.ask(job_id) if JOB_ID.fullmatch(job_id) else None
        if look is None or look.job.user != user:
            raise Refused(RefusalCode.JOB_NOT_FOUND, f"there is no job {job_id[:40]}")
        return look

    async def wait(self, job_id: str, user: str, seconds: float, gone: Callable[[], Awaitable[bool]]) -> JobView:
        """Wait, then return the job: once it is finished or after ``seconds``, whichever comes first.

        ``gone``: tells whether the client has left. Raises `Refused` as `look` does, and if too many requests wait."""
        if JOB_ID.fullmatch(job_id):
            await self._waiters.until_over(user, job_id, seconds, gone)
        return await self.look(job_id, user)

    async def find(self, wanted: JobFilter, describe: Callable[[JobView], Document]) -> Listing:
        """Return the jobs that match, newest first, each as ``describe`` makes it. ``describe`` is called in a
        thread."""
        return await listed(self._listing, wanted.user, lambda: self._find(wanted, describe))

    def close(self) -> None:
        self._lane.close()

    def _read(self, ids: Sequence[str]) -> Sequence[JobView | None]:
        jobs = self._store.get(set(ids))
        places = self._places.of([job.id for job in jobs.values() if job.status is Status.QUEUED])
        return [JobView(jobs[job_id], places.get(job_id)) if job_id in jobs else None for job_id in ids]

    def _find(self, wanted: JobFilter, describe: Callable[[JobView], Document]) -> Listing:
        page = self._lists.find(wanted)
        places = self._places_of_pages.of([job.id for job in page.jobs if job.status is Status.QUEUED])
        parts = [Part(job.id, as_part(describe(JobView(job, places.get(job.id))))) for job in page.jobs]
        return Listing(parts, page.searched_to)
