"""Which of the jobs that were claimed together are spoken in one go, and what is tried where that fails.

Owns the ladder: a batch that fails is tried again in smaller ones, since only alone a job shows whether it is to blame;
a job that alone finds too little memory is tried once more with nothing beside it. Knows no engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.worker.pieces import split
from shared.errors import FailureCode, JobFailure
from shared.jobs import Job, SpeechInput

NO_MEMORY = frozenset({FailureCode.OUT_OF_MEMORY, FailureCode.GPU_OUT_OF_MEMORY})


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs for one call of the engine; or one job, in as many calls as its text has pieces."""

    jobs: tuple[Job, ...]
    texts: tuple[str, ...]
    """Of one job: its pieces; of several: one text each."""
    alone: bool = False
    """With no other pin in memory."""

    @property
    def chars(self) -> int:
        """Characters at once: what the memory that it takes goes by. In a batch all count as much as the longest."""
        longest = max(map(len, self.texts))
        return longest if len(self.jobs) == 1 else longest * len(self.jobs)

    @property
    def job_ids(self) -> tuple[str, ...]:
        """As they are recorded with each clip; none for a job by itself."""
        return tuple(job.id for job in self.jobs) if len(self.jobs) > 1 else ()


def gathered(jobs: Sequence[Job], max_batch: int, max_piece_chars: int) -> list[Batch]:
    """``jobs`` of one pin in batches of at most ``max_batch``: those of one piece that ask for the same in everything
    but text and seed go together, in the order they were claimed."""
    batches: list[Batch] = []
    for job in jobs:
        texts = tuple(split(job.input.text, job.input.language, max_piece_chars))
        place = next((at for at, batch in enumerate(batches) if _may_join(job, texts, batch, max_batch)), None)
        if place is None:
            batches.append(Batch((job,), texts))
        else:
            batches[place] = Batch((*batches[place].jobs, job), (*batches[place].texts, *texts))
    return batches


def smaller(batch: Batch, failure: JobFailure) -> list[Batch]:
    """What to try after ``batch`` has failed; nothing where the failure stands. Out of memory: halves, and a job by
    itself once more alone; any other failure of several: each by itself."""
    if len(batch.jobs) > 1:
        size = len(batch.jobs) // 2 if failure.code in NO_MEMORY else 1
        starts = range(0, len(batch.jobs), size)
        return [Batch(batch.jobs[at : at + size], batch.texts[at : at + size]) for at in starts]
    if failure.code in NO_MEMORY and not batch.alone:
        return [replace(batch, alone=True)]
    return []


def without(batch: Batch, ended: Sequence[Job]) -> Batch | None:
    """``batch`` without the jobs that nobody wants any more; `None` where that leaves none."""
    if not ended:
        return batch
    if len(batch.jobs) == 1:
        return None
    gone = {job.id for job in ended}
    left = [(job, text) for job, text in zip(batch.jobs, batch.texts, strict=True) if job.id not in gone]
    return Batch(tuple(job for job, _ in left), tuple(text for _, text in left), batch.alone) if left else None


def _may_join(job: Job, texts: tuple[str, ...], batch: Batch, max_batch: int) -> bool:
    if len(texts) > 1 or len(batch.texts) != len(batch.jobs) or len(batch.jobs) >= max_batch:
        return False
    first = batch.jobs[0]
    same = _but_text_and_seed(job.input) == _but_text_and_seed(first.input)
    return same and job.lock_sha256 == first.lock_sha256


def _but_text_and_seed(asked: SpeechInput) -> SpeechInput:
    return replace(asked, text="", seed=0, score=True)
