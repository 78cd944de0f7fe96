"""Evaluations: a suite, spoken by a pin with several seeds and scored.

Their types, and ``evaluations`` of both clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Required, TypedDict, Unpack

from ringtrue.http.exchange import id_of
from ringtrue.jobs import Json, PinUsed
from ringtrue.lexicons import with_lexicon
from ringtrue.studies import AsyncStudyCalls, BaseStudy, StudyCalls, StudyFlows, as_sent, common

PATH = "/v1/evaluations"


class EvaluationOptions(TypedDict, total=False):
    """What to evaluate, and how. The gateway decides what is left out."""

    pin: Required[str]
    """Name of the model version, or an alias of it."""
    suite: Required[str | Path | Mapping[str, Any]]
    """Name of a suite that ships; a file (YAML or JSON Lines); or the same as JSON."""
    seeds: int | Sequence[int]
    """How many seeds, or which."""
    score: bool | Sequence[str]
    """True: the default metrics; or metric families by name."""
    params: Mapping[str, Any]
    """speed, pitch_scale, voice, ...: for every item that does not set its own."""
    preprocessing: str
    """Preprocessing of the texts: ``none``, or a normaliser such as ``plain@1``."""
    lexicon: Path | Mapping[str, Any]
    """How words are to be read, after the preprocessing: a file (TOML), or the same as JSON."""
    fresh: bool
    """Speak everything, even clips that were spoken the same way before."""
    priority: int
    """-10 to 10, among the user's own jobs."""
    timeout_s: float
    """Seconds that one clip may take."""


@dataclass(frozen=True, slots=True)
class SuiteUsed:
    """The spoken suite. Suites with the same ``sha256`` count as the same. ``items``: how many."""

    name: str
    version: str
    sha256: str
    items: int


@dataclass(frozen=True, slots=True)
class EvaluationProgress:
    """How many clips have reached each stage; a clip counts in every stage that it has passed.

    ``failed``: without audio.
    """

    clips: int
    cached: int
    spoken: int
    scored: int
    tracked: int
    failed: int


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric: its mean over ``n`` items, averaged over the seeds within each.

    ``scored``, ``unscored``: numbers of clips.
    """

    unit: str
    direction: str
    mean: float | None
    n: int
    scored: int
    unscored: Mapping[str, int]
    """Reason -> number of clips."""


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """How much one metric differs between two readings when only the seed changes."""

    run_to_run: float
    """Half-width of the 95 % range of that difference, with one seed each, in the metric's unit."""
    sigma: float
    """Standard deviation of one score around the mean of its item."""
    freedom: int
    """Degrees of freedom of the estimate."""
    items: int
    is_zero: bool
    """Every seed gave the same score, so it cannot be the unit of a margin."""


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The result, by metric. ``noise`` needs two seeds or more. ``files``: path -> SHA-256."""

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
class Evaluation(BaseStudy):
    """An evaluation as it is now. ``result`` is ``None`` until it is there, and in lists."""

    pin: PinUsed
    suite: SuiteUsed
    seeds: tuple[int, ...]
    progress: EvaluationProgress
    eta_seconds: float | None
    """Seconds until everything is scored; ``None`` if unknown."""
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
        """The status, or the progress while it is not finished, in words."""
        if self.finished:
            return self.status
        done = self.progress
        return f"{done.spoken} of {done.clips} spoken, {done.scored} scored"


def flows(patience_s: float) -> StudyFlows[Evaluation]:
    """Return the operations as flows."""
    return StudyFlows(PATH, Evaluation.from_json, patience_s)


class Evaluations(StudyCalls[Evaluation]):
    """``Ringtrue.evaluations``."""

    def create(self, *, idempotency_key: str | None = None, **how: Unpack[EvaluationOptions]) -> Evaluation:
        """Request an evaluation. It runs by itself. Clips that were spoken the same way before are used again."""
        return self._run(self._does.create(_body(how), idempotency_key))

    def cancel(self, evaluation: Evaluation | str) -> Evaluation:
        """Cancel it and those of its clips that are not spoken yet. A finished evaluation does not change."""
        return self._run(self._does.cancel(id_of(evaluation)))


class AsyncEvaluations(AsyncStudyCalls[Evaluation]):
    """``AsyncRingtrue.evaluations``; `Evaluations` documents each method."""

    async def create(self, *, idempotency_key: str | None = None, **how: Unpack[EvaluationOptions]) -> Evaluation:
        return await self._run(self._does.create(await asyncio.to_thread(_body, how), idempotency_key))

    async def cancel(self, evaluation: Evaluation | str) -> Evaluation:
        return await self._run(self._does.cancel(id_of(evaluation)))


def _body(how: EvaluationOptions) -> Mapping[str, Any]:
    several = {name: how.get(name) for name in ("seeds", "score")}
    lists = {name: list(value) for name, value in several.items() if isinstance(value, Iterable)}
    return {**how, **lists, **with_lexicon(how), "suite": as_sent(how["suite"])}


def _only(kind: type[Any], data: Json) -> Any:
    """Return a dataclass value from the members of ``data`` that the class has."""
    return kind(**{name: data[name] for name in kind.__slots__})
