"""A job: what was asked, what is used, where it stands.

Owns the job's words and its three state machines (status, scoring, tracking). Knows neither HTTP nor SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from shared.errors import FailureCode
from shared.ids import Ids
from shared.scores import Scored
from shared.voices import Recording

CANONICAL_EMOTIONS = ("neutral", "happy", "angry", "sad", "fear", "disgust", "surprise")
MAX_TEXT_CHARS = 10_000
MAX_ATTEMPTS = 3
"""A worker that is lost costs an attempt; after this many the job has failed with ``worker_lost``."""


class Status(StrEnum):
    """Where the speaking stands."""

    QUEUED = "queued"  # accepted and on disk; no worker holds it
    STARTING = "starting"  # a worker holds it, the model is being loaded
    PROCESSING = "processing"  # being spoken
    SUCCEEDED = "succeeded"  # audio can be fetched
    FAILED = "failed"  # `error` says why
    CANCELED = "canceled"  # its user asked for that
    EXPIRED = "expired"  # waited longer than its ttl_s


class FacetStatus(StrEnum):
    """Where scoring or tracking stands."""

    PENDING = "pending"  # to be done, perhaps not before the facet ahead of it
    RUNNING = "running"  # a scorer holds it
    DONE = "done"  # unscored values included
    FAILED = "failed"  # its retry budget is spent
    SKIPPED = "skipped"  # not asked for, or nothing to do it on


TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.STARTING, Status.CANCELED, Status.EXPIRED}),
    Status.STARTING: frozenset({Status.PROCESSING, Status.QUEUED, Status.FAILED, Status.CANCELED}),
    Status.PROCESSING: frozenset({Status.SUCCEEDED, Status.QUEUED, Status.FAILED, Status.CANCELED}),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
    Status.EXPIRED: frozenset(),
}
FACET_TRANSITIONS: Mapping[FacetStatus, frozenset[FacetStatus]] = {
    FacetStatus.PENDING: frozenset({FacetStatus.RUNNING, FacetStatus.SKIPPED, FacetStatus.FAILED}),
    FacetStatus.RUNNING: frozenset({FacetStatus.DONE, FacetStatus.PENDING, FacetStatus.FAILED}),
    FacetStatus.DONE: frozenset(),
    FacetStatus.FAILED: frozenset({FacetStatus.PENDING}),
    FacetStatus.SKIPPED: frozenset(),
}
TERMINAL = frozenset(status for status, after in TRANSITIONS.items() if not after)
HELD = frozenset({Status.STARTING, Status.PROCESSING})
"""A worker holds the job under a lease."""


@dataclass(frozen=True, slots=True)
class Emotion:
    """Exactly one of ``name``, ``vector`` (8 numbers), ``audio`` (an uploaded voice), ``text``; ``strength`` 0-1."""

    name: str | None = None
    vector: tuple[float, ...] | None = None
    audio: str | None = None
    text: str | None = None
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class SpeechInput:
    """What is to be spoken and how, every default filled in."""

    text: str
    language: str
    voice: str | None = None
    reference: str | None = None
    emotion: Emotion | None = None
    speed: float = 1.0
    pitch_scale: float = 1.0
    seed: int = 0
    sample_rate: int | None = None
    """Hz; ``None``: the pin's own rate."""
    options: Mapping[str, Any] = field(default_factory=dict)
    score: bool | tuple[str, ...] = True
    """True: the default metric families; False: none; or the families named."""
    recordings: Mapping[str, Recording] = field(default_factory=dict)
    """What the uploaded voices named above were when the job was accepted, by their ids."""

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        if self.emotion is not None:
            data["emotion"] = {k: v for k, v in asdict(self.emotion).items() if v is not None}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SpeechInput:
        values = dict(data)
        if values.get("emotion") is not None:
            emotion = dict(values["emotion"])
            if emotion.get("vector") is not None:
                emotion["vector"] = tuple(emotion["vector"])
            values["emotion"] = Emotion(**emotion)
        if isinstance(values.get("score"), list):
            values["score"] = tuple(values["score"])
        if recordings := values.get("recordings"):
            values["recordings"] = {voice_id: Recording(**one) for voice_id, one in recordings.items()}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a text as it was spoken; times in seconds from the start of the clip."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """The audio of a job: where its PCM lies and what it is."""

    pcm_sha256: str
    duration_s: float
    sample_rate: int
    channels: int
    pieces: tuple[Piece, ...]
    batch: tuple[str, ...] = ()
    """Ids of the jobs that the engine spoke in one go with this one, itself included, in their order; empty: alone.
    What stands beside a text in a batch may change how it sounds."""


@dataclass(frozen=True, slots=True)
class JobError:
    """How a job ended without audio."""

    code: FailureCode
    message: str


@dataclass(frozen=True, slots=True)
class Facet:
    """State of scoring or tracking. ``attempt`` fences writes just as the job's own does."""

    status: FacetStatus
    attempt: int = 0
    holder: str | None = None
    lease_until: float | None = None
    due_at: float | None = None
    """Not before this time (back-off); epoch seconds."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as the gateway adds it. Times are epoch seconds."""

    id: str
    user: str
    pin: str
    engine: str
    lock_sha256: str
    asked: Mapping[str, Any]
    """The body as it came."""
    input: SpeechInput
    controls: Mapping[str, str]
    """Per control that was asked for: native, post or no_effect."""
    metadata: Mapping[str, str]
    priority: int
    created_at: float
    expires_at: float
    timeout_s: float
    estimated_s: float
    """Seconds of audio expected, charged to the user's fair share when claimed."""

    @property
    def alias(self) -> str | None:
        """The alias that was asked for, where the pin was not asked for by its name."""
        asked = self.asked.get("pin")
        return asked if asked != self.pin else None


@dataclass(frozen=True, slots=True)
class Job(NewJob):
    """A job as stored: what was added, and where it stands. Times are epoch seconds."""

    status: Status
    scoring: Facet
    tracking: Facet
    attempt: int = 0
    worker: str | None = None
    lease_until: float | None = None
    cancel_requested: bool = False
    started_at: float | None = None
    """When a worker first took the current attempt."""
    completed_at: float | None = None
    error: JobError | None = None
    audio: Spoken | None = None
    progress: tuple[int, int] | None = None
    """Pieces spoken, pieces in all."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """queue_s, load_s, speak_s, rtf, peak_rss_mb; score_s once scored."""
    environment: str | None = None
    """Id of the environment that spoke it."""
    scores: Mapping[str, Scored] = field(default_factory=dict)
    scorers_lock: str | None = None
    run_id: str | None = None
    run_url: str | None = None

    @property
    def finished(self) -> bool:
        return self.status in TERMINAL

    def evolve(self, **changes: Any) -> Job:
        """A copy with ``changes``."""
        return replace(self, **changes)

    @classmethod
    def accepted(cls, new: NewJob) -> Job:
        """The job as it is right after it was added."""
        given = {name: getattr(new, name) for name in NewJob.__slots__}
        return cls(
            **given,
            status=Status.QUEUED,
            scoring=Facet(FacetStatus.PENDING if new.input.score else FacetStatus.SKIPPED),
            tracking=Facet(FacetStatus.PENDING),
        )


class JobIds(Ids):
    """``job_`` + ULID: in the order they were given, also within one millisecond."""

    def __init__(self) -> None:
        super().__init__("job_")
