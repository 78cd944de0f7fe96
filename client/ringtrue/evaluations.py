"""Evaluations: a suite, spoken by a pin with several seeds and scored. The words, and both clients' ``evaluations``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Required, TypedDict, Unpack

from ringtrue.jobs import Json, PinUsed
from ringtrue.studies import AsyncStudies, Studies, Study, StudyFlows, as_sent, common

PATH = "/v1/evaluations"


class EvaluationOptions(TypedDict, total=False):
    """What is to be evaluated, and how; what is left out is decided by the gateway."""

    pin: Required[str]
    """Name of the model version, or an alias of it."""
    suite: Required[str | Path | Mapping[str, Any]]
    """Name of one that ships; a file (YAML or JSON Lines); or the same as JSON."""
    seeds: int | Sequence[int]
    """How many, or which."""
    score: bool | Sequence[str]
    """True: the default metrics; or metric families by name."""
    params: Mapping[str, Any]
    """speed, pitch_scale, voice, ...: of every item that says no other."""
    preprocessing: str
    """Of the texts: ``none``, or a normaliser such as ``plain@1``."""
    fresh: bool
    """Speak everything, also what was spoken just so before."""
    priority: int
    """-10 to 10, among the user's own jobs."""
    timeout_s: float
    """How long one clip may take."""


@dataclass(frozen=True, slots=True)
class SuiteUsed:
    """What is spoken; suites of one ``sha256`` are the same to a result. ``items``: how many."""

    name: str
    version: str
    sha256: str
    items: int


@dataclass(frozen=True, slots=True)
class EvaluationProgress:
    """How many clips have come how far; each counts in every column that it has passed. ``failed``: without audio."""

    clips: int
    cached: int
    spoken: int
    scored: int
    tracked: int
    failed: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Of one metric: the mean over ``n`` items, seeds averaged within each. ``scored``, ``unscored``: clips."""

    unit: str
    direction: str
    mean: float | None
    n: int
    scored: int
    unscored: Mapping[str, int]
    """Reason -> clips."""


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """What two readings of one metric differ by when only the seed changed."""

    run_to_run: float
    """Half-width of the 95 % range of that difference, one seed each, in the metric's unit."""
    sigma: float
    """Standard deviation of one score around the mean of its item."""
    freedom: int
    """Degrees of freedom that it was measured with."""
    items: int
    is_zero: bool
    """Every seed gave the same score: no unit for a margin."""


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What came out, by metric. ``noise`` only with two seeds or more; ``files``: path -> SHA-256."""

    metrics: Mapping[str, Summary]
    noise: Mapping[str, NoiseFloor]
    scorer_locks: Mapping[str, str]
    files: Mapping[str, str]

    @classmethod
    def from_json(cls, data: Json) -> EvaluationResult:
        noise = data.get("noise") or {}
        return cls(
            {name: _only(Summary, one) for name, one in data.get("metrics", {}).items()},
            {name: _only(NoiseFloor, one) for name, one in noise.items()},
            data.get("scorer_locks", {}),
            data.get("files", {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Study):
    """An evaluation as it stands. ``result`` is ``None`` until it is there, and in lists."""

    pin: PinUsed
    suite: SuiteUsed
    seeds: tuple[int, ...]
    progress: EvaluationProgress
    eta_seconds: float | None
    """Until all is scored; ``None`` where that is unknown."""
    result: EvaluationResult | None

    @classmethod
    def from_json(cls, data: Json) -> Evaluation:
        result = data.get("result")
        return cls(
            **common(data),
            pin=PinUsed.from_json(data["pin"]),
            suite=_only(SuiteUsed, data["suite"]),
            seeds=tuple(data["seeds"]),
            progress=_only(EvaluationProgress, data["progress"]),
            eta_seconds=data.get("eta_seconds"),
            result=EvaluationResult.from_json(result) if result is not None else None,
        )

    @property
    def standing(self) -> str:
        """Where it stands, by the stage that is behind."""
        if self.finished:
            return self.status
        done = self.progress
        return f"{done.spoken} of {done.clips} spoken, {done.scored} scored"


def flows(patience_s: float) -> StudyFlows[Evaluation]:
    """The operations as flows."""
    return StudyFlows(PATH, Evaluation.from_json, patience_s)


class Evaluations(Studies[Evaluation]):
    """``Ringtrue.evaluations``."""

    def create(self, *, idempotency_key: str | None = None, **how: Unpack[EvaluationOptions]) -> Evaluation:
        """Ask for one; it goes on by itself. What was spoken just so before is taken as it is."""
        return self._run(self._does.create(_body(how), idempotency_key))

    def cancel(self, evaluation: Evaluation | str) -> Evaluation:
        """Stop it, and those of its clips that are not spoken yet; one that is finished stays as it is."""
        return self._run(self._does.cancel(evaluation if isinstance(evaluation, str) else evaluation.id))


class AsyncEvaluations(AsyncStudies[Evaluation]):
    """``AsyncRingtrue.evaluations``; `Evaluations` says what each method does."""

    async def create(self, *, idempotency_key: str | None = None, **how: Unpack[EvaluationOptions]) -> Evaluation:
        return await self._run(self._does.create(await asyncio.to_thread(_body, how), idempotency_key))

    async def cancel(self, evaluation: Evaluation | str) -> Evaluation:
        return await self._run(self._does.cancel(evaluation if isinstance(evaluation, str) else evaluation.id))


def _body(how: EvaluationOptions) -> Mapping[str, Any]:
    several = {name: how.get(name) for name in ("seeds", "score")}
    lists = {name: list(value) for name, value in several.items() if isinstance(value, Iterable)}
    return {**how, **lists, "suite": as_sent(how["suite"])}


def _only(kind: type[Any], data: Json) -> Any:
    """A value of a dataclass, out of those members of ``data`` that it knows."""
    return kind(**{name: data[name] for name in kind.__slots__})
