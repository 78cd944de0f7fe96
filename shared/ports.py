"""The doors out of a service, as it sees them. Adapters: shared/store, shared/queue.py, shared/blobs.

Every method of the store is one transaction and is safe to call from any thread. Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from shared.aliases import Alias, Move
from shared.catalog import Manifest
from shared.jobs import FacetStatus, Job, JobError, NewJob, Spoken, Status
from shared.scores import Scored
from shared.studies import NewStudy

LIVE_S = 20.0
"""A worker publishes every few seconds; one that was silent for this long is not counted on."""


ONE_EACH: Mapping[str, int] = {}
"""Of every pin, one job at a time."""


class FacetName(StrEnum):
    """The facets that scorers claim."""

    SCORING = "scoring"
    TRACKING = "tracking"


class Standing(StrEnum):
    """What a holder learns when it renews its lease."""

    HELD = "held"
    CANCELED = "canceled"  # still held, and its user wants it stopped
    LOST = "lost"  # somebody else's now; nothing of this attempt may be written


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Identity of a request that may be sent twice: ``scope``: user, method, path, key; ``fingerprint``: its body."""

    scope: str
    fingerprint: str
    created_at: float
    status: int
    body: bytes
    """The answer, known before the commit and recorded with the jobs: no crash can come in between."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is kept of an idempotent request: its answer, and the first job that it made."""

    fingerprint: str
    job_id: str | None
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """Jobs to add together or not at all, with the study they are for, and the idempotency they stand under."""

    jobs: Sequence[NewJob]
    idempotency: Idempotency | None = None
    study: NewStudy | None = None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which of a user's jobs; ``None`` does not filter. ``before``: a job id, for the next page of older ones."""

    user: str
    status: Status | None = None
    pin: str | None = None
    scoring: FacetStatus | None = None
    tracking: FacetStatus | None = None
    created_after: float | None = None
    created_before: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Result:
    """What a worker hands in for a job it spoke."""

    audio: Spoken
    timings: Mapping[str, float]
    environment: str


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep changed."""

    requeued: int = 0
    lost: int = 0
    expired: int = 0
    facets_released: int = 0
    facets_failed: int = 0

    @property
    def any(self) -> bool:
        return bool(self.requeued or self.lost or self.expired or self.facets_released or self.facets_failed)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What there is to do, for ringing bells."""

    families: Mapping[str, int]
    """Engine family -> queued jobs."""
    scoring: int
    tracking: int
    studies: int = 0
    """Studies of which a step is due."""


class JobStore(Protocol):
    """Jobs as rows. The row is the truth."""

    # -- gateway -----------------------------------------------------------------------------------------------
    def add(self, submissions: Sequence[Submission]) -> list[bool]:
        """Commit all submissions in one transaction that survives power loss.

        True per submission that was added; False where its idempotency scope was there already (nothing added)."""

    def get(self, ids: Iterable[str]) -> dict[str, Job]:
        """Jobs by id; ids that do not exist are absent."""

    def find(self, wanted: JobFilter) -> list[Job]:
        """Newest first, at most ``wanted.limit``."""

    def positions(self, ids: Iterable[str]) -> dict[str, int]:
        """Place in the queue of those ids that are queued: 1 is next. Counts the jobs that fair choice puts ahead."""

    def cancel(self, job_id: str, now: float) -> Job | None:
        """Queued: canceled at once. Held: its worker is told. Finished: unchanged. Returns the job after it."""

    def recall(self, scope: str) -> Remembered | None:
        """What is remembered of an idempotent request."""

    def retry_tracking(self, job_id: str, now: float) -> bool:
        """Ask for tracking again after it has failed."""

    # -- worker ------------------------------------------------------------------------------------------------
    def publish(self, worker: str, manifests: Sequence[Manifest], now: float) -> None:
        """A worker is alive and offers these. Called at start and with every heartbeat.

        A pin that it refuses is not confirmed by it; while another live worker (`LIVE_S`) serves the pin, what that one
        published stands, and else the refusal does, beside what was known of the pin's capabilities."""

    def retire(self, worker: str) -> None:
        """A worker has stopped; what it published stays known."""

    def manifests(self) -> list[tuple[Manifest, float]]:
        """Every manifest ever published with the time a live worker last confirmed it; newest per pin."""

    def claim(
        self,
        worker: str,
        pins: Sequence[str],
        loaded: Sequence[str],
        lease_s: float,
        now: float,
        at_most: Mapping[str, int] = ONE_EACH,
    ) -> list[Job]:
        """Take queued jobs of one pin, the next by fair choice, as STARTING under a lease.

        ``at_most``: so many of a pin; of one that it does not name, one."""

    def beat(
        self, job_id: str, attempt: int, lease_s: float, now: float, progress: tuple[int, int] | None = None
    ) -> Standing:
        """Renew a lease; the one place a worker learns that a job was canceled or lost."""

    def begin(self, job_id: str, attempt: int) -> bool:
        """The model is loaded, speaking starts. False: not ours any more."""

    def finish(self, job_id: str, attempt: int, result: Result, now: float) -> bool:
        """Succeeded, after `begin`. False: not ours any more, and nothing was written."""

    def fail(self, job_id: str, attempt: int, error: JobError, now: float, *, final: bool) -> bool:
        """Failed; unless ``final``, queued again while attempts are left (canceled where its user asked for that).

        False: not ours any more."""

    def stop(self, job_id: str, attempt: int, now: float) -> bool:
        """Canceled while held, as its user asked."""

    def hand_back(self, job_id: str, attempt: int) -> bool:
        """Queued again without costing an attempt: the worker is shutting down."""

    def record_environment(self, environment_id: str, environment: Mapping[str, Any]) -> None:
        """Keep a description of an environment; the same id is the same description."""

    def environment(self, environment_id: str) -> Mapping[str, Any] | None:
        """A description of an environment by id."""

    # -- scorer ------------------------------------------------------------------------------------------------
    def claim_facet(self, facet: FacetName, holder: str, lease_s: float, now: float, limit: int = 1) -> list[Job]:
        """Take up to ``limit`` jobs whose facet is due, due longest first, as RUNNING under a lease.

        Scoring is due once audio is there; tracking once the job is finished, was started, and its scoring is over."""

    def beat_facet(self, facet: FacetName, job_id: str, attempt: int, lease_s: float, now: float) -> bool:
        """Renew; False: not ours any more."""

    def finish_scoring(
        self, job_id: str, attempt: int, scores: Mapping[str, Scored], scorers_lock: str, score_s: float
    ) -> bool:
        """Done, unscored values included. False: not ours any more."""

    def finish_tracking(self, job_id: str, attempt: int, run_id: str, run_url: str) -> bool:
        """The job's run is in MLflow. False: not ours any more."""

    def postpone_facet(self, facet: FacetName, job_id: str, attempt: int, due_at: float) -> bool:
        """Pending again, not before ``due_at``."""

    # -- sweeper -----------------------------------------------------------------------------------------------
    def hold(self, name: str, holder: str, until: float, now: float) -> bool:
        """Take or renew a named lease; False while another holder's runs."""

    def sweep(self, now: float, *, tracking_budget_s: float, idempotency_s: float) -> Swept:
        """Put right what ran out: leases, time to live, retry budgets, remembered requests."""

    def waiting(self, now: float) -> Waiting:
        """What there is to do."""

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless the store answers."""


class AliasStore(Protocol):
    """Aliases as their moves. None is ever forgotten or changed."""

    def last_moves(self) -> list[Move]:
        """Where every alias points to now: its last move. By alias."""

    def history(self, alias: Alias) -> list[Move]:
        """Every move of one alias, oldest first; none where there is no such alias."""

    def record(self, moves: Sequence[Move]) -> bool:
        """Add moves, all or none, durably. False: an alias has a move of that number, somebody was quicker."""


class Bells(Protocol):
    """Wakes whoever can do the work. A bell carries no data; losing or doubling one is harmless."""

    def ring_engine(self, family: str) -> None: ...

    def ring_scorer(self) -> None: ...

    def ring_tracker(self) -> None: ...

    def ring_judge(self) -> None: ...


class Announcer(Protocol):
    """Tells whoever listens that a job changed. Losing an announcement is harmless: rows are the truth."""

    def announce(self, job_id: str, event: str) -> None: ...


class Blobs(Protocol):
    """Immutable bytes by the SHA-256 of their content."""

    def put(self, content: bytes) -> str:
        """Store, durably, before returning the hash. Storing the same bytes again changes nothing."""

    def get(self, sha256: str) -> bytes:
        """The bytes; ``KeyError`` where there are none."""

    def size(self, sha256: str) -> int:
        """Their number; ``KeyError`` where there are none."""

    def read(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """A stretch of the bytes, in chunks."""

    def delete(self, sha256: str) -> None:
        """Forget the bytes; nothing happens where there are none."""
