"""Which of the jobs that were claimed together are spoken in one call, and what is tried when that fails.

Owns the order of tries. A batch that fails is tried again in smaller ones, because only a job spoken alone shows
whether it is to blame. A single job that runs out of memory is tried once more with no other pin in memory. Knows no
engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.worker.texts.pieces import split
from shared.errors import FailureCode, JobFailure
from shared.jobs import Job, SpeechInput

NO_MEMORY = frozenset({FailureCode.OUT_OF_MEMORY, FailureCode.GPU_OUT_OF_MEMORY})


@dataclass(frozen=True, slots=True)
class JobBatch:
    """Several jobs for one call of the engine, or one job with as many calls as its text has pieces."""

    jobs: tuple[Job, ...]
    texts: tuple[str, ...]
    """The pieces of one job, or one text for each of several jobs."""
    alone: bool = False
    """With no other pin in memory."""

    @property
    def chars(self) -> int:
        """Characters spoken at once, which the expected memory depends on. In a batch every text counts as the
        longest."""
        longest = max(map(len, self.texts))
        return longest if len(self.jobs) == 1 else longest * len(self.jobs)

    @property
    def job_ids(self) -> tuple[str, ...]:
        """The ids recorded with each clip of a batch. Empty for a single job."""
        return tuple(job.id for job in self.jobs) if len(self.jobs) > 1 else ()


def gathered(jobs: Sequence[Job], max_batch: int, max_piece_chars: int) -> list[JobBatch]:
    """Return ``jobs`` of one pin in batches of at most ``max_batch``. Jobs of one piece go together, in the order they
    were claimed, if they ask for the same in everything but text and seed."""
    batches: list[JobBatch] = []
    for job in jobs:
        texts = tuple(split(job.input.text, job.input.language, max_piece_chars))
        place = next((at for at, batch in enumerate(batches) if _may_join(job, texts, batch, max_batch)), None)
        if place is None:
            batches.append(JobBatch((job,), texts))
        else:
            batches[place] = JobBatch((*batches[place].jobs, job), (*batches[place].texts, *texts))
    return batches


def smaller(batch: JobBatch, failure: JobFailure) -> list[JobBatch]:
    """Return the batches to try after ``batch`` has failed. Empty if the failure is final. After running out of memory
    these are the two halves, or a single job once more with ``alone``; after any other failure of several jobs, each
    job by itself."""
    if len(batch.jobs) > 1:
        size = len(batch.jobs) // 2 if failure.code in NO_MEMORY else 1
        starts = range(0, len(batch.jobs), size)
        return [JobBatch(batch.jobs[at : at + size], batch.texts[at : at + size]) for at in starts]
    if failure.code in NO_MEMORY and not batch.alone:
        return [replace(batch, alone=True)]
    return []


def without(batch: JobBatch, ended: Sequence[Job]) -> JobBatch | None:
    """Return ``batch`` without the jobs in ``ended``, or `None` if none are left."""
    if not ended:
        return batch
    if len(batch.jobs) == 1:
        return None
    gone = {job.id for job in ended}
    left = [(job, text) for job, text in zip(batch.jobs, batch.texts, strict=True) if job.id not in gone]
    return JobBatch(tuple(job for job, _ in left), tuple(text for _, text in left), batch.alone) if left else None


def _may_join(job: Job, texts: tuple[str, ...], batch: JobBatch, max_batch: int) -> bool:
    if len(texts) > 1 or len(batch.texts) != len(batch.jobs) or len(batch.jobs) >= max_batch:
        return False
    first = batch.jobs[0]
    same = _but_text_and_seed(job.input) == _but_text_and_seed(first.input)
    return same and job.lock_sha256 == first.lock_sha256


def _but_text_and_seed(asked: SpeechInput) -> SpeechInput:
    return replace(asked, text="", seed=0, score=True)
