"""The shapes of what is answered of evaluations, comparisons and gates, as `documents.py` has them of jobs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from services.gateway.documents import Document, PinUsed, Sha256, Time, Tracking
from shared.scores import Direction

Files = Annotated[dict[str, Sha256], Field(description="Path of each file and the SHA-256 of its bytes.")]


class SuiteUsed(Document):
    """What is spoken; `items`: how many. Suites of one hash are the same to a result."""

    name: str
    version: str
    sha256: Sha256
    items: int


class EvaluationProgress(Document):
    """How many clips have come how far; each counts in every column that it has passed. `failed`: without audio."""

    clips: int
    cached: int
    spoken: int
    scored: int
    tracked: int
    failed: int


class Summary(Document):
    """Of one quantity over the items. `scored`, `unscored`: clips."""

    unit: str
    direction: Direction
    mean: float | None
    n: int
    scored: int
    unscored: dict[str, int]


class Noise(Document):
    """`run_to_run`: half-width of the 95 % range of the difference of two readings, one seed each."""

    sigma: float
    freedom: int
    items: int
    run_to_run: float
    is_zero: bool
    scorer_lock: str


class EvaluationResult(Document):
    """`noise`: of two seeds and more, by quantity, what readings differ by when only the seed changes."""

    metrics: dict[str, Summary]
    noise: dict[str, Noise]
    scorer_locks: dict[str, str]
    environments: list[str]
    files: Files


class StudyError(Document):
    """Why there is no result."""

    code: str
    message: str


class EvaluationLinks(Document):
    self: str
    cancel: str
    items: str
    clips: str


class Evaluation(Document):
    """A suite, spoken by a pin and scored. `result` is null until it is there, and absent in lists."""

    id: str
    object: Literal["evaluation"]
    status: Literal["running", "succeeded", "failed", "canceled"]
    pin: PinUsed
    suite: SuiteUsed
    seeds: list[int]
    score: Literal[True] | list[str]
    params: dict[str, Any]
    preprocessing: str
    progress: EvaluationProgress
    eta_seconds: Annotated[float | None, Field(description="Until all is scored; absent where unknown.")] = None
    result: EvaluationResult | None = None
    error: StudyError | None
    tracking: Tracking
    created_at: Time
    completed_at: Time | None = None
    links: EvaluationLinks


class EvaluationList(Document):
    """A page of evaluations, newest first."""

    data: list[Evaluation]
    next_cursor: str | None
    has_more: bool


class Clip(Document):
    """An item at one seed, and the job that speaks it."""

    item: str
    seed: int
    job: str
    cached: bool
    links: dict[Literal["job", "audio"], str]


class ClipList(Document):
    """Every clip of an evaluation."""

    data: list[Clip]
    next_cursor: None
    has_more: Literal[False]


class ComparisonLinks(Document):
    self: str
    report: str


class Comparison(Document):
    """Two evaluations, held against each other. `result` has a row per metric and scope; null until it is there."""

    id: str
    object: Literal["comparison"]
    status: Literal["waiting", "running", "succeeded", "failed", "canceled"]
    baseline: str
    candidate: str
    allow: list[str]
    headline: Annotated[str | None, Field(description="What came out, in a sentence.")]
    result: dict[str, Any] | None = None
    files: list[str]
    error: StudyError | None
    tracking: Tracking
    created_at: Time
    completed_at: Time | None = None
    links: ComparisonLinks


class ComparisonList(Document):
    """A page of comparisons, newest first."""

    data: list[Comparison]
    next_cursor: str | None
    has_more: bool


class GateLinks(Document):
    self: str
    summary: str


class Gate(Document):
    """Rules, held against a comparison. `result` has what each came to; null until it is there."""

    id: str
    object: Literal["gate"]
    status: Literal["waiting", "running", "succeeded", "failed", "canceled"]
    comparison: str
    rules: Annotated[dict[str, Any], Field(description="Every default filled in.")]
    verdict: Literal["pass", "fail", "inconclusive"] | None
    headline: str | None
    result: dict[str, Any] | None = None
    files: list[str]
    error: StudyError | None
    tracking: Tracking
    created_at: Time
    completed_at: Time | None = None
    links: GateLinks


class GateList(Document):
    """A page of gates, newest first."""

    data: list[Gate]
    next_cursor: str | None
    has_more: bool
