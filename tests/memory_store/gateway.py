"""The in-memory store as the gateway uses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from shared.jobs import FacetStatus, Job, JobState, Status
from shared.ports import FacetName, JobFilter, Page, Remembered, Submission
from tests.memory_store.rows import MemoryRows, Usage, ended, with_facet


class MemoryGatewaySide(MemoryRows):
    """Add, read and cancel jobs."""

    def add(self, submissions: Sequence[Submission]) -> list[bool]:
        with self._lock:
            return [self._add_one(submission) for submission in submissions]

    def _add_one(self, submission: Submission) -> bool:
        asked = submission.idempotency
        if asked is not None:
            if asked.scope in self._remembered:
                return False
            first = submission.jobs[0].id if submission.jobs else None
            self._remembered[asked.scope] = Remembered(asked.fingerprint, first, asked.status, asked.body)
            self._remembered_at[asked.scope] = asked.created_at
        if submission.study is not None:
            self.studies.add(submission.study)
        for new in submission.jobs:
            self._jobs[new.id] = Job.accepted(new)
            self._usage.setdefault(new.user, Usage(0, 0.0))
        return True

    def get(self, ids: Iterable[str]) -> dict[str, Job]:
        with self._lock:
            return {id_: self._jobs[id_] for id_ in ids if id_ in self._jobs}

    def states(self, ids: Iterable[str]) -> dict[str, JobState]:
        return {id_: JobState(job.user, job.finished) for id_, job in self.get(ids).items()}

    def queued_by_user(self) -> dict[str, int]:
        with self._lock:
            return dict(Counter(job.user for job in self._jobs.values() if job.status is Status.QUEUED))

    def find(self, wanted: JobFilter) -> Page:
        def fits(job: Job) -> bool:
            return (
                job.user == wanted.user
                and (wanted.status is None or job.status == wanted.status)
                and (wanted.pin is None or job.pin == wanted.pin)
                and (wanted.scoring is None or job.scoring.status == wanted.scoring)
                and (wanted.tracking is None or job.tracking.status == wanted.tracking)
                and (wanted.created_after is None or job.created_at > wanted.created_after)
                and (wanted.created_before is None or job.created_at < wanted.created_before)
                and (wanted.before is None or self._is_older(job, wanted.before))
                and all(job.metadata.get(key) == value for key, value in wanted.metadata.items())
            )

        with self._lock:
            found = sorted(filter(fits, self._jobs.values()), key=_age, reverse=True)
            return Page(found[: wanted.limit])

    def _is_older(self, job: Job, than: str) -> bool:
        last = self._jobs.get(than)
        return job.id < than if last is None else _age(job) < _age(last)

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

    def retry_tracking(self, job_id: str, now: float) -> bool:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.tracking.status is not FacetStatus.FAILED:
                return False
            self._tracked_since.pop(job_id, None)
            self._jobs[job_id] = with_facet(job, FacetName.TRACKING, status=FacetStatus.PENDING, due_at=now)
            return True


def _age(job: Job) -> tuple[float, str]:
    return job.created_at, job.id
