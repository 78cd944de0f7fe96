"""The in-memory store as the gateway uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.jobs import FacetStatus, Job, Status
from shared.ports import FacetName, JobFilter, Remembered, Submission
from shared.store.memory.rows import Rows, Usage, ended, with_facet


class GatewaySide(Rows):
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

    def find(self, wanted: JobFilter) -> list[Job]:
        def fits(job: Job) -> bool:
            return (
                job.user == wanted.user
                and (wanted.status is None or job.status == wanted.status)
                and (wanted.pin is None or job.pin == wanted.pin)
                and (wanted.scoring is None or job.scoring.status == wanted.scoring)
                and (wanted.tracking is None or job.tracking.status == wanted.tracking)
                and (wanted.created_after is None or job.created_at > wanted.created_after)
                and (wanted.created_before is None or job.created_at < wanted.created_before)
                and (wanted.before is None or job.id < wanted.before)
                and all(job.metadata.get(key) == value for key, value in wanted.metadata.items())
            )

        with self._lock:
            return sorted(filter(fits, self._jobs.values()), key=lambda job: job.id, reverse=True)[: wanted.limit]

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
