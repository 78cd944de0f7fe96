"""The dictionaries that the in-memory store is made of, and the changes that several of its sides make."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.catalog import Manifest
from shared.jobs import MAX_ATTEMPTS, Facet, FacetStatus, Job, JobError, Status
from shared.ports import FacetName, Remembered
from shared.scheduling.fairness import window_at
from shared.scheduling.lapsing import LONGEST_LEASE_S
from tests.memory_store.study_rows import StudyRows
from tests.memory_store.turns import MemoryTurns


@dataclass
class Usage:
    window: int
    audio_s: float


@dataclass
class PublishedRow:
    manifest: Manifest
    served_at: float = 0.0


def facet_of(job: Job, facet: FacetName) -> Facet:
    """One facet of ``job``."""
    return job.scoring if facet is FacetName.SCORING else job.tracking


def with_facet(job: Job, facet: FacetName, **changes: Any) -> Job:
    """``job`` with members of one facet changed."""
    return job.evolve(**{facet.value: replace(facet_of(job, facet), **changes)})


def due(state: Facet, now: float) -> bool:
    """Whether a scorer may claim it."""
    return state.status is FacetStatus.PENDING and state.due_at is not None and state.due_at <= now


def run_out(until: float | None, now: float) -> bool:
    """A lease is over, or was given by a clock that was set back since."""
    return until is not None and not now < until <= now + LONGEST_LEASE_S


def ended(job: Job, status: Status, now: float, error: JobError | None = None) -> Job:
    """``job`` finished without audio: nothing to score, and to be tracked only if it was ever started."""
    started = job.started_at is not None
    return job.evolve(
        status=status,
        completed_at=now,
        error=error,
        lease_until=None,
        scoring=Facet(FacetStatus.SKIPPED),
        tracking=Facet(FacetStatus.PENDING, due_at=now) if started else Facet(FacetStatus.SKIPPED),
    )


def queued_again(job: Job) -> Job:
    """``job`` back in the queue."""
    return job.evolve(status=Status.QUEUED, lease_until=None, worker=None)


class MemoryRows:
    """State of one store. One lock makes every method of its sides a transaction."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._free_attempts: dict[str, int] = {}
        self._lapses: Counter[str] = Counter()
        self._failed_on: dict[str, tuple[frozenset[str], float]] = {}
        """Job -> the workers that failed it and passed it on, and when the last one did."""
        self._remembered: dict[str, Remembered] = {}
        self._remembered_at: dict[str, float] = {}
        self._usage: dict[str, Usage] = {}
        self._pins: dict[str, PublishedRow] = {}
        self._served_by: dict[tuple[str, str], float] = {}
        self._environments: dict[str, Mapping[str, Any]] = {}
        self._holds: dict[str, tuple[str, float]] = {}
        self._tracked_since: dict[str, float] = {}
        self.turns = MemoryTurns()
        self.studies = StudyRows(self._lock)
        """What a `MemoryStudyStore` over this store reads and writes."""

    def _charge(self, job: Job, now: float) -> None:
        """Count what ``job`` is expected to give its user."""
        usage = self._usage[job.user]
        if usage.window != window_at(now):
            usage.window, usage.audio_s = window_at(now), 0.0
        usage.audio_s += job.estimated_s

    def _settle(self, job: Job, given_s: float) -> None:
        """Replace the estimate by what ``job`` gave; what was charged in a window that is over needs no correction."""
        usage = self._usage[job.user]
        if job.started_at is not None and usage.window == window_at(job.started_at):
            usage.audio_s = max(0.0, usage.audio_s + given_s - job.estimated_s)

    def _attempts_spent(self, job: Job) -> bool:
        return job.attempt - self._free_attempts.get(job.id, 0) >= MAX_ATTEMPTS
