"""Submission: resolve the pin, add the row, commit, THEN wake a worker, then answer.

Owns that order, and what happens to a request that is sent twice. Knows neither HTTP nor SQL.

A request with an Idempotency-Key is recorded in the same transaction as its jobs, together with its answer. So no crash
can leave jobs without the answer that names them: a client that asks again gets the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from services.gateway.http.json_bytes import as_json, as_part
from services.gateway.jobs.answers import accepted_document
from services.gateway.models.admission import Provenance
from services.gateway.models.pins import Board, PinBoard, resolve
from services.gateway.requests.job_schemas import read_batch, read_job
from services.gateway.sharing.backlog import Backlog
from services.gateway.sharing.fair_threads import FairThreads
from services.gateway.sharing.group_commit import GroupCommit, in_time
from services.gateway.voices.voices import UploadedVoices
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.jobs import JobIds, NewJob
from shared.ports import Idempotency, JobStore, Submission, WakeUps
from shared.studies import NewStudy
from shared.voices import Voice

ACCEPTED = 202
NOTHING_ACCEPTED = 200
_FAULTS_OF_EACH = 10
"""At most so many faults of one job of a batch are reported. All faults of a thousand jobs would make an answer larger
than the batch."""
_COMMIT_DEADLINE_S = 30.0
"""Seconds. A commit of a thousand long jobs takes a while. A client that is refused at the deadline may find later that
its jobs were accepted."""
FEW_JOBS = 50
"""A submission with more jobs is committed in a lane of its own, so that it does not hold up a single job."""
SMALL_BYTES = 8 << 10
"""Bytes. A body up to this size is checked on the loop: that takes less time than switching to a thread and back."""

T = TypeVar("T")


class RunInTurn(Protocol):
    """Runs a function where and when it holds up no other user."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Identity of a request that may be sent twice.

    ``scope``: hash of its user, method, path and key. ``fingerprint``: hash of its body."""

    scope: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a submission. ``job_id``: its job, or the first of its jobs."""

    status: int
    body: bytes
    job_id: str | None
    replayed: bool = False


class Intake:
    """What all submissions share. For use from one event loop."""

    def __init__(
        self,
        store: JobStore,
        wake_ups: WakeUps,
        pins: PinBoard,
        voices: UploadedVoices,
        backlog: Backlog,
        checking: FairThreads,
        clock: Callable[[], float],
    ) -> None:
        self.pins = pins
        self.voices = voices
        self.backlog = backlog
        self.clock = clock
        self.ids = JobIds(clock)
        self.checking = checking
        """Threads for large bodies. Hold a slot from parsing a batch to its commit."""
        self.judging = asyncio.Lock()
        """Hold it while a batch is checked: two batches checked side by side would be ready, and committed, at the same
        time."""
        self._store = store
        self._wake_ups = wake_ups
        self._few, self._many = (self._writer(name) for name in ("submissions", "large-submissions"))

    def run_for(self, user: str, size: int) -> RunInTurn | None:
        """Return how to run the checks of a body of ``size`` bytes; None means at once, on the loop."""
        if size <= SMALL_BYTES:
            return None

        def in_turn(work: Callable[[], T], /) -> Awaitable[T]:
            return self.checking.run(user, work)

        return in_turn

    async def commit(
        self, jobs: Sequence[NewJob], answer: Accepted, key: RequestKey | None, study: NewStudy | None = None
    ) -> Accepted:
        """Commit ``jobs`` and their study, wake workers, and return ``answer``.

        If the key was used before, nothing is added and the recorded answer is returned. Raises `Refused` if there is
        no room in the backlog, or the key was used for another request."""
        if jobs:
            try:
                await self.backlog.make_room(jobs[0].user, len(jobs))
            except Refused as refusal:
                return await unless_replayed(self, key, refusal)
        added = False
        try:
            added = await self._add_one(jobs, answer, key, study)
        finally:
            if jobs:
                self.backlog.settled(jobs[0].user, len(jobs), added=added)
        if added:
            return answer
        assert key is not None, "only a key can have been used before"
        return await self.replay(key)

    async def _add_one(
        self, jobs: Sequence[NewJob], answer: Accepted, key: RequestKey | None, study: NewStudy | None
    ) -> bool:
        once = None
        if key is not None:
            once = Idempotency(key.scope, key.fingerprint, self.clock(), answer.status, answer.body)
        lane = self._few if len(jobs) <= FEW_JOBS else self._many
        return await lane.ask(Submission(jobs, once, study))

    def _writer(self, name: str) -> GroupCommit[Submission, bool]:
        return GroupCommit(name, self._add, deadline_s=_COMMIT_DEADLINE_S, whose=lambda submission: submission.user)

    async def replay(self, key: RequestKey, otherwise: Refused | None = None) -> Accepted:
        """Return the recorded answer to the request with this key.

        If there is none, raises ``otherwise`` or `Refused` (`idempotency_in_progress`). Raises `Refused`
        (`idempotency_mismatch`) if the key was used with another body."""
        kept = await in_time(asyncio.to_thread(self._store.recall, key.scope))
        if kept is None:
            raise otherwise or Refused(
                RefusalCode.IDEMPOTENCY_IN_PROGRESS,
                "the first request with this Idempotency-Key is not finished yet",
                retry_after_s=1,
            )
        if kept.fingerprint != key.fingerprint:
            raise Refused(RefusalCode.IDEMPOTENCY_MISMATCH, "this Idempotency-Key was used with another body")
        return Accepted(kept.status, kept.body, kept.job_id, replayed=True)

    def close(self) -> None:
        self._few.close()
        self._many.close()

    def _add(self, submissions: Sequence[Submission]) -> Sequence[bool]:
        """Commit, then wake workers. Return which submissions were added.

        The wake-ups are sent from the same thread: a switch to another one takes longer than sending them."""
        added = self._store.add(submissions)
        new = [submission for submission, was_added in zip(submissions, added, strict=True) if was_added]
        # Only after the commit: a worker that was woken before would find no row.
        for family in {job.engine for submission in new for job in submission.jobs}:
            self._wake_ups.wake_engine(family)
        if any(submission.study for submission in new):
            # An evaluation whose clips were all spoken before is due at once, and so may a comparison be.
            self._wake_ups.wake_analysis()
        return added


async def unless_replayed(intake: Intake, key: RequestKey | None, refusal: Refused) -> Accepted:
    """Return the recorded answer to a request that is refused now, or raise ``refusal``.

    The request may have been accepted before, when the pin or the backlog was different."""
    if key is None:
        raise refusal
    return await intake.replay(key, otherwise=refusal)


async def submit(
    intake: Intake, user: str, body: object, key: RequestKey | None, run: RunInTurn | None = None
) -> Accepted:
    """Accept one job. Return its answer after a commit that survives power loss. Raises `Refused`.

    ``run``: how to run the checks; None for at once."""
    try:
        request = await run(lambda: read_job(body)) if run else read_job(body)
        admission = resolve(request.pin, user, await intake.pins.latest())
        voices = await intake.voices.named(user, [body])
        provenance = _provenance(intake, user, body, intake.clock(), voices)
        new = await run(lambda: admission.admit(request, provenance)) if run else admission.admit(request, provenance)
    except Refused as refusal:
        return await unless_replayed(intake, key, refusal)
    return await intake.commit([new], Accepted(ACCEPTED, as_json(accepted_document(new)), new.id), key)


Describe = Callable[[Refused], Mapping[str, Any]]
"""Makes the problem document of one refused job of a batch."""


async def submit_batch(intake: Intake, user: str, body: object, key: RequestKey | None, describe: Describe) -> Accepted:
    """Accept the valid jobs of a batch in one transaction. The answer names the refused ones by their index.

    The caller must hold a slot of ``intake.checking``. Raises `Refused` if the batch as a whole is refused."""
    try:
        bodies = await intake.checking.in_thread(lambda: read_batch(body))
        board = await intake.pins.latest()
        voices = await intake.voices.named(user, bodies)
        async with intake.judging:
            # A thousand jobs take a while to check. In a thread, they hold up no other user's single job.
            jobs, answer = await intake.checking.in_thread(
                lambda: _judge(intake, user, bodies, board, voices, describe)
            )
    except Refused as refusal:
        return await unless_replayed(intake, key, refusal)
    return await intake.commit(jobs, answer, key) if jobs else answer


def _judge(
    intake: Intake,
    user: str,
    bodies: Sequence[object],
    board: Board,
    voices: Mapping[str, Voice],
    describe: Describe,
) -> tuple[list[NewJob], Accepted]:
    jobs: list[NewJob] = []
    results: list[dict[str, Any]] = []
    now = intake.clock()
    for index, body in enumerate(bodies):
        try:
            request = read_job(body)
            new = resolve(request.pin, user, board).admit(request, _provenance(intake, user, body, now, voices))
        except Refused as refusal:
            results.append({"index": index, "problem": as_part(describe(_within(refusal, f"/jobs/{index}")))})
        else:
            jobs.append(new)
            results.append({"index": index, "job": as_part(accepted_document(new))})
    document = {"object": "batch", "accepted": len(jobs), "refused": len(bodies) - len(jobs), "data": results}
    status = ACCEPTED if jobs else NOTHING_ACCEPTED
    return jobs, Accepted(status, as_json(document), jobs[0].id if jobs else None)


def _provenance(intake: Intake, user: str, body: object, now: float, voices: Mapping[str, Voice]) -> Provenance:
    assert isinstance(body, dict), "read_job takes objects only"
    return Provenance(intake.ids.next(), user, body, now, voices)


def _within(refusal: Refused, pointer: str) -> Refused:
    """Return the same refusal with its pointers starting at the root of the batch."""
    if not isinstance(refusal, InvalidRequest):
        return refusal
    told = [FieldError(pointer + e.pointer, e.detail) for e in refusal.errors[:_FAULTS_OF_EACH]]
    if len(refusal.errors) > _FAULTS_OF_EACH:
        told.append(
            FieldError(pointer, f"and more: at most {_FAULTS_OF_EACH} errors are listed for each job of a batch")
        )
    return InvalidRequest(told, refusal.code)
