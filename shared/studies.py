"""Studies: an evaluation of a pin on a suite, a comparison of two evaluations, a gate on a comparison.

Owns the values, the two state machines (``result``, ``tracking``) and the port to the store of studies. A study is a
row, as a job is. It depends on others: an evaluation on its clips, a comparison on two evaluations, a gate on a
comparison. It becomes due when those are over, and a scorer then computes it under a lease. Knows neither HTTP nor SQL
nor what is computed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from shared.ids import ULID_PATTERN, Ids
from shared.jobs import MAX_LAPSES, Facet, FacetStatus

MOST_CLIPS = 5_000
"""Most clips of one evaluation: items times seeds."""
MOST_SEEDS = 50
MOST_TAKES = 3
"""Most clips of one identity that are looked at when a clip to use again is searched for."""
SCORER_LOST: Mapping[str, str] = {
    "code": "scorer_lost",
    "message": f"the scorer was lost on the last of {MAX_LAPSES} attempts",
}
"""The error of a result whose last attempt ended because its lease ran out."""


class Kind(StrEnum):
    """The kind of a study."""

    EVALUATION = "evaluation"  # a suite, spoken by one pin with k seeds, and scored
    COMPARISON = "comparison"  # two evaluations of one suite, compared
    GATE = "gate"  # rules, checked on a comparison


PREFIXES: Mapping[Kind, str] = {Kind.EVALUATION: "eval_", Kind.COMPARISON: "cmp_", Kind.GATE: "gate_"}
STUDY_ID = re.compile(f"(?:eval|cmp|gate)_{ULID_PATTERN}")


class StudyIds(Ids):
    """Creates study ids: the prefix of the kind + ULID."""

    def __init__(self, kind: Kind, clock: Callable[[], float] = time.time) -> None:
        super().__init__(PREFIXES[kind], clock)


class Step(StrEnum):
    """The facets of a study that scorers claim, in this order."""

    RESULT = "result"  # due once everything that the study depends on is over
    TRACKING = "tracking"  # due once the result is there and what the study depends on is tracked


@dataclass(frozen=True, slots=True)
class StudyClip:
    """One item of an evaluation at one seed, and the job that speaks it."""

    item: str
    seed: int
    job_id: str
    identity: str
    """Hash of all that decides its samples and scores, except the environments. `spoken_before` looks it up."""
    cached: bool = False
    """True if the job was spoken for an earlier evaluation and is used again. It is tracked there, and canceling this
    evaluation does not cancel it."""


@dataclass(frozen=True, slots=True)
class NewStudy:
    """A study as the gateway adds it; an evaluation comes with the jobs of its clips that are not cached."""

    id: str
    user: str
    kind: Kind
    asked: Mapping[str, Any]
    """What is asked for as JSON, with every default filled in.

    evaluation: ``{"suite": document, "pin": name, "alias": name|null, "engine", "lock_sha256", "seeds": [int], "score":
    true|[family], "params": {...}, "preprocessing": name, "lexicon": {...}|null}``; comparison: ``{"baseline": id,
    "candidate": id, "allow": [what]}``; gate: ``{"comparison": id, "rules": {...}}``.
    """
    stands_on: tuple[str, ...]
    """Ids of the studies that it depends on: none for an evaluation, two for a comparison, one for a gate."""
    created_at: float
    pin: str | None = None
    lock_sha256: str | None = None
    suite: str | None = None
    suite_sha256: str | None = None
    """This and the three above are set for an evaluation, so that lists can be filtered by them."""
    clips: tuple[StudyClip, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """A study as stored, without its clips (`StudyStore.clips`). Times are epoch seconds."""

    id: str
    user: str
    kind: Kind
    asked: Mapping[str, Any]
    stands_on: tuple[str, ...]
    created_at: float
    result: Facet
    tracking: Facet
    pin: str | None = None
    lock_sha256: str | None = None
    suite: str | None = None
    suite_sha256: str | None = None
    outcome: Mapping[str, Any] | None = None
    """The computed result as JSON. Large files are blobs, named by ``outcome["files"]``: path -> sha256."""
    error: Mapping[str, str] | None = None
    """``code`` and ``message`` of a failed result."""
    canceled_at: float | None = None
    completed_at: float | None = None
    run_id: str | None = None
    run_url: str | None = None

    @property
    def over(self) -> bool:
        """Whether the result is final."""
        return self.result.status in OVER


STEP_TRANSITIONS: Mapping[FacetStatus, frozenset[FacetStatus]] = {
    FacetStatus.PENDING: frozenset({FacetStatus.RUNNING, FacetStatus.SKIPPED, FacetStatus.FAILED}),
    FacetStatus.RUNNING: frozenset(
        {FacetStatus.DONE, FacetStatus.PENDING, FacetStatus.FAILED, FacetStatus.SKIPPED}  # skipped: canceled
    ),
    FacetStatus.DONE: frozenset(),
    FacetStatus.FAILED: frozenset(),
    FacetStatus.SKIPPED: frozenset(),
}
"""Allowed changes of either step."""
OVER = frozenset(status for status, after in STEP_TRANSITIONS.items() if not after)


@dataclass(frozen=True, slots=True)
class StudyProgress:
    """How many clips of an evaluation have reached each stage. A clip counts in every stage that it has passed."""

    clips: int
    cached: int
    spoken: int
    scored: int
    """Includes clips that will never be scored: not asked for, or no audio."""
    tracked: int
    """Includes clips that will never be tracked."""
    failed: int
    """Clips that ended without audio."""


class StudyState(NamedTuple):
    """What a waiting request needs to know about a study."""

    user: str
    kind: Kind
    over: bool


@dataclass(frozen=True, slots=True)
class StudyFilter:
    """Which of a user's studies to list; ``None`` does not filter.

    ``before``: an id, for the next page of older studies.
    """

    user: str
    kind: Kind
    pin: str | None = None
    suite: str | None = None
    lock_sha256: str | None = None
    suite_sha256: str | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class SpokenBefore:
    """A clip that is already spoken and scored. ``scorer_locks``: quantity -> scorer lock, for each scored quantity."""

    job_id: str
    environment: str | None
    scorer_locks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Home:
    """The evaluation that a job was spoken for."""

    evaluation: str
    item: str
    suite: str
    suite_sha256: str


class StudyStore(Protocol):
    """Studies as rows. `shared.ports.JobStore.add` adds them in one transaction with their jobs."""

    # -- gateway -----------------------------------------------------------------------------------------------
    def get(self, ids: Iterable[str]) -> dict[str, Study]:
        """Return studies by id. Ids that do not exist are absent."""

    def states(self, ids: Iterable[str]) -> dict[str, StudyState]:
        """Return the user, the kind and whether the result is final, by id; cheaper than `get`.

        Ids that do not exist are absent.
        """

    def find(self, wanted: StudyFilter) -> list[Study]:
        """Return studies, newest first, at most ``wanted.limit``."""

    def clips(self, evaluation_id: str) -> list[StudyClip]:
        """Return the clips of an evaluation, in the order in which they were added."""

    def progress(self, ids: Iterable[str]) -> dict[str, StudyProgress]:
        """Return the progress of evaluations by id."""

    def spoken_before(self, user: str, identities: Iterable[str]) -> dict[str, list[SpokenBefore]]:
        """Return the user's spoken and scored clips by identity, newest first, at most `MOST_TAKES` of each.

        Identities without such a clip are absent.
        """

    def scorer_locks(self) -> Mapping[str, str]:
        """Return quantity -> lock of the scorer that scores it now, as the scorers last published it."""

    def cancel(self, study_id: str, now: float) -> Study | None:
        """Cancel a study unless it is over, and return it as it is afterwards; None if there is no such study.

        An evaluation's own clips (not the cached ones) are canceled in the same transaction: queued jobs at once, held
        jobs through their workers. The tracking of an evaluation goes on; that of another study is skipped.
        """

    # -- scorer ------------------------------------------------------------------------------------------------
    def claim(self, step: Step, holder: str, lease_s: float, now: float) -> Study | None:
        """Take a study whose ``step`` is due and set the step to RUNNING under a lease; None if none is due.

        Users are served by fair choice (`shared.scheduling.fairness`); of one user, the study that has been due longest
        comes first.
        """

    def any_due(self, now: float) -> bool:
        """Return whether `claim` would find a study for one of the steps."""

    def beat(self, step: Step, study_id: str, attempt: int, lease_s: float, now: float) -> bool:
        """Renew the lease of a step. Return False if it was lost."""

    def finish(self, study_id: str, attempt: int, outcome: Mapping[str, Any], now: float) -> bool:
        """Store the result. Return False if the lease was lost or the study was canceled meanwhile."""

    def fail(self, study_id: str, attempt: int, error: Mapping[str, str], now: float) -> bool:
        """Record that the result can never be computed; ``error`` has ``code`` and ``message``.

        Return False if the lease was lost.
        """

    def finish_tracking(self, study_id: str, attempt: int, run_id: str | None, run_url: str | None) -> bool:
        """Record that the study is in MLflow; ``None`` keeps the recorded run. Return False if the lease was lost."""

    def lose(self, study_id: str, attempt: int, error: Mapping[str, str], due_at: float, now: float) -> Study | None:
        """Record that the result could not be computed this time, and return the study; None if the lease was lost.

        The result is pending again, due at ``due_at``. After `shared.jobs.MAX_ATTEMPTS` such attempts it has failed
        with ``error``. Leases that ran out are counted separately.
        """

    def postpone(self, step: Step, study_id: str, attempt: int, due_at: float) -> bool:
        """Hand a step back: it is pending again, due at ``due_at``, and has not lost an attempt.

        Return False if the lease was lost.
        """

    def keep_run(self, evaluation_id: str, run_id: str, run_url: str) -> tuple[str, str]:
        """Record the evaluation's MLflow run (id, URL) unless one is recorded; return the run that is recorded now."""

    def drop_run(self, evaluation_id: str, run_id: str) -> None:
        """Remove the evaluation's recorded run, which MLflow no longer has, unless another run is recorded by now."""

    def homes(self, job_ids: Iterable[str]) -> dict[str, Home]:
        """Return by job id the evaluation that the job was spoken for; other jobs are absent."""

    def publish_scorers(self, locks: Mapping[str, str], now: float) -> None:
        """Record quantity -> lock of what a scorer has loaded."""
