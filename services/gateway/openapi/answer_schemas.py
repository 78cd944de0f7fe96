"""The shapes of the answers, for the OpenAPI document and for the tests that check real answers against them.

Owns no behaviour: answers are made in `answers.py`, as plain dictionaries, because thousands of them are made. A class
is named as its component of the OpenAPI document, with `Document` behind: `Job` is a record elsewhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.catalog import PinState, Support
from shared.errors import FailureCode, RefusalCode
from shared.jobs import FacetStatus, Status
from shared.scores import Reason

Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", examples=["2025-01-31T12:00:00.000Z"])]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def without_suffix(name: str) -> str:
    """The name of the component that the class of this name describes."""
    return name.removesuffix("Document")


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid", model_title_generator=lambda model: without_suffix(model.__name__))


class JobErrorDocument(Document):
    """Why a job ended without audio."""

    code: FailureCode
    message: str


class PinUsedDocument(Document):
    """The model version that was used, tied to its files by the hash of its lock."""

    name: str
    engine: str
    lock_sha256: str
    alias: Annotated[str | None, Field(description="The alias that was requested, if the request named one.")] = None


class EmotionUsedDocument(Document):
    """The emotion in one of the four forms, and its strength."""

    name: str | None = None
    vector: list[float] | None = None
    audio: str | None = None
    text: str | None = None
    strength: float


class RecordingDocument(Document):
    """The audio of an uploaded voice: mono 16-bit PCM at its own sample rate, named by its SHA-256."""

    pcm_sha256: Sha256
    sample_rate: int
    duration_s: float


class LexiconUsedDocument(Document):
    """A lexicon. `sha256` is that of its entries and language."""

    name: str
    version: str
    sha256: Sha256


class PronunciationDocument(Document):
    """What is judged of the text's pronunciation: a part of it, with right and wrong readings."""

    target: str
    right: list[str]
    wrong: list[str]


class InputUsedDocument(Document):
    """What is spoken and how, with every default filled in.

    `sample_rate` is absent if it is the pin's own. `recordings` has, by id, the recordings of the uploaded voices that
    were named, as they were then. `text` is what is spoken: if the lexicon changed it, `written` is the text that was
    sent."""

    text: str
    written: str | None = None
    language: str
    voice: str | None = None
    reference: str | None = None
    emotion: EmotionUsedDocument | None = None
    speed: float
    pitch_scale: float
    seed: int
    sample_rate: int | None = None
    lexicon: LexiconUsedDocument | None = None
    options: dict[str, Any]
    recordings: dict[str, RecordingDocument] | None = None
    score: bool | list[str]
    pronunciation: PronunciationDocument | None = None
    priority: int
    ttl_s: float
    timeout_s: float


class PieceDocument(Document):
    """A part of the text that was spoken in one call."""

    text: str
    start_s: float
    end_s: float


class AudioDocument(Document):
    """The audio of a job. `pcm_sha256` is the SHA-256 of the bare samples."""

    url: str
    pcm_sha256: Sha256
    duration_s: float
    sample_rate: int
    channels: int
    pieces: list[PieceDocument]
    batch: Annotated[
        list[str] | None, Field(description="Ids of the jobs spoken in the same batch, including this one.")
    ] = None


class ProgressDocument(Document):
    """The number of pieces spoken, and of pieces in all."""

    piece: int
    pieces: int


class TranscriptDocument(Document):
    """What a recogniser heard, and both sides as they were compared: words, or characters without blanks between."""

    heard: str
    text_counted: str
    heard_counted: str


class HeardReadingDocument(Document):
    """What a recogniser heard of the readings that it was given: the likeliest one, whether that is right, and by how
    many nats it is likelier than the best of the other kind."""

    recogniser: str
    reading: str
    right: bool
    margin: float


class ScoreDocument(Document):
    """A measured value. An error rate of a recogniser has its transcript. A verdict on a pronunciation, which is the
    value 1, has the reading that each recogniser heard."""

    value: float
    unit: str
    scorer_lock: str
    transcript: TranscriptDocument | None = None
    readings: list[HeardReadingDocument] | None = None


class UnscoredDocument(Document):
    """A value that could not be measured, and why. It is never zero."""

    unscored: Reason
    detail: str | None = None


class ScoringDocument(Document):
    """The status of scoring, and the scores by metric."""

    status: FacetStatus
    scores: dict[str, ScoreDocument | UnscoredDocument] | None = None


class TrackingDocument(Document):
    """The status of tracking, and the job's run in MLflow."""

    status: FacetStatus
    run_id: str | None = None
    url: str | None = None


class LinksDocument(Document):
    """Paths, so that clients need not build any."""

    self: str
    audio: str
    cancel: str


class JobDocument(Document):
    """A job. Members that do not apply yet are absent, except `error` and `audio`, which are null."""

    id: str
    object: Literal["job"]
    status: Status
    error: JobErrorDocument | None
    pin: PinUsedDocument
    input: InputUsedDocument
    controls: Annotated[dict[str, Support], Field(description="How the pin honours each requested control.")]
    attempt: int
    queue_position: Annotated[int | None, Field(description="1 is next; absent once started or if not counted.")] = None
    eta_seconds: float | None = None
    progress: ProgressDocument | None = None
    audio: AudioDocument | None
    scoring: ScoringDocument
    tracking: TrackingDocument
    timings: dict[str, float]
    metadata: dict[str, str]
    created_at: Time
    started_at: Time | None = None
    completed_at: Time | None = None
    links: LinksDocument


class FieldErrorDocument(Document):
    """One fault of a request. `pointer` is a JSON pointer into the body, or into the query seen as an object."""

    pointer: str
    detail: str


class ProblemDocument(Document):
    """Why a request was refused (RFC 9457). `code` is stable; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: RefusalCode
    request_id: str
    errors: list[FieldErrorDocument] | None = None
    retry_after: int | None = None


class BatchResultDocument(Document):
    """The result for one job of a batch: the job, or the problem with it."""

    index: int
    job: JobDocument | None = None
    problem: ProblemDocument | None = None


class BatchDocument(Document):
    """The results of a batch, in the order in which its jobs came."""

    object: Literal["batch"]
    accepted: int
    refused: int
    data: list[BatchResultDocument]


class JobListDocument(Document):
    """A page of jobs, newest first. A page can be short or empty although there are more jobs: check `has_more`."""

    data: list[JobDocument]
    next_cursor: str | None
    has_more: bool


class AliasOfPinDocument(Document):
    """An alias of this pin, and its last move. A candidate has a `weight`, and the `share` that it takes now."""

    alias: str
    weight: float | None = None
    share: float | None = None
    detail: str | None = None
    since: Time
    by: str
    reason: str


class PinDocument(Document):
    """A pin and what it can do."""

    name: str
    object: Literal["pin"]
    engine: str
    engine_version: str
    lock_sha256: str
    sample_rate: int
    languages: list[str]
    default_language: str
    voices: list[str]
    voice_pattern: str | None = None
    default_voice: str | None = None
    controls: dict[str, Support]
    emotions: list[str]
    max_batch: int
    max_piece_chars: int
    options_schema: dict[str, Any]
    licence: str
    description: str
    trust_remote_code: bool = False
    model_repo: str | None = None
    model_revision: str | None = None
    state: PinState
    detail: str | None = None
    live: bool
    aliases: list[AliasOfPinDocument]
    confirmed_at: Time | None = None
    environment: Annotated[
        dict[str, Any] | None,
        Field(description="The part of the worker's environment record that can change a sample."),
    ] = None


class PinListDocument(Document):
    """Every pin that a worker ever published."""

    data: list[PinDocument]
    next_cursor: None
    has_more: Literal[False]


class ConsentDocument(Document):
    """Who allowed the voice to be used, when, and in which words."""

    by: str
    at: Time
    text: str


class VoiceDocument(Document):
    """An uploaded voice."""

    id: str
    object: Literal["voice"]
    name: str | None
    recording: RecordingDocument
    consent: ConsentDocument
    created_at: Time
    links: dict[Literal["self", "audio"], str]


class VoiceListDocument(Document):
    """A page of voices, newest first."""

    data: list[VoiceDocument]
    next_cursor: str | None
    has_more: bool


class ReadinessDocument(Document):
    """Whether the gateway accepts jobs.

    `degraded`: it does, but jobs wait for something that is away. Each check is `ok`, `unreachable` or a reason
    code."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: dict[str, str]
