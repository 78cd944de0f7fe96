"""Submission: resolve the pin, add the row, commit, THEN ring, then answer.

Owns that order, and what becomes of a request that is sent twice. Knows neither HTTP nor SQL.

A request under an Idempotency-Key is recorded in the same transaction as its jobs, answer included. So there is no
moment in which a crash could leave jobs without the answer that tells of them: whoever asks again is told the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateway.admission import Provenance
from services.gateway.answers import accepted_document, as_json, as_part
from services.gateway.backlog import Backlog
from services.gateway.lanes import Lane
from services.gateway.pins import Board, PinBoard, resolve
from services.gateway.schemas import read_batch, read_job
from services.gateway.voices import Voices
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.jobs import JobIds, NewJob
from shared.ports import Bells, Idempotency, JobStore, Submission
from shared.studies import NewStudy
from shared.voices import Voice

ACCEPTED = 202
NOTHING_ACCEPTED = 200
_BATCHES_AT_ONCE = 2
"""One is looked at while another is committed; more would only take memory."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Identity of a request that may be sent twice. ``scope``: whose, and where to; ``fingerprint``: of its body."""

    scope: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a submission. ``job_id``: its job, or the first of them."""

    status: int
    body: bytes
    job_id: str | None
    replayed: bool = False


class Intake:
    """What submissions go through, shared by all of them. For use from one event loop."""

    def __init__(
        self,
        store: JobStore,
        bells: Bells,
        pins: PinBoard,
        voices: Voices,
        backlog: Backlog,
        clock: Callable[[], float],
    ) -> None:
        self.pins = pins
        self.voices = voices
        self.backlog = backlog
        self.clock = clock
        self.ids = JobIds()
        self.batches = asyncio.Semaphore(_BATCHES_AT_ONCE)
        """To be held from parsing a batch to its commit."""
        self.judging = asyncio.Lock()
        """To be held while a batch is looked at: two side by side would be done, and committed, at the same time."""
        self._store = store
        self._bells = bells
        self._writer: Lane[Submission, bool] = Lane("submissions", self._add)

    async def commit(
        self, jobs: Sequence[NewJob], answer: Accepted, key: RequestKey | None, study: NewStudy | None = None
    ) -> Accepted:
        """Add ``jobs`` and their study, and ring; or, where the key was used before, the answer of then."""
        if key is None:
            await self._writer.ask(Submission(jobs, study=study))
        else:
            now = self.clock()
            once = Idempotency(key.scope, key.fingerprint, now, answer.status, answer.body)
            if not await self._writer.ask(Submission(jobs, once, study)):
                return await self.replay(key)
        self.backlog.grew(len(jobs))
        return answer

    async def replay(self, key: RequestKey, otherwise: Refused | None = None) -> Accepted:
        """The recorded answer to the request of this key; where there is none, ``otherwise`` is raised."""
        kept = await asyncio.to_thread(self._store.recall, key.scope)
        if kept is None:
            raise otherwise or Refused(RefusalCode.IDEMPOTENCY_IN_PROGRESS, "not answered yet", retry_after_s=1)
        if kept.fingerprint != key.fingerprint:
            raise Refused(RefusalCode.IDEMPOTENCY_MISMATCH, "this Idempotency-Key was used with another body")
        return Accepted(kept.status, kept.body, kept.job_id, replayed=True)

    def close(self) -> None:
        self._writer.close()

    def _add(self, submissions: Sequence[Submission]) -> Sequence[bool]:
        """In the thread that has committed: a hop to another one takes longer than ringing."""
        added = self._store.add(submissions)
        new = [submission for submission, was_added in zip(submissions, added, strict=True) if was_added]
        for family in {job.engine for submission in new for job in submission.jobs}:
            self._bells.ring_engine(family)
        if any(submission.study for submission in new):
            # An evaluation of which everything was spoken before is due at once, and so may a comparison be.
            self._bells.ring_judge()
        return added


async def unless_replayed(intake: Intake, key: RequestKey | None, refusal: Refused) -> Accepted:
    """The answer to a request that is refused: it may have been taken before, when pin or backlog were different."""
    if key is None:
        raise refusal
    return await intake.replay(key, otherwise=refusal)


async def submit(intake: Intake, user: str, body: object, key: RequestKey | None) -> Accepted:
    """Accept one job. Returns after a commit that survives power loss."""
    try:
        request = read_job(body)
        admission = resolve(request.pin, user, await intake.pins.latest())
        voices = await intake.voices.named(user, [body])
        new = admission.admit(request, _provenance(intake, user, body, intake.clock(), voices))
        intake.backlog.check(1)
    except Refused as refusal:
        return await unless_replayed(intake, key, refusal)
    return await intake.commit([new], Accepted(ACCEPTED, as_json(accepted_document(new)), new.id), key)


Describe = Callable[[Refused], Mapping[str, Any]]
"""Makes the problem document of one refused job of a batch."""


async def submit_batch(intake: Intake, user: str, body: object, key: RequestKey | None, describe: Describe) -> Accepted:
    """Accept the good jobs of a batch, all in one transaction; the others are told apart by their place."""
    try:
        bodies = read_batch(body)
        board = await intake.pins.latest()
        voices = await intake.voices.named(user, bodies)
        async with intake.judging:
            # A thousand jobs take a while to look at: not in the way of everybody else's one.
            jobs, answer = await asyncio.to_thread(_judge, intake, user, bodies, board, voices, describe)
        intake.backlog.check(len(jobs))
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
            results.append({"index": index, "problem": describe(_within(refusal, f"/jobs/{index}"))})
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
    """The same refusal, its fields pointed at from the root of the batch."""
    if not isinstance(refusal, InvalidRequest):
        return refusal
    return InvalidRequest(tuple(FieldError(pointer + e.pointer, e.detail) for e in refusal.errors), refusal.code)
