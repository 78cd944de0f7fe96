"""The ports of a service: the protocols behind which it keeps rows, sends messages and stores bytes.

Owns the protocols and the values that they take and return. Adapters: shared/store, shared/messages/queue.py,
shared/messages/events.py, shared/blobs. Every method of a store is one transaction and is safe to call from any thread.
Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from shared.catalog import Manifest
from shared.jobs import FacetStatus, Job, JobError, JobState, NewJob, Spoken, Status
from shared.scores import Scored
from shared.studies import NewStudy

LIVE_S = 20.0
"""A worker publishes every few seconds. One that has been silent for this many seconds no longer counts as live."""

ONE_EACH: Mapping[str, int] = {}
"""One job at a time of every pin."""


class FacetName(StrEnum):
    """The facets that scorers claim."""

    SCORING = "scoring"
    TRACKING = "tracking"


class LeaseState(StrEnum):
    """What a holder learns when it renews its lease."""

    HELD = "held"
    CANCELED = "canceled"  # still held, but its user asked to cancel it
    LOST = "lost"  # another holder has it; this attempt must not write anything


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Identity of a request that may be sent twice.

    ``scope``: user, method, path and key; ``fingerprint``: its body.
    """

    scope: str
    fingerprint: str
    created_at: float
    status: int
    body: bytes
    """The response. It is known before the commit and recorded with the jobs, so no crash can come in between."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is kept of an idempotent request: its response, and the id of the first job that it created."""

    fingerprint: str
    job_id: str | None
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """Jobs to add together or not at all, with the study that they are for and the idempotency of their request."""

    jobs: Sequence[NewJob]
    idempotency: Idempotency | None = None
    study: NewStudy | None = None

    @property
    def user(self) -> str | None:
        """The user of the jobs or of the study; ``None`` if there are neither jobs nor a study."""
        one = self.jobs[0] if self.jobs else self.study
        return None if one is None else one.user


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which of a user's jobs to list; ``None`` does not filter. ``before``: a job id, for the next page of older jobs.

    Jobs are ordered by creation time; of two created at the same moment, the one with the greater id is newer.
    """

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
class Page:
    """One page of jobs. ``searched_to``: id of the job where the search stopped early and should resume, or ``None``.

    A search stops early if the filters together match so few jobs that filling the page would take too long.
    """

    jobs: list[Job]
    searched_to: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a worker hands in for a job that it has spoken."""

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
    """How much work is waiting; used for sending wake-ups."""

    families: Mapping[str, int]
    """Engine family -> number of queued jobs."""
    scoring: int
    tracking: int
    studies: int = 0
    """Number of studies of which a step is due."""
    unclaimed_s: float = 0.0
    """How many seconds the oldest unclaimed job has waited. Counts only jobs of pins that a live worker serves which
    holds no job, and of which no job was claimed for `CLAIMS_WAIT_S`. 0 if there is none."""


class JobStore(Protocol):
    """Jobs as rows. The row is the source of truth."""

    # -- gateway -----------------------------------------------------------------------------------------------
    def add(self, submissions: Sequence[Submission]) -> list[bool]:
        """Commit all submissions in one transaction that survives power loss.

        Return True for each submission that was added. Return False for one whose idempotency scope is already taken;
        nothing of it was added. Its scope was either recorded before or is being added right now; `recall` tells which.
        Raises `StoreBusy` if another transaction held a needed lock for too long.
        """

    def get(self, ids: Iterable[str]) -> dict[str, Job]:
        """Return jobs by id. Ids that do not exist, and jobs that this version cannot read, are absent."""

    def states(self, ids: Iterable[str]) -> dict[str, JobState]:
        """Return only the states of jobs by id; cheaper than `get`."""

    def find(self, wanted: JobFilter) -> Page:
        """Return jobs, newest first, at most ``wanted.limit``. Jobs that this version cannot read are left out."""

    def positions(self, ids: Iterable[str]) -> dict[str, int]:
        """Return the place in the queue of those ids that are queued; 1 is next.

        Counts the jobs that fair choice puts ahead.
        """

    def cancel(self, job_id: str, now: float) -> Job | None:
        """Cancel a job and return it as it is afterwards; ``None`` if there is no such job.

        A queued job is canceled at once. A held job is marked, and its worker learns of it from `beat`. A finished job
        does not change.
        """

    def queued_by_user(self) -> dict[str, int]:
        """Return the number of queued jobs of every user who has any."""

    def recall(self, scope: str) -> Remembered | None:
        """Return what is kept of an idempotent request, or ``None``."""

    def retry_tracking(self, job_id: str, now: float) -> bool:
        """Make tracking due again after it has failed. Return False if it has not failed."""

    # -- worker ------------------------------------------------------------------------------------------------
    def publish(self, worker: str, manifests: Sequence[Manifest], now: float) -> None:
        """Record that a worker is alive and offers these pins. Called at start and with every heartbeat.

        A manifest that refuses its pin does not count as a confirmation of the pin. While another live worker
        (`LIVE_S`) serves the pin, that worker's manifest stays. Otherwise the refusal is stored, together with the
        known capabilities of the pin.
        """

    def retire(self, worker: str) -> None:
        """Record that a worker has stopped. Its manifests stay known."""

    def manifests(self) -> list[tuple[Manifest, float]]:
        """Return every manifest ever published, the newest per pin.

        With each comes the time when a live worker last confirmed it.
        """

    def claim(
        self,
        worker: str,
        pins: Sequence[str],
        loaded: Sequence[str],
        lease_s: float,
        now: float,
        at_most: Mapping[str, int] = ONE_EACH,
    ) -> list[Job]:
        """Take queued jobs of one pin, the next by fair choice, and set them to STARTING under a lease.

        ``now`` is the time of the call. The lease begins when the job is taken, even after a long wait for the lock. A
        job that this version cannot read is left for a worker that can.

        ``worker``: PROCESS or PROCESS/SLOT. Jobs that the process has passed on are left to others for `PASSED_ON_S`.
        ``at_most``: pin -> how many jobs to take; one for a pin that it does not name.
        """

    def beat(
        self, job_id: str, attempt: int, lease_s: float, now: float, progress: tuple[int, int] | None = None
    ) -> LeaseState:
        """Renew a lease and return its state. Only here does a worker learn that a job was canceled or lost."""

    def begin(self, job_id: str, attempt: int) -> bool:
        """Set the job to PROCESSING: the model is loaded and speaking starts. Return False if the lease was lost."""

    def finish(self, job_id: str, attempt: int, result: Result, now: float) -> bool:
        """Set the job to SUCCEEDED, after `begin`. Return False, and write nothing, if the lease was lost."""

    def fail(self, job_id: str, attempt: int, error: JobError, now: float, *, final: bool) -> bool:
        """Record a failed attempt.

        Unless ``final``, queue the job again while attempts are left; if its user asked to cancel it, it is canceled
        instead. Return False if the lease was lost.
        """

    def pass_on(self, job_id: str, attempt: int, worker: str, now: float) -> bool:
        """Queue a job again for other workers after ``worker`` (a process, as it publishes) has failed it.

        Return False, and change nothing, if no other live worker serves the pin that has not failed the job too, if the
        attempts are spent, if its user asked to cancel it, or if the lease was lost.
        """

    def stop(self, job_id: str, attempt: int, now: float) -> bool:
        """Set a held job to CANCELED, as its user asked. Return False if the lease was lost."""

    def hand_back(self, job_id: str, attempt: int) -> bool:
        """Queue a job again without costing it an attempt, because the worker is shutting down."""

    def record_environment(self, environment_id: str, environment: Mapping[str, Any]) -> None:
        """Keep an environment record. The same id always means the same record."""

    def environment(self, environment_id: str) -> Mapping[str, Any] | None:
        """Return an environment record by id, or ``None``."""

    # -- scorer ------------------------------------------------------------------------------------------------
    def claim_facet(self, facet: FacetName, holder: str, lease_s: float, now: float, limit: int = 1) -> list[Job]:
        """Take up to ``limit`` jobs whose facet is due and set it to RUNNING under a lease.

        Users are served by fair choice (`shared.scheduling.fairness`); of one user, the job that has been due longest
        comes first. Scoring is due once there is audio. Tracking is due once the job is finished, was started, and its
        scoring is over.
        """

    def beat_facet(self, facet: FacetName, job_id: str, attempt: int, lease_s: float, now: float) -> bool:
        """Renew the lease of a facet. Return False if it was lost."""

    def finish_scoring(
        self, job_id: str, attempt: int, scores: Mapping[str, Scored], scorers_lock: str, score_s: float
    ) -> bool:
        """Set scoring to DONE with its scores, unscored values included. Return False if the lease was lost."""

    def finish_tracking(self, job_id: str, attempt: int, run_id: str, run_url: str) -> bool:
        """Set tracking to DONE: the job's run is in MLflow. Return False if the lease was lost."""

    def postpone_facet(self, facet: FacetName, job_id: str, attempt: int, due_at: float) -> bool:
        """Set a facet back to PENDING, due at ``due_at``. Return False if the lease was lost."""

    # -- sweeper -----------------------------------------------------------------------------------------------
    def hold(self, name: str, holder: str, until: float, now: float) -> bool:
        """Take or renew a named lease.

        Return False while another holder has it. All callers ask for about the same length.
        """

    def sweep(self, now: float, *, tracking_budget_s: float, idempotency_s: float) -> Swept:
        """Clean up what has run out: leases, times to live, retry budgets, remembered requests, workers that are gone.

        A job whose lease has run out is queued again without costing an attempt, up to `MAX_LAPSES` times.
        """

    def waiting(self, now: float) -> Waiting:
        """Return how much work is waiting."""

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless the store answers."""


SWEEPING = "sweeper"
"""Name of the lease (`JobStore.hold`) that lets one gateway of a deployment at a time be the sweeper."""


class WakeUps(Protocol):
    """Sends wake-ups. A wake-up carries no data, so losing or doubling one is harmless."""

    def wake_engine(self, family: str) -> None: ...

    def wake_scoring(self) -> None: ...

    def wake_tracking(self) -> None: ...

    def wake_analysis(self) -> None: ...


class Announcer(Protocol):
    """Announces that a job changed. Losing an announcement is harmless: rows are the source of truth."""

    def announce(self, job_id: str, event: str) -> None: ...


class BlobRoom(Protocol):
    """The room in a store of blobs, as its writer watches it.

    Every method raises ``StorageUnavailable`` if the storage cannot be reached.
    """

    def trouble(self, *, times: float = 1.0) -> str | None:
        """Return a code (``disk_full``) if there is less room than ``times`` the store's reserve, else ``None``."""

    def rehearse(self, size: int) -> None:
        """Write ``size`` bytes and remove them again. Raises ``StorageUnavailable`` if they cannot be kept."""


@dataclass(frozen=True, slots=True)
class FoundBlob:
    """A blob, for messages. ``store``: the folder or address of its store; ``key``: where in it the blob is."""

    store: str
    key: str


class Blobs(BlobRoom, Protocol):
    """Immutable bytes, stored under the SHA-256 of their content.

    Every method raises ``StorageUnavailable`` if the storage is full, read-only, broken or away. That says nothing
    about whether the bytes exist.
    """

    def put(self, content: bytes) -> str:
        """Store the bytes durably and return their hash. Storing the same bytes again changes nothing."""

    def get(self, sha256: str) -> bytes:
        """Return the bytes. Raises ``KeyError`` if there are none."""

    def size(self, sha256: str) -> int:
        """Return the number of bytes. Raises ``KeyError`` if there are none."""

    def read(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """Yield ``length`` bytes from ``start`` on, in chunks."""

    def delete(self, sha256: str) -> None:
        """Delete the bytes. Does nothing if there are none."""

    def free_bytes(self) -> float:
        """Return how many bytes there is room for; ``math.inf`` if the store has no limit."""

    def why_not_writable(self) -> str:
        """Return why nothing can be kept; empty if something can. Never raises, leaves nothing, makes no store."""

    def any_blob(self) -> FoundBlob | None:
        """Return one blob, from stores inside this one too, or ``None`` if there is none or the store was not made."""
