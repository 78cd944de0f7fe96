"""The gateway's JSON as typed values: jobs with their audio, scores and facets, and pins.

Owns the conversion. Unknown members are ignored here and kept in ``raw``. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict

from ringtrue.errors import RingtrueError

Json = Mapping[str, Any]
Until = Literal["status", "scoring", "tracking"]
"""The facet of a job that a caller waits for."""

FINISHED = frozenset({"succeeded", "failed", "canceled", "expired"})
OVER = frozenset({"done", "failed", "skipped"})
"""Final states of scoring and tracking."""


class JobFilters(TypedDict, total=False):
    """Which jobs to list. A filter that is left out does not apply."""

    status: str
    pin: str
    scoring: str
    tracking: str
    created_after: datetime
    created_before: datetime
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PinUsed:
    """The model version that a job is spoken with. The lock's hash identifies its exact bytes."""

    name: str
    engine: str
    lock_sha256: str
    alias: str | None = None
    """The alias that was asked for (``indextts2@production``), if it was one."""

    @classmethod
    def from_json(cls, data: Json) -> PinUsed:
        return cls(data["name"], data["engine"], data["lock_sha256"], data.get("alias"))


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job ended without audio."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of the text as it was spoken. Times are seconds from the start of the clip."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class JobAudio:
    """The audio of a job. ``pcm_sha256`` is the hash of the bare samples; ``sample_rate`` is in Hz."""

    url: str
    pcm_sha256: str
    duration_s: float
    sample_rate: int
    channels: int
    pieces: tuple[Piece, ...]
    batch: tuple[str, ...] = ()
    """Ids of the jobs that were spoken in one batch with this one, itself included. The others may change its sound."""

    @classmethod
    def from_json(cls, data: Json) -> JobAudio:
        pieces = tuple(Piece(p["text"], p["start_s"], p["end_s"]) for p in data.get("pieces", ()))
        return cls(
            data["url"],
            data["pcm_sha256"],
            data["duration_s"],
            data["sample_rate"],
            data.get("channels", 1),
            pieces,
            tuple(data.get("batch") or ()),
        )


@dataclass(frozen=True, slots=True)
class ComparedTranscript:
    """What a recogniser heard, and both sides as they were compared: words, or characters without blanks between."""

    heard: str
    text_counted: str
    heard_counted: str


@dataclass(frozen=True, slots=True)
class RecogniserReading:
    """Which of the readings that it was given a recogniser heard, and by how many nats it is likelier than the best of
    the other kind."""

    recogniser: str
    reading: str
    right: bool
    margin: float


@dataclass(frozen=True, slots=True)
class Score:
    """One measured value. ``scorer_lock`` is the lock of the scorer that measured it.

    ``transcript``: of an error rate, what was compared. ``readings``: of a verdict on a pronunciation, what each
    recogniser heard.
    """

    value: float
    unit: str
    scorer_lock: str
    transcript: ComparedTranscript | None = None
    readings: tuple[RecogniserReading, ...] = ()


@dataclass(frozen=True, slots=True)
class Unscored:
    """A value that could not be measured, and the reason. It is never zero."""

    reason: str
    detail: str = ""


def score_from_json(data: Json) -> Score | Unscored:
    """Return a score or an unscored value."""
    if "unscored" in data:
        return Unscored(data["unscored"], data.get("detail", ""))
    compared = data.get("transcript")
    transcript = compared and ComparedTranscript(compared["heard"], compared["text_counted"], compared["heard_counted"])
    heard = (
        RecogniserReading(r["recogniser"], r["reading"], r["right"], r["margin"]) for r in data.get("readings") or ()
    )
    return Score(data["value"], data["unit"], data["scorer_lock"], transcript or None, tuple(heard))


@dataclass(frozen=True, slots=True)
class Scoring:
    """State of scoring, and the scores by metric name (``mos/nisqa_tts``)."""

    status: str
    scores: Mapping[str, Score | Unscored]

    @classmethod
    def from_json(cls, data: Json) -> Scoring:
        scores = {name: score_from_json(score) for name, score in data.get("scores", {}).items()}
        return cls(data["status"], scores)


@dataclass(frozen=True, slots=True)
class Tracking:
    """State of tracking, and the job's run in MLflow."""

    status: str
    run_id: str | None
    url: str | None

    @classmethod
    def from_json(cls, data: Json) -> Tracking:
        return cls(data["status"], data.get("run_id"), data.get("url"))


@dataclass(frozen=True, slots=True)
class Progress:
    """Pieces spoken so far, of all pieces."""

    piece: int
    pieces: int


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the gateway described it. ``raw`` is the whole JSON."""

    id: str
    status: str
    pin: PinUsed
    input: Json
    controls: Mapping[str, str]
    error: JobError | None
    audio: JobAudio | None
    scoring: Scoring
    tracking: Tracking
    progress: Progress | None
    queue_position: int | None
    """Place in the queue, 1 is next; ``None`` once started."""
    eta_seconds: float | None
    attempt: int
    timings: Mapping[str, float]
    metadata: Mapping[str, str]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    links: Mapping[str, str]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, data: Json) -> Job:
        error, audio, progress = data.get("error"), data.get("audio"), data.get("progress")
        return cls(
            id=data["id"],
            status=data["status"],
            pin=PinUsed.from_json(data["pin"]),
            input=data.get("input", {}),
            controls=data.get("controls", {}),
            error=JobError(error["code"], error.get("message", "")) if error else None,
            audio=JobAudio.from_json(audio) if audio else None,
            scoring=Scoring.from_json(data["scoring"]),
            tracking=Tracking.from_json(data["tracking"]),
            progress=Progress(progress["piece"], progress["pieces"]) if progress else None,
            queue_position=data.get("queue_position"),
            eta_seconds=data.get("eta_seconds"),
            attempt=data.get("attempt", 0),
            timings=data.get("timings", {}),
            metadata=data.get("metadata", {}),
            created_at=datetime.fromisoformat(data["created_at"]),
            started_at=_time(data.get("started_at")),
            completed_at=_time(data.get("completed_at")),
            links=data.get("links", {}),
            raw=data,
        )

    @property
    def finished(self) -> bool:
        """Whether nothing more will be spoken. Scoring and tracking may go on."""
        return self.status in FINISHED

    @property
    def succeeded(self) -> bool:
        """Whether there is audio."""
        return self.status == "succeeded"

    def reached(self, until: Until) -> bool:
        """Return whether that facet, and what comes before it, is over.

        Without audio there is nothing to score, and a job that was never started is not tracked.
        """
        if until == "status" or not self.finished:
            return self.finished
        if until == "scoring":
            return self.scoring.status in OVER or not self.succeeded
        return self.tracking.status in OVER or self.started_at is None

    @property
    def standing(self) -> str:
        """Its state in one or two words: the status, or the facet that is still to come."""
        if not self.reached("scoring"):
            return f"scoring {self.scoring.status}" if self.finished else self.status
        return self.status if self.reached("tracking") else f"tracking {self.tracking.status}"


@dataclass(frozen=True, slots=True)
class Pin:
    """A model version that jobs can use, as its worker describes it. ``raw`` is the whole manifest."""

    name: str
    engine: str
    lock_sha256: str
    state: str
    live: bool
    """Whether a worker serves it now."""
    sample_rate: int
    languages: tuple[str, ...]
    emotions: tuple[str, ...]
    controls: Mapping[str, str]
    aliases: tuple[str, ...]
    """Its aliases, such as ``indextts2@production``."""
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, data: Json) -> Pin:
        return cls(
            name=data["name"],
            engine=data["engine"],
            lock_sha256=data["lock_sha256"],
            state=data["state"],
            live=data["live"],
            sample_rate=data["sample_rate"],
            languages=tuple(data.get("languages", ())),
            emotions=tuple(data.get("emotions", ())),
            controls=data.get("controls", {}),
            aliases=tuple(entry["alias"] for entry in data.get("aliases", ())),
            raw=data,
        )


class JobFailed(RingtrueError):
    """A job ended without audio."""

    def __init__(self, job: Job) -> None:
        why = f"{job.error.code}: {job.error.message}" if job.error else f"no audio: the job was {job.status}"
        super().__init__(f"{job.id} {why}")
        self.job = job


class WaitTimedOut(RingtrueError):
    """The job was not done in time; it goes on."""

    def __init__(self, job: Job, waited_s: float) -> None:
        super().__init__(f"{job.id} is still {job.standing} after {waited_s:g} s")
        self.job = job
