"""Comparisons of two evaluations: their types, and ``comparisons`` of both clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringtrue.evaluations import Evaluation
from ringtrue.http.exchange import id_of
from ringtrue.jobs import Json
from ringtrue.studies import AsyncStudyCalls, BaseStudy, StudyCalls, StudyFlows, common

PATH = "/v1/comparisons"
REPORT = "report.html"
OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate and its 95 % interval."""

    estimate: float
    low: float
    high: float

    @classmethod
    def from_json(cls, data: Json | None) -> Range | None:
        return None if data is None else cls(data["estimate"], data["low"], data["high"])


@dataclass(frozen=True, slots=True)
class Row:
    """One metric in one scope (``overall``, ``emotion/happy``, ...). ``difference``: candidate minus baseline."""

    metric: str
    unit: str
    direction: str
    scope: str
    n: int
    """Number of items that count."""
    baseline_mean: float | None
    candidate_mean: float | None
    difference: Range | None
    relative: Range | None
    """Difference as a share of the baseline's mean; 0.05 is 5 %."""
    p: float | None
    p_corrected: float | None
    """Corrected for the many tests that are made at once (Holm)."""
    wins: int | None
    ties: int | None
    losses: int | None
    baseline_unscored: Mapping[str, int]
    """Reason -> number of clips."""
    candidate_unscored: Mapping[str, int]

    @classmethod
    def from_json(cls, data: Json) -> Row:
        ranges = {name: Range.from_json(data[name]) for name in ("difference", "relative")}
        return cls(**{**{name: data[name] for name in cls.__slots__}, **ranges})


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something other than the pin in which the two sides differ.

    ``allowed``: it can change the result, and the user allowed it.
    """

    what: str
    baseline: str
    candidate: str
    blocks: bool
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(BaseStudy):
    """A comparison as it is now. ``rows`` is empty until the result is there, and in lists."""

    baseline: str
    """Id of the evaluation."""
    candidate: str
    allow: tuple[str, ...]
    headline: str | None
    """The result in a sentence."""
    rows: tuple[Row, ...]
    disagreements: tuple[Disagreement, ...]
    files: tuple[str, ...]

    @classmethod
    def from_json(cls, data: Json) -> Comparison:
        result = data.get("result") or {}
        return cls(
            **common(data),
            baseline=data["baseline"],
            candidate=data["candidate"],
            allow=tuple(data["allow"]),
            headline=data["headline"],
            rows=tuple(Row.from_json(row) for row in result.get("rows", ())),
            disagreements=tuple(
                Disagreement(*(one[name] for name in Disagreement.__slots__)) for one in result.get("disagreements", ())
            ),
            files=tuple(data["files"]),
        )

    @property
    def allowed(self) -> tuple[Disagreement, ...]:
        """Differences that can change the result and that the user allowed. Mention them with every figure."""
        return tuple(one for one in self.disagreements if one.allowed)

    def of(self, scope: str = OVERALL) -> tuple[Row, ...]:
        """Return the rows of one scope, or of one kind of scopes (``emotion``)."""
        return tuple(row for row in self.rows if scope in (row.scope, row.scope.partition("/")[0]))


def flows(patience_s: float) -> StudyFlows[Comparison]:
    """Return the operations as flows."""
    return StudyFlows(PATH, Comparison.from_json, patience_s)


class Comparisons(StudyCalls[Comparison]):
    """``Ringtrue.comparisons``."""

    def create(
        self,
        baseline: Evaluation | str,
        candidate: Evaluation | str,
        *,
        allow: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> Comparison:
        """Compare two evaluations, once they are over. ``allow``: what may differ although it can change the result."""
        return self._run(self._does.create(_body(baseline, candidate, allow), idempotency_key))

    def report(self, comparison: Comparison | str) -> bytes:
        """Return the report: one self-contained HTML file."""
        return self.file(comparison, REPORT)


class AsyncComparisons(AsyncStudyCalls[Comparison]):
    """``AsyncRingtrue.comparisons``; `Comparisons` documents each method."""

    async def create(
        self,
        baseline: Evaluation | str,
        candidate: Evaluation | str,
        *,
        allow: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> Comparison:
        return await self._run(self._does.create(_body(baseline, candidate, allow), idempotency_key))

    async def report(self, comparison: Comparison | str) -> bytes:
        return await self.file(comparison, REPORT)


def _body(baseline: Evaluation | str, candidate: Evaluation | str, allow: Iterable[str]) -> Mapping[str, Any]:
    sides = {"baseline": baseline, "candidate": candidate}
    ids = {name: id_of(side) for name, side in sides.items()}
    return {**ids, "allow": list(allow)}
