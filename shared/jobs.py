"""A job: what was asked for, what is used, and its state.

Owns the job's values and its three state machines (status, scoring, tracking). Knows neither HTTP nor SQL.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from shared.controls import Emotion, SpeechControls
from shared.errors import FailureCode
from shared.ids import Ids
from shared.readings.lexicons import LexiconUsed
from shared.readings.pronunciation import Pronunciation
from shared.scores import Scored
from shared.values.members import known
from shared.voices import Recording

MAX_TEXT_CHARS = 10_000
MAX_ATTEMPTS = 3
"""How many times a job may end its engine host, or fail in a way that may pass. After that it has failed."""
MAX_LAPSES = 10
"""How many times a holder's lease may run out. A worker or scorer that is killed, stopped or cut off says nothing about
the work that it held, so a lapse costs no attempt. The limit still ends a job that kills its holder every time."""

WORKER_LOST = f"the worker of this job was lost {MAX_LAPSES} times"
"""The error message of a job that ended this way."""


class Status(StrEnum):
    """State of the speaking."""

    QUEUED = "queued"  # accepted and on disk; no worker holds it
    STARTING = "starting"  # a worker holds it and loads the model
    PROCESSING = "processing"  # a worker is speaking it
    SUCCEEDED = "succeeded"  # its audio can be fetched
    FAILED = "failed"  # `error` says why
    CANCELED = "canceled"  # its user asked for this
    EXPIRED = "expired"  # waited longer than its ttl_s


class FacetStatus(StrEnum):
    """State of scoring or tracking."""

    PENDING = "pending"  # to be done, perhaps only after another facet
    RUNNING = "running"  # a scorer holds it
    DONE = "done"  # over; some values may be unscored
    FAILED = "failed"  # its retry budget is spent
    SKIPPED = "skipped"  # not asked for, or there is nothing to do it on


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
"""States in which a worker holds the job under a lease."""


@dataclass(frozen=True, slots=True)
class SpeechInput(SpeechControls):
    """What is to be spoken and how, with every default filled in."""

    text: str
    language: str
    reference: str | None = field(default=None, kw_only=True)
    """Id of an uploaded voice."""
    sample_rate: int | None = field(default=None, kw_only=True)
    """Sample rate in Hz; ``None`` is the pin's own rate."""
    score: bool | tuple[str, ...] = field(default=True, kw_only=True)
    """True: the default metric families; False: none; else the named families."""
    pronunciation: Pronunciation | None = field(default=None, kw_only=True)
    """What is judged of the text's pronunciation. It changes no sound."""
    recordings: Mapping[str, Recording] = field(default_factory=dict, kw_only=True)
    """Voice id -> the recording that the uploaded voice had when the job was accepted, for every voice named above."""
    lexicon: LexiconUsed | None = field(default=None, kw_only=True)
    written: str | None = field(default=None, kw_only=True)
    """The text as it was written, if the lexicon changed it. What is heard is compared with this one."""

    @property
    def as_written(self) -> str:
        """The text before the lexicon changed it."""
        return self.text if self.written is None else self.written

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        if self.emotion is not None:
            data["emotion"] = {k: v for k, v in asdict(self.emotion).items() if v is not None}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SpeechInput:
        values = dict(known(cls, data))
        if values.get("emotion") is not None:
            emotion = dict(known(Emotion, values["emotion"]))
            if emotion.get("vector") is not None:
                emotion["vector"] = tuple(emotion["vector"])
            values["emotion"] = Emotion(**emotion)
        if isinstance(values.get("score"), list):
            values["score"] = tuple(values["score"])
        if values.get("pronunciation") is not None:
            values["pronunciation"] = Pronunciation.from_json(values["pronunciation"])
        if recordings := values.get("recordings"):
            values["recordings"] = {
                voice_id: Recording(**known(Recording, one)) for voice_id, one in recordings.items()
            }
        if values.get("lexicon") is not None:
            values["lexicon"] = LexiconUsed.from_json(values["lexicon"])
        spoken = cls(**values)
        if not (isinstance(spoken.text, str) and isinstance(spoken.language, str)):
            raise ValueError("a text and a language are needed")
        return spoken


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a text as it was spoken. Times are seconds from the start of the clip."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """The audio of a job: the hash of its PCM, and its properties."""

    pcm_sha256: str
    duration_s: float
    sample_rate: int
    channels: int
    pieces: tuple[Piece, ...]
    batch: tuple[str, ...] = ()
    """Ids of the jobs that the engine spoke in one batch with this one, itself included, in their order; empty if it
    was spoken alone. The other texts of a batch may change how a text sounds."""


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job ended without audio."""

    code: FailureCode
    message: str


@dataclass(frozen=True, slots=True)
class Facet:
    """State of scoring or tracking. Writes are fenced by ``attempt``, as they are for the job itself."""

    status: FacetStatus
    attempt: int = 0
    holder: str | None = None
    lease_until: float | None = None
    due_at: float | None = None
    """Epoch seconds; the facet is not due before this time (back-off)."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as the gateway adds it. Times are epoch seconds."""

    id: str
    user: str
    pin: str
    engine: str
    lock_sha256: str
    asked: Mapping[str, Any]
    """The request body as it came."""
    input: SpeechInput
    controls: Mapping[str, str]
    """Control -> native, post or no_effect, for each control that was asked for."""
    metadata: Mapping[str, str]
    priority: int
    created_at: float
    expires_at: float
    timeout_s: float
    estimated_s: float
    """Expected seconds of audio. Charged to the user's fair share when the job is claimed."""

    @property
    def alias(self) -> str | None:
        """The alias that was asked for, or ``None`` if the pin was asked for by its name."""
        asked = self.asked.get("pin")
        return asked if asked != self.pin else None


@dataclass(frozen=True, slots=True)
class Job(NewJob):
    """A job as stored: what was added, and its state. Times are epoch seconds."""

    status: Status
    scoring: Facet
    tracking: Facet
    attempt: int = 0
    worker: str | None = None
    lease_until: float | None = None
    cancel_requested: bool = False
    started_at: float | None = None
    """When a worker took the job for the current attempt."""
    completed_at: float | None = None
    error: JobError | None = None
    audio: Spoken | None = None
    progress: tuple[int, int] | None = None
    """Pieces spoken so far, and pieces in all."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """queue_s, load_s, speak_s, rtf, cpu_s, peak_rss_mb, on a GPU peak_vram_mb; score_s once scored."""
    environment: str | None = None
    """Id of the environment record of the worker that spoke it."""
    scores: Mapping[str, Scored] = field(default_factory=dict)
    scorers_lock: str | None = None
    run_id: str | None = None
    run_url: str | None = None

    @property
    def finished(self) -> bool:
        return self.status in TERMINAL

    def evolve(self, **changes: Any) -> Job:
        """Return a copy with ``changes``."""
        return replace(self, **changes)

    @classmethod
    def accepted(cls, new: NewJob) -> Job:
        """Return the job as it is right after it was added."""
        given = {name: getattr(new, name) for name in NewJob.__slots__}
        return cls(
            **given,
            status=Status.QUEUED,
            scoring=Facet(FacetStatus.PENDING if new.input.score else FacetStatus.SKIPPED),
            tracking=Facet(FacetStatus.PENDING),
        )


class JobState(NamedTuple):
    """What a waiting request needs to know about a job."""

    user: str
    over: bool


class JobIds(Ids):
    """Creates job ids: ``job_`` + ULID, in order even within one millisecond."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__("job_", clock)
