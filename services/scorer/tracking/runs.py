"""The port to a tracking server. Its adapter for MLflow is `mlflow_tracker.py`.

Owns what a run is (a record of one job, or of one evaluation) and the two ways in which keeping one can fail. Knows no
server.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.errors import RingtrueError


class TrackerUnavailable(RingtrueError):
    """The tracking server does not answer or is overloaded. The same call may succeed later.

    ``starting``: the server is known to be starting.
    """

    code = "tracker_unavailable"

    def __init__(self, message: str, *, starting: bool = False) -> None:
        super().__init__(message)
        self.starting = starting

    @property
    def level(self) -> int:
        """The level of its log line: a server that is starting is no reason to warn."""
        return logging.INFO if self.starting else logging.WARNING


class TrackerRefused(RingtrueError):
    """The tracking server answered and refused the request. The message has its reason."""

    code = "tracker_refused"


class TrackerMissing(TrackerRefused):
    """The run or experiment does not exist: it was permanently removed."""

    code = "tracker_missing"


class RunStatus(StrEnum):
    """How a run ended, in MLflow's words."""

    RUNNING = "RUNNING"  # an evaluation whose clips are being logged
    FINISHED = "FINISHED"  # there is audio; for an evaluation: there is a result
    FAILED = "FAILED"  # the job failed; there is no result, and it was not canceled
    KILLED = "KILLED"  # canceled, or expired after it was started


@dataclass(frozen=True, slots=True)
class TrackerLimits:
    """How long a value may be, in characters."""

    param: int
    tag: int


CURRENT_LIMITS = TrackerLimits(param=6000, tag=8000)
"""The limits of MLflow 3."""


@dataclass(frozen=True, slots=True)
class EnvironmentNote:
    """An environment that runs refer to by ``id``. It is described once per experiment."""

    id: str
    description: str
    """Canonical JSON."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything of a run except its files. The same subject gives the same record, so it can be written again."""

    subject: str
    """Id of the job or evaluation that this is the run of."""
    experiment: str
    name: str
    status: RunStatus
    start_ms: int
    end_ms: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    environment: EnvironmentNote | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """Where a record is now."""

    run_id: str
    url: str


class Tracker(Protocol):
    """Keeps runs. Safe to call from several threads."""

    @property
    def limits(self) -> TrackerLimits:
        """The lengths that values of records must be cut to."""

    def log(
        self, record: RunRecord, files: Mapping[str, bytes], *, still_sole: Callable[[], bool] | None = None
    ) -> Logged:
        """Make the one run of a job complete, whatever part of it exists already. ``files``: content by path in the
        run. ``still_sole``: given by a writer before whom nobody tried, which saves the searches. It is called once
        the run is created, and returns whether still nobody else has begun to log this job.

        Raises `TrackerUnavailable` or `TrackerRefused`. In both cases the call may be repeated.
        """


Keep = Callable[[Logged], Logged]
"""Records a run as the one of its subject, unless another is recorded already. Returns the one that is recorded now."""


class StudyTracker(Tracker, Protocol):
    """Keeps the runs of evaluations as well.

    Such a run is made when the first clip needs a parent, completed at the end, and added to by comparisons. Every
    method raises the same as `log` and may be repeated, also by two callers at the same time. A run that was deleted is
    restored before it is written to. One that was permanently removed raises `TrackerMissing`.
    """

    def begin(self, record: RunRecord, keep: Keep) -> Logged:
        """Find or make the run of an evaluation, with its tags only. Return the run that ``keep`` returns."""

    def complete(self, run_id: str, record: RunRecord, files: Mapping[str, bytes]) -> None:
        """Write all of a run that was begun, its status last. Other runs of the same evaluation are deleted."""

    def add(self, run_id: str, files: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
        """Write further files to a run, then tags."""
