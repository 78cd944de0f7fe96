"""The result of a comparison and of a gate, as data and as JSON.

Owns the form that the API shows, the report draws and a gate reads. Knows no statistics: compute.py fills it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shared.values.members import known

OVERALL = "overall"
"""The scope of all items. The others are ``emotion/<name>``, ``language/<tag>`` and ``tag/<tag>``."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Floor:
    """The noise floor of a metric of the baseline: how much it differs when only the seed changes."""

    run_to_run: float
    """Half-width of the 95 % range of a difference of two readings of the suite, one seed each."""
    item_band: float
    """The same for one item at this comparison's number of seeds: the tie band."""
    is_zero: bool
    """Every seed gave the same score, so a margin cannot be stated in noise floors."""
    seeds: int
    evaluation: str
    """The evaluation that it was measured in."""
    sigma: float
    """Standard deviation of one score around the mean of its item. The two figures above follow from it and the next
    two."""
    freedom: int
    items: int
    """Items of the scope: a reading is their mean."""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric in one scope.

    ``difference`` is candidate minus baseline in the metric's unit, with its 95 % interval.
    """

    metric: str
    unit: str
    direction: str
    """higher, lower or neutral."""
    scope: str
    binary: bool
    """Each score is yes or no."""
    n: int
    """Number of items that count."""
    seeds: float
    """Seeds per item, on average."""
    scored: int
    """Pairs of item and seed that both sides have scored."""
    wanted: int
    baseline_unscored: Mapping[str, int]
    """Number of pairs by reason."""
    candidate_unscored: Mapping[str, int]
    baseline_mean: float | None = None
    candidate_mean: float | None = None
    difference: Estimate | None = None
    relative: Estimate | None = None
    """As a share of the baseline's mean; 0.05 is 5 %."""
    p: float | None = None
    p_corrected: float | None = None
    """Holm over the rows of the table that judge (direction not neutral) in the same kind of scope, costs apart."""
    wins: int | None = None
    ties: int | None = None
    losses: int | None = None
    floor: Floor | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two evaluations, with what the report names of it."""

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
class SetupDifference:
    """Something other than the pin in which the two differ. ``blocks``: it can change the result."""

    what: str
    """One word to allow it by: suite, scorers, preprocessing, lexicon, seeds, environment, params, commit, libraries
    …"""
    baseline: str
    candidate: str
    blocks: bool
    allowed: bool = False
    """It blocks, and the user allowed it. Everything that is made from the comparison says so."""


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """A complete comparison."""

    id: str
    baseline: Side
    candidate: Side
    suite: str
    suite_version: str
    suite_sha256: str
    preprocessing: str
    items: int
    rows: tuple[MetricRow, ...]
    disagreements: tuple[SetupDifference, ...]
    headline: str
    """One sentence for people."""
    scorer_locks: Mapping[str, str]
    """The lock of each quantity."""
    scorer_licences: Mapping[str, str]
    """The licence of each family."""
    confidence: float = 0.95
    resamples: int = 10_000
    resampling_seed: int = 0

    @property
    def allowed(self) -> tuple[SetupDifference, ...]:
        """The differences that would block and were allowed. Everything that is made from the comparison names them."""
        return tuple(one for one in self.disagreements if one.allowed)

    def row(self, metric: str, scope: str = OVERALL) -> MetricRow | None:
        """Return the row of a metric in a scope, or None."""
        return next((row for row in self.rows if (row.metric, row.scope) == (metric, scope)), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ComparisonResult:
        return cls(
            **{
                **known(cls, data),
                "baseline": _side(data["baseline"]),
                "candidate": _side(data["candidate"]),
                "rows": tuple(_row(row) for row in data["rows"]),
                "disagreements": tuple(SetupDifference(**known(SetupDifference, one)) for one in data["disagreements"]),
            }
        )


def _side(data: Mapping[str, Any]) -> Side:
    return Side(**{**known(Side, data), "seeds": tuple(data["seeds"]), "environments": tuple(data["environments"])})


def _row(data: Mapping[str, Any]) -> MetricRow:
    ranges = {name: _range(data.get(name)) for name in ("difference", "relative")}
    said = data.get("floor")
    floor = None if said is None else Floor(**known(Floor, said))
    return MetricRow(**{**known(MetricRow, data), **ranges, "floor": floor})


def _range(data: Mapping[str, Any] | None) -> Estimate | None:
    return None if data is None else Estimate(**known(Estimate, data))


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule of a gate in one scope, with its result."""

    metric: str
    scope: str
    demand: str
    """not_worse or better."""
    amount: float
    scale: str
    """absolute, relative or noise_floors."""
    direction: str
    outcome: str
    """pass, fail, inconclusive, or not_applicable (the rule says "only if covered", and nothing was)."""
    why: str
    """A sentence for people."""
    doubt: str | None = None
    """Code of the reason why it is inconclusive (`services.scorer.analysis.statistics.rules.Doubt`)."""
    gain: Estimate | None = None
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
    """The method of the interval (`services.scorer.analysis.statistics.intervals.Method`)."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """The result of a gate."""

    id: str
    comparison: str
    baseline: str
    """The name of the pin."""
    candidate: str
    suite: str
    verdict: str
    """pass, fail or inconclusive."""
    headline: str
    judged: tuple[RuleResult, ...]
    disagreements_allowed: tuple[str, ...] = ()
    method: str = ""
    """The method behind the verdicts, in a sentence."""
    resamples: int = 10_000
    resampling_seed: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GateResult:
        judged = tuple(
            RuleResult(**{**known(RuleResult, one), "gain": _range(one.get("gain"))}) for one in data["judged"]
        )
        allowed = tuple(data.get("disagreements_allowed", ()))
        return cls(**{**known(cls, data), "judged": judged, "disagreements_allowed": allowed})
