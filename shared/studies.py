"""Studies: an evaluation of a pin on a suite, a comparison of two evaluations, a gate on a comparison.

Owns their words, their two state machines (``result``, ``tracking``) and the door to where they are kept. A study is a
row like a job is: it stands on others (an evaluation on its clips, a comparison on two evaluations, a gate on a
comparison), becomes due when those are over, and is then computed by a scorer under a lease. Knows neither HTTP nor SQL
nor what is computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from shared.ids import ULID_PATTERN, Ids
from shared.jobs import MAX_ATTEMPTS, Facet, FacetStatus

MOST_CLIPS = 5_000
"""Of one evaluation: items times seeds."""
MOST_SEEDS = 50
MOST_TAKES = 3
"""So many clips of one identity are looked at for one to use again."""
SCORER_LOST: Mapping[str, str] = {
    "code": "scorer_lost",
    "message": f"the scorer was lost on the last of {MAX_ATTEMPTS} attempts",
}
"""The error of a result whose last attempt ended with its lease."""


class Kind(StrEnum):
    """What is studied."""

    EVALUATION = "evaluation"  # a suite, spoken by one pin with k seeds, and scored
    COMPARISON = "comparison"  # two evaluations, held against each other
    GATE = "gate"  # rules, held against a comparison


PREFIXES: Mapping[Kind, str] = {Kind.EVALUATION: "eval_", Kind.COMPARISON: "cmp_", Kind.GATE: "gate_"}
STUDY_ID = re.compile(f"(?:eval|cmp|gate)_{ULID_PATTERN}")


class StudyIds(Ids):
    """Prefix of the kind + ULID."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(PREFIXES[kind])


class Step(StrEnum):
    """The facets of a study that scorers claim, in this order."""

    RESULT = "result"  # due once everything that it stands on is over
    TRACKING = "tracking"  # due once the result is there and what it stands on is tracked


@dataclass(frozen=True, slots=True)
class Clip:
    """One item of an evaluation at one seed, and the job that speaks it."""

    item: str
    seed: int
    job_id: str
    identity: str
    """Hash of all that decides its samples and scores, but for the environments (`spoken_before` looks it up)."""
    cached: bool = False
    """The job was spoken for an earlier evaluation and is taken as it is: tracked there, and not canceled with this."""


@dataclass(frozen=True, slots=True)
class NewStudy:
    """A study as the gateway adds it, an evaluation together with the jobs of its clips that are not cached."""

    id: str
    user: str
    kind: Kind
    asked: Mapping[str, Any]
    """What is asked for, every default filled in, JSON.

    evaluation: ``{"suite": document, "pin": name, "alias": name|null, "engine", "lock_sha256", "seeds": [int],
    "score": true|[family], "params": {...}, "preprocessing": name}``; comparison: ``{"baseline": id, "candidate": id,
    "allow": [what]}``; gate: ``{"comparison": id, "rules": {...}}``."""
    stands_on: tuple[str, ...]
    """Ids of studies: none for an evaluation, two for a comparison, one for a gate."""
    created_at: float
    pin: str | None = None
    lock_sha256: str | None = None
    suite: str | None = None
    suite_sha256: str | None = None
    """The four of an evaluation, to be looked for by."""
    clips: tuple[Clip, ...] = ()


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
    """What was computed, JSON; large files are blobs, named by ``outcome["files"]``: path -> sha256."""
    error: Mapping[str, str] | None = None
    """``code`` and ``message`` of a result that failed."""
    canceled_at: float | None = None
    completed_at: float | None = None
    run_id: str | None = None
    run_url: str | None = None

    @property
    def over(self) -> bool:
        """Whether the result will not change any more."""
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
"""Of either step."""
OVER = frozenset(status for status, after in STEP_TRANSITIONS.items() if not after)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many clips of an evaluation have come how far; each counts in every column that it has passed."""

    clips: int
    cached: int
    spoken: int
    scored: int
    """Or will never be: not asked for, or no audio."""
    tracked: int
    """Likewise."""
    failed: int
    """Ended without audio."""


@dataclass(frozen=True, slots=True)
class StudyFilter:
    """Which of a user's studies; ``None`` does not filter. ``before``: an id, for the next page of older ones."""

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
    """A clip that is there already: succeeded, scored. ``scorer_locks``: quantity -> lock, of what was scored."""

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
    """Studies as rows. They are added with `shared.ports.JobStore.add`, in one transaction with their jobs."""

    # -- gateway -----------------------------------------------------------------------------------------------
    def get(self, ids: Iterable[str]) -> dict[str, Study]:
        """Studies by id; ids that do not exist are absent."""

    def find(self, wanted: StudyFilter) -> list[Study]:
        """Newest first, at most ``wanted.limit``."""

    def clips(self, evaluation_id: str) -> list[Clip]:
        """In the order in which they were added."""

    def progress(self, ids: Iterable[str]) -> dict[str, Progress]:
        """Of evaluations."""

    def spoken_before(self, user: str, identities: Iterable[str]) -> dict[str, list[SpokenBefore]]:
        """By identity: the user's clips that are spoken and scored, newest first, at most `MOST_TAKES` of each.

        Identities of which there is none are absent."""

    def scorer_locks(self) -> Mapping[str, str]:
        """Quantity -> lock that the scorers of now score it by, as they last published it."""

    def cancel(self, study_id: str, now: float) -> Study | None:
        """Canceled unless it is over; an evaluation's own clips (not the cached ones) with it, in one transaction:
        queued jobs at once, held ones by telling their workers. The tracking of an evaluation goes on, of another study
        it is skipped. Returns the study after it; None where there is none."""

    # -- scorer ------------------------------------------------------------------------------------------------
    def claim(self, step: Step, holder: str, lease_s: float, now: float) -> Study | None:
        """Take the study whose ``step`` is due for longest, as RUNNING under a lease."""

    def beat(self, step: Step, study_id: str, attempt: int, lease_s: float, now: float) -> bool:
        """Renew; False: not ours any more."""

    def finish(self, study_id: str, attempt: int, outcome: Mapping[str, Any], now: float) -> bool:
        """The result is there. False: not ours any more, or canceled meanwhile."""

    def fail(self, study_id: str, attempt: int, error: Mapping[str, str], now: float) -> bool:
        """The result cannot be computed, now or ever: ``code``, ``message``."""

    def finish_tracking(self, study_id: str, attempt: int, run_id: str | None, run_url: str | None) -> bool:
        """It is in MLflow; ``None``: the run that is recorded stays. False: not ours any more."""

    def lose(self, study_id: str, attempt: int, error: Mapping[str, str], due_at: float, now: float) -> Study | None:
        """The result could not be computed this time: pending again, not before ``due_at``. Where that has happened
        `shared.jobs.MAX_ATTEMPTS` times, leases that ran out included, it has failed by ``error``.

        Returns the study after it; None: not ours any more."""

    def postpone(self, step: Step, study_id: str, attempt: int, due_at: float) -> bool:
        """Handed back: pending again, not before ``due_at``, and no attempt the poorer."""

    def keep_run(self, evaluation_id: str, run_id: str, run_url: str) -> tuple[str, str]:
        """Record the evaluation's run in MLflow unless one is recorded; the one that is recorded now."""

    def homes(self, job_ids: Iterable[str]) -> dict[str, Home]:
        """By job id: the evaluation that it was spoken for; other jobs are absent."""

    def publish_scorers(self, locks: Mapping[str, str], now: float) -> None:
        """Quantity -> lock, of what a scorer has loaded."""
