"""A tracking server in memory: implements the port and passes the same suite as MLflow (test_study_tracker.py)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.scorer.tracking.runs import (
    CURRENT_LIMITS,
    Keep,
    Logged,
    RunRecord,
    RunStatus,
    TrackerLimits,
    TrackerMissing,
)


@dataclass
class FakeRun:
    record: RunRecord
    tags: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    status: RunStatus = RunStatus.RUNNING
    written: int = 0


class FakeTracker:
    """Runs by their ids. ``troubles`` are raised, one by each call that is made of it."""

    def __init__(self, *troubles: Exception) -> None:
        self.runs: dict[str, FakeRun] = {}
        self._troubles = list(troubles)
        self._lock = threading.RLock()
        self.numbers = itertools.count(1)

    @property
    def limits(self) -> TrackerLimits:
        return CURRENT_LIMITS

    def of(self, subject: str) -> dict[str, FakeRun]:
        """The runs of a job or an evaluation, by id."""
        return {run_id: run for run_id, run in self.runs.items() if run.record.subject == subject}

    def log(
        self, record: RunRecord, files: Mapping[str, bytes], *, still_sole: Callable[[], bool] | None = None
    ) -> Logged:
        with self._lock:
            self._trouble()
            run_id = next(iter(self.of(record.subject)), None) or self.make(record)
            self._write(run_id, record, files)
            return _logged(run_id)

    def begin(self, record: RunRecord, keep: Keep) -> Logged:
        with self._lock:
            self._trouble()
            found = list(self.of(record.subject)) or [self.make(record)]
        kept = keep(_logged(found[0]))
        self._delete_others(record.subject, kept.run_id)
        return kept

    def complete(self, run_id: str, record: RunRecord, files: Mapping[str, bytes]) -> None:
        with self._lock:
            self._trouble()
            self._check_there(run_id)
            self._delete_others(record.subject, run_id)
            if self.runs[run_id].status is RunStatus.RUNNING:
                self._write(run_id, record, files)

    def add(self, run_id: str, files: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
        with self._lock:
            self._trouble()
            self._check_there(run_id)
            self.runs[run_id].files |= files
            self.runs[run_id].tags |= tags

    def make(self, record: RunRecord) -> str:
        """A run with its tags alone."""
        run_id = f"run-{next(self.numbers)}"
        self.runs[run_id] = FakeRun(record, dict(record.tags))
        return run_id

    def _write(self, run_id: str, record: RunRecord, files: Mapping[str, bytes]) -> None:
        run = self.runs[run_id]
        run.record, run.status = record, record.status
        run.params, run.metrics = record.params, record.metrics
        run.tags |= record.tags
        run.files |= files
        run.written += 1

    def _check_there(self, run_id: str) -> None:
        if run_id not in self.runs:
            raise TrackerMissing(f"there is no {run_id}")

    def _delete_others(self, subject: str, kept: str) -> None:
        with self._lock:
            for run_id in self.of(subject):
                if run_id != kept:
                    del self.runs[run_id]

    def _trouble(self) -> None:
        if self._troubles:
            raise self._troubles.pop(0)


def _logged(run_id: str) -> Logged:
    return Logged(run_id, f"http://tracker/{run_id}")
