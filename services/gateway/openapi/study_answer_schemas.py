"""The shapes of answers about evaluations, comparisons and gates. `answer_schemas.py` has those of jobs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from services.gateway.openapi.answer_schemas import Document, PinUsedDocument, Sha256, Time, TrackingDocument
from shared.scores import Direction

Files = Annotated[dict[str, Sha256], Field(description="Path of each file and the SHA-256 of its bytes.")]


class SuiteUsedDocument(Document):
    """The suite that is spoken. `items` is the number of its items. Suites with the same hash give the same result."""

    name: str
    version: str
    sha256: Sha256
    items: int


class EvaluationProgressDocument(Document):
    """How many clips have reached each step. A clip counts in every step that it has passed. `failed`: without
    audio."""

    clips: int
    cached: int
    spoken: int
    scored: int
    tracked: int
    failed: int


class SummaryDocument(Document):
    """A summary of one quantity over the items. `scored` and `unscored` count clips."""

    unit: str
    direction: Direction
    mean: float | None
    n: int
    scored: int
    unscored: dict[str, int]


class NoiseDocument(Document):
    """The noise floor of one quantity.

    `run_to_run`: half-width of the 95 % range of the difference between two readings with one seed each."""

    sigma: float
    freedom: int
    items: int
    run_to_run: float
    is_zero: bool
    scorer_lock: str


class EvaluationResultDocument(Document):
    """The result of an evaluation.

    `noise`: by quantity, how much readings differ when only the seed changes. It needs two or more seeds."""

    metrics: dict[str, SummaryDocument]
    noise: dict[str, NoiseDocument]
    scorer_locks: dict[str, str]
    environments: list[str]
    files: Files


class StudyErrorDocument(Document):
    """Why there is no result."""

    code: str
    message: str


class EvaluationLinksDocument(Document):
    self: str
    cancel: str
    items: str
    clips: str


class LexiconDocument(Document):
    """A lexicon. `sha256` is that of its entries and language."""

    name: str
    version: str
    language: str | None = None
    entries: dict[str, str]
    sha256: str


class EvaluationDocument(Document):
    """A suite, spoken by a pin and scored. `result` is null until it is there, and absent in lists."""

    id: str
    object: Literal["evaluation"]
    status: Literal["running", "succeeded", "failed", "canceled"]
    pin: PinUsedDocument
    suite: SuiteUsedDocument
    seeds: list[int]
    score: Literal[True] | list[str]
    params: dict[str, Any]
    preprocessing: str
    lexicon: LexiconDocument | None
    progress: EvaluationProgressDocument
    eta_seconds: Annotated[float | None, Field(description="Until all is scored; absent where unknown.")] = None
    result: EvaluationResultDocument | None = None
    error: StudyErrorDocument | None
    tracking: TrackingDocument
    created_at: Time
    completed_at: Time | None = None
    links: EvaluationLinksDocument


class EvaluationListDocument(Document):
    """A page of evaluations, newest first."""

    data: list[EvaluationDocument]
    next_cursor: str | None
    has_more: bool


class ClipDocument(Document):
    """An item at one seed, and the job that speaks it."""

    item: str
    seed: int
    job: str
    cached: bool
    links: dict[Literal["job", "audio"], str]


class ClipListDocument(Document):
    """Every clip of an evaluation."""

    data: list[ClipDocument]
    next_cursor: None
    has_more: Literal[False]


class ComparisonLinksDocument(Document):
    self: str
    report: str


class ComparisonDocument(Document):
    """A comparison of two evaluations. `result` has a row per metric and scope; it is null until it is there."""

    id: str
    object: Literal["comparison"]
    status: Literal["waiting", "running", "succeeded", "failed", "canceled"]
    baseline: str
    candidate: str
    allow: list[str]
    headline: Annotated[str | None, Field(description="The result in a sentence.")]
    result: dict[str, Any] | None = None
    files: list[str]
    error: StudyErrorDocument | None
    tracking: TrackingDocument
    created_at: Time
    completed_at: Time | None = None
    links: ComparisonLinksDocument


class ComparisonListDocument(Document):
    """A page of comparisons, newest first."""

    data: list[ComparisonDocument]
    next_cursor: str | None
    has_more: bool


class GateLinksDocument(Document):
    self: str
    summary: str


class GateDocument(Document):
    """Rules, checked against a comparison. `result` has the outcome of each rule; it is null until it is there."""

    id: str
    object: Literal["gate"]
    status: Literal["waiting", "running", "succeeded", "failed", "canceled"]
    comparison: str
    rules: Annotated[dict[str, Any], Field(description="With every default filled in.")]
    verdict: Literal["pass", "fail", "inconclusive"] | None
    headline: str | None
    result: dict[str, Any] | None = None
    files: list[str]
    error: StudyErrorDocument | None
    tracking: TrackingDocument
    created_at: Time
    completed_at: Time | None = None
    links: GateLinksDocument


class GateListDocument(Document):
    """A page of gates, newest first."""

    data: list[GateDocument]
    next_cursor: str | None
    has_more: bool
