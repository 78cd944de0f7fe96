"""What a comparison came to, as data: rows of the table, what differs besides the pin, and both as JSON.

Owns the form that the API shows, the report draws and a gate reads. Knows no statistics: compute.py fills it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

OVERALL = "overall"
"""The scope of all items. Others: ``emotion/<name>``, ``language/<tag>``, ``tag/<tag>``."""


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate with its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Floor:
    """The noise floor of a metric of the baseline: what it differs by when only the seed changed."""

    run_to_run: float
    """Half-width of the 95 % range of a difference of two readings of the suite, one seed each."""
    item_band: float
    """The same of one item at this comparison's number of seeds: the tie band."""
    is_zero: bool
    """Every seed gave the same score: no unit for a margin."""
    seeds: int
    evaluation: str
    """That it was measured by."""
    sigma: float
    """Standard deviation of one score around the mean of its item: what the above is made of, with the next two."""
    freedom: int
    items: int
    """Of the scope: what a reading is the mean of."""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric in one scope. ``difference``: candidate less baseline in the metric's unit, 95 % interval."""

    metric: str
    unit: str
    direction: str
    """higher, lower or neutral."""
    scope: str
    binary: bool
    """Each score is yes or no."""
    n: int
    """Items that count."""
    seeds: float
    """Per item, on average."""
    scored: int
    """Pairs of item and seed that both sides have scored."""
    wanted: int
    baseline_unscored: Mapping[str, int]
    """Reason -> pairs."""
    candidate_unscored: Mapping[str, int]
    baseline_mean: float | None = None
    candidate_mean: float | None = None
    difference: Range | None = None
    relative: Range | None = None
    """Of the baseline's mean; 0.05 is 5 %."""
    p: float | None = None
    p_corrected: float | None = None
    """Holm over the rows of the table that judge (direction not neutral) in the same kind of scope, costs apart."""
    wins: int | None = None
    ties: int | None = None
    losses: int | None = None
    floor: Floor | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two evaluations, as far as the report names it."""

    evaluation: str
    pin: str
    engine: str
    lock_sha256: str
    licence: str
    seeds: tuple[int, ...]
    clips: int
    failed: int
    cached: int
    environments: tuple[str, ...]
    run_id: str | None = None
    run_url: str | None = None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something but the pin in which the two differ. ``blocks``: it can move the result."""

    what: str
    """One word to allow it by: suite, scorers, preprocessing, seeds, environment, params, commit, libraries …"""
    baseline: str
    candidate: str
    blocks: bool
    allowed: bool = False
    """It blocks, and the user insisted: said on everything that is made of this."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole of it."""

    id: str
    baseline: Side
    candidate: Side
    suite: str
    suite_version: str
    suite_sha256: str
    preprocessing: str
    items: int
    rows: tuple[Row, ...]
    disagreements: tuple[Disagreement, ...]
    headline: str
    """One sentence for people."""
    scorer_locks: Mapping[str, str]
    """Quantity -> lock."""
    scorer_licences: Mapping[str, str]
    """Family -> licence."""
    confidence: float = 0.95
    resamples: int = 10_000
    resampling_seed: int = 0

    @property
    def allowed(self) -> tuple[Disagreement, ...]:
        """What would block, and was insisted on: to be said on everything that is made of this."""
        return tuple(one for one in self.disagreements if one.allowed)

    def row(self, metric: str, scope: str = OVERALL) -> Row | None:
        """The row of a metric in a scope."""
        return next((row for row in self.rows if (row.metric, row.scope) == (metric, scope)), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Comparison:
        return cls(
            **{
                **data,
                "baseline": _side(data["baseline"]),
                "candidate": _side(data["candidate"]),
                "rows": tuple(_row(row) for row in data["rows"]),
                "disagreements": tuple(Disagreement(**one) for one in data["disagreements"]),
            }
        )


def _side(data: Mapping[str, Any]) -> Side:
    return Side(**{**data, "seeds": tuple(data["seeds"]), "environments": tuple(data["environments"])})


def _row(data: Mapping[str, Any]) -> Row:
    ranges = {name: Range(**data[name]) for name in ("difference", "relative") if data[name] is not None}
    floor = {"floor": Floor(**data["floor"])} if data["floor"] is not None else {}
    return Row(**{**data, **ranges, **floor})


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule of a gate in one scope, and what the scores say to it."""

    metric: str
    scope: str
    demand: str
    """not_worse or better."""
    amount: float
    scale: str
    """absolute, relative or noise_floors."""
    direction: str
    outcome: str
    """pass, fail, inconclusive, or not_applicable (the rule says: only if covered, and nothing was)."""
    why: str
    """A sentence for people."""
    doubt: str | None = None
    """Code of the reason where it is inconclusive (`services.scorer.statistics.rules.Doubt`)."""
    gain: Range | None = None
    """Positive is better, in the metric's unit."""
    threshold: float | None = None
    n: int = 0
    n_needed: int | None = None
    seeds: float = 1.0
    baseline_mean: float | None = None
    candidate_mean: float | None = None
    unscored_share: float = 0.0
    noise_floor: float | None = None
    """Run to run, in the metric's unit."""
    unit: str = ""
    confidence: float = 0.95
    method: str | None = None
    """How the interval was found (`services.scorer.statistics.intervals.Method`)."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What a gate says."""

    id: str
    comparison: str
    baseline: str
    """Pin."""
    candidate: str
    suite: str
    verdict: str
    """pass, fail or inconclusive."""
    headline: str
    judged: tuple[Judged, ...]
    disagreements_allowed: tuple[str, ...] = ()
    method: str = ""
    """What stands behind the verdicts, in a sentence."""
    resamples: int = 10_000
    resampling_seed: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GateResult:
        judged = tuple(
            Judged(**{**one, "gain": None if one["gain"] is None else Range(**one["gain"])}) for one in data["judged"]
        )
        allowed = tuple(data["disagreements_allowed"])
        return cls(**{**data, "judged": judged, "disagreements_allowed": allowed})
