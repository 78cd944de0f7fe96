"""What the gateway tells, as typed values: jobs with their audio, scores and facets, and pins.

Owns the way from JSON to these types. Members it does not know are ignored here and kept in ``raw``. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict

Json = Mapping[str, Any]
Until = Literal["status", "scoring", "tracking"]
"""The facet of a job that a caller waits for."""

FINISHED = frozenset({"succeeded", "failed", "canceled", "expired"})
OVER = frozenset({"done", "failed", "skipped"})
"""States of scoring and tracking after which nothing more comes."""


class JobFilters(TypedDict, total=False):
    """Which jobs to list; what is left out does not filter."""

    status: str
    pin: str
    scoring: str
    tracking: str
    created_after: datetime
    created_before: datetime
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PinUsed:
    """The model version a job is spoken with, bound to its bytes by the lock's hash."""

    name: str
    engine: str
    lock_sha256: str
    alias: str | None = None
    """The name that was asked for, where that was an alias (``indextts2@production``)."""

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
    """One stretch of the text as it was spoken; seconds from the start of the clip."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Audio:
    """What there is to hear. ``pcm_sha256`` is the hash of the bare samples; ``sample_rate`` is in Hz."""

    url: str
    pcm_sha256: str
    duration_s: float
    sample_rate: int
    channels: int
    pieces: tuple[Piece, ...]
    batch: tuple[str, ...] = ()
    """Jobs that were spoken in one go with this one, itself included: their texts may change how it sounds."""

    @classmethod
    def from_json(cls, data: Json) -> Audio:
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
class Score:
    """One measured value, by the scorer whose lock is ``scorer_lock``."""

    value: float
    unit: str
    scorer_lock: str


@dataclass(frozen=True, slots=True)
class Unscored:
    """A value that could not be measured, and why. Never a zero."""

    reason: str
    detail: str = ""


def score_from_json(data: Json) -> Score | Unscored:
    """A score, or the honest absence of one."""
    if "unscored" in data:
        return Unscored(data["unscored"], data.get("detail", ""))
    return Score(data["value"], data["unit"], data["scorer_lock"])


@dataclass(frozen=True, slots=True)
class Scoring:
    """Where scoring stands, and what it gave, by metric name (``mos/nisqa_tts``)."""

    status: str
    scores: Mapping[str, Score | Unscored]

    @classmethod
    def from_json(cls, data: Json) -> Scoring:
        scores = {name: score_from_json(score) for name, score in data.get("scores", {}).items()}
        return cls(data["status"], scores)


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where tracking stands, and the job's run in MLflow."""

    status: str
    run_id: str | None
    url: str | None

    @classmethod
    def from_json(cls, data: Json) -> Tracking:
        return cls(data["status"], data.get("run_id"), data.get("url"))


@dataclass(frozen=True, slots=True)
class Progress:
    """Pieces spoken, of pieces in all."""

    piece: int
    pieces: int


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the gateway told it; ``raw`` is the whole answer."""

    id: str
    status: str
    pin: PinUsed
    input: Json
    controls: Mapping[str, str]
    error: JobError | None
    audio: Audio | None
    scoring: Scoring
    tracking: Tracking
    progress: Progress | None
    queue_position: int | None
    """1 is next; ``None`` once started."""
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
            audio=Audio.from_json(audio) if audio else None,
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
        """Nothing more will be spoken; scoring and tracking may go on."""
        return self.status in FINISHED

    @property
    def succeeded(self) -> bool:
        """There is audio."""
        return self.status == "succeeded"

    def reached(self, until: Until) -> bool:
        """Whether that facet, and what comes before it, is over. Without audio there is nothing to score, and a job
        that was never started is not tracked."""
        if until == "status" or not self.finished:
            return self.finished
        if until == "scoring":
            return self.scoring.status in OVER or not self.succeeded
        return self.tracking.status in OVER or self.started_at is None

    @property
    def standing(self) -> str:
        """Where it stands, in one word or two: its status, or what is still to come after that."""
        if not self.reached("scoring"):
            return f"scoring {self.scoring.status}" if self.finished else self.status
        return self.status if self.reached("tracking") else f"tracking {self.tracking.status}"


@dataclass(frozen=True, slots=True)
class Pin:
    """A model version that can be asked for, as its worker describes it; ``raw`` is the whole manifest."""

    name: str
    engine: str
    lock_sha256: str
    state: str
    live: bool
    """A worker serves it now."""
    sample_rate: int
    languages: tuple[str, ...]
    emotions: tuple[str, ...]
    controls: Mapping[str, str]
    aliases: tuple[str, ...]
    """What else it is called, such as ``indextts2@production``."""
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
