"""The door to where runs are kept, as the tracking flow sees it. Adapter: services/scorer/tracking.py (MLflow).

Owns what a run is (a record of one job, or of one evaluation) and the two ways in which keeping one can go wrong.
Knows no server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.errors import RingtrueError


class TrackerUnavailable(RingtrueError):
    """The tracking server does not answer or is overloaded; the same call may succeed later."""

    code = "tracker_unavailable"


class TrackerRefused(RingtrueError):
    """The tracking server answered and does not take this; the message says why in its words."""

    code = "tracker_refused"


class RunStatus(StrEnum):
    """How a run ended, in MLflow's words."""

    RUNNING = "RUNNING"  # an evaluation whose clips are being logged
    FINISHED = "FINISHED"  # there is audio; of an evaluation: there is a result
    FAILED = "FAILED"  # the job failed; there is no result, and it was not canceled
    KILLED = "KILLED"  # canceled, or expired after it was started


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a value may be, in characters."""

    param: int
    tag: int


CURRENT_LIMITS = Limits(param=6000, tag=8000)
"""MLflow 3's."""


@dataclass(frozen=True, slots=True)
class EnvironmentNote:
    """An environment that runs point to by ``id``, described once per experiment."""

    id: str
    description: str
    """Canonical JSON."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything of a run but its files. The same subject gives the same record, so that it can be written again."""

    subject: str
    """Id of the job or the evaluation that it is the run of."""
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
    def limits(self) -> Limits:
        """What records are to be cut to."""

    def log(self, record: RunRecord, files: Mapping[str, bytes]) -> Logged:
        """Make the one run of a job complete, whatever of it is there already; ``files``: path in the run -> content.

        Raises `TrackerUnavailable` or `TrackerRefused`; either way the call may be repeated."""


Keep = Callable[[Logged], Logged]
"""Records a run as the one of its subject, unless another is recorded already; the one that is recorded now."""


class StudyTracker(Tracker, Protocol):
    """Keeps the runs of evaluations as well: made when the first clip needs one to hang below, completed at the end,
    added to by comparisons. Everything raises as `log` does and may be repeated, also by two at the same time."""

    def begin(self, record: RunRecord, keep: Keep) -> Logged:
        """Find or make the run of an evaluation, with its tags and nothing else; the one that ``keep`` says."""

    def complete(self, run_id: str, record: RunRecord, files: Mapping[str, bytes]) -> None:
        """Write all of the run that was begun, its status last; other runs of the same evaluation are deleted."""

    def add(self, run_id: str, files: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
        """Write further files to a run, then tags."""
