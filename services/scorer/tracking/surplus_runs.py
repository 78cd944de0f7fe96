"""Deletes surplus runs from time to time: runs left by loggers that stopped for long and then died.

Owns when they are looked for: once in `EVERY_S`, by one scorer of all. Nothing waits for it, and nothing fails because
of it. The store says which run counts; the tracker finds and deletes the others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from services.scorer.backoff import MAX_BACKOFF_S
from services.scorer.tracking.runs import TrackerUnavailable
from shared.errors import StoreUnavailable
from shared.jobs import FacetStatus
from shared.ports import JobStore
from shared.studies import StudyStore

EVERY_S = 3600.0
LOOKED_BACK_S = 48 * 3600.0
"""Seconds. A run starts when its job did, and logging is tried for a day."""
_HOLD = "surplus-runs"

log = logging.getLogger(__name__)


class Reconciles(Protocol):
    """Deletes surplus runs."""

    def reconcile(self, since: float, recorded: Callable[[Collection[str]], Mapping[str, str]]) -> int: ...


@dataclass
class SurplusRuns:
    """Looks for surplus runs. Call ``turn`` from time to time, from one thread at a time."""

    tracker: Reconciles
    store: JobStore
    studies: StudyStore
    holder: str
    clock: Callable[[], float] = time.time
    _not_before: float = 0.0

    def turn(self) -> None:
        """Look for surplus runs if it is time to. Raises nothing."""
        now = self.clock()
        if now < self._not_before:
            return
        self._not_before = now + EVERY_S
        try:
            # Not given back: while the lease runs, no other scorer looks as well.
            if self.store.hold(_HOLD, self.holder, now + EVERY_S, now):
                self._delete(now - LOOKED_BACK_S)
        except (TrackerUnavailable, StoreUnavailable) as error:
            self._not_before = now + MAX_BACKOFF_S
            level = error.level if isinstance(error, TrackerUnavailable) else logging.WARNING
            log.log(level, "looking for surplus runs is postponed: %s", error)
        except Exception:  # the one catch-all: jobs and studies do not depend on it
            log.exception("looking for surplus runs failed")

    def _delete(self, since: float) -> None:
        deleted = self.tracker.reconcile(since, self._recorded)
        if deleted:
            log.warning("deleted %d surplus runs", deleted)

    def _recorded(self, subjects: Collection[str]) -> Mapping[str, str]:
        """Return, for each job and evaluation, its recorded run, if it will not change any more."""
        jobs = self.store.get(subjects).values()
        of_jobs = {job.id: job.run_id for job in jobs if job.run_id and job.tracking.status is FacetStatus.DONE}
        return of_jobs | {study.id: study.run_id for study in self.studies.get(subjects).values() if study.run_id}
