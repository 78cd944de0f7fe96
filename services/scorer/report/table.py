"""Rows of a comparison and rules of a gate as text for the page, with all numbers formatted.

Owns the wording of figures, reasons and gaps. How a row reads was decided before. Knows no markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.scorer.analysis.comparison.quantities import is_binary
from services.scorer.analysis.comparison.reads import Reads, reads
from services.scorer.analysis.comparison.reasons import reason_in_words, rule_in_words
from services.scorer.analysis.comparison.result import Estimate, GateResult, MetricRow, RuleResult
from services.scorer.report.pairing import PairedItem
from services.scorer.report.writing import BETTER_IS, Writing, percent, percent_range, probability, writing
from shared.scores import Score, Scored, Unscored

_TONES: Mapping[Reads, str] = {
    Reads.BETTER: "better",
    Reads.WORSE: "worse",
    Reads.EVEN: "even",
    Reads.FEW: "open",
    Reads.ONE_SIDED: "open",
}
NONE = "–"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row. ``tone``: better, worse, even, open or none (nothing to judge). ``says`` is the tone in words."""

    metric: str
    scope: str
    unit: str
    direction: str
    better_is: str
    baseline: str
    candidate: str
    difference: str
    interval: str
    relative: str
    relative_interval: str
    p: str
    p_corrected: str
    tally: str
    n: int
    tone: str
    says: str


def line(row: MetricRow, confidence: float) -> TableRow:
    """Return a row as text."""
    written = row_writing(row)
    read = reads(row, confidence)
    wins = (row.wins, row.ties, row.losses)
    return TableRow(
        metric=row.metric,
        scope=row.scope.partition("/")[2] or row.scope,
        unit=written.unit,
        direction=row.direction,
        better_is=BETTER_IS.get(row.direction, row.direction),
        baseline=written.value(row.baseline_mean),
        candidate=written.value(row.candidate_mean),
        difference=_said(row.difference, lambda range_: f"{written.signed(range_.estimate)} {written.gap}".rstrip()),
        interval=_said(row.difference, written.interval),
        relative=_said(row.relative, lambda range_: percent(range_.estimate)),
        relative_interval=_said(row.relative, percent_range),
        p=probability(row.p),
        p_corrected=probability(row.p_corrected),
        tally=NONE if row.wins is None else " / ".join(str(count) for count in wins),
        n=row.n,
        tone=_TONES.get(read, "none"),
        says=read.value,
    )


def row_writing(row: MetricRow) -> Writing:
    """Return the format of a row, with as many digits as the interval justifies."""
    ranges = [row.difference.high - row.difference.low] if row.difference else []
    means = [abs(mean) / 10 for mean in (row.baseline_mean, row.candidate_mean) if mean]
    return writing(row.unit, row.binary, ranges if any(ranges) else means)


def _said(range_: Estimate | None, say: Callable[[Estimate], str]) -> str:
    return NONE if range_ is None else say(range_)


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule of a gate and its outcome."""

    outcome: str
    metric: str
    scope: str
    demand: str
    gain: str
    interval: str
    threshold: str
    n: str
    why: str


def rulings(gate: GateResult) -> tuple[Ruling, ...]:
    """Return the fails first, then the inconclusive, then the passes; otherwise in the order of the rules."""
    order = {"fail": 0, "inconclusive": 1, "pass": 2}
    return tuple(_ruling(one) for one in sorted(gate.judged, key=lambda judged: order.get(judged.outcome, 3)))


def _ruling(judged: RuleResult) -> Ruling:
    widths = [judged.gain.high - judged.gain.low] if judged.gain else []
    written = writing(judged.unit, is_binary(judged.metric), widths if any(widths) else [judged.threshold or 0.1])
    needed = f", needs {judged.n_needed}" if judged.n_needed else ""
    return Ruling(
        outcome=judged.outcome.replace("_", " "),
        metric=judged.metric,
        scope=judged.scope,
        demand=rule_in_words(judged),
        gain=_said(judged.gain, lambda range_: f"{written.signed(range_.estimate)} {written.gap}".rstrip()),
        interval=_said(judged.gain, written.interval),
        threshold=NONE if judged.threshold is None else written.signed(judged.threshold),
        n=f"{judged.n}{needed}",
        why=judged.why,
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric of one item.

    Means over the seeds that both sides have scored (or of one side alone, if the other has no score at all), their
    difference, and the value of every seed.
    """

    metric: str
    unit: str
    baseline: str
    candidate: str
    difference: str
    baseline_seeds: str
    candidate_seeds: str


def reading(row: MetricRow, one: PairedItem) -> Reading | None:
    """Return a metric of an item as text. None if neither side has an entry for the metric."""
    sides = list(zip(*(pair.scored(row.metric) for pair in one.pairs), strict=True))
    if not any(scored is not None for side in sides for scored in side):
        return None
    values = [scored.value for side in sides for scored in side if isinstance(scored, Score)]
    written = _item_writing(row, values)
    means = one.means(row.metric)
    baseline, candidate = (
        written.value(means[number]) if means else _alone(side, written) for number, side in enumerate(sides)
    )
    return Reading(
        metric=row.metric,
        unit=written.unit,
        baseline=baseline,
        candidate=candidate,
        difference=NONE if means is None else written.signed(means[1] - means[0]),
        baseline_seeds=_by_seed(sides[0], written),
        candidate_seeds=_by_seed(sides[1], written),
    )


def _alone(side: Sequence[Scored | None], written: Writing) -> str:
    """Return the mean of a side without a partner, or the reason why it has none."""
    values = [scored.value for scored in side if isinstance(scored, Score)]
    if values:
        return written.value(sum(values) / len(values))
    return ", ".join(dict.fromkeys(_scored(scored, written) for scored in side))


def _by_seed(side: Sequence[Scored | None], written: Writing) -> str:
    """Return every value. A reason that all seeds share is said once."""
    said = [_scored(scored, written) for scored in side]
    if len(set(said)) == 1 and not isinstance(side[0], Score):
        return said[0]
    return ", ".join(said)


def _item_writing(row: MetricRow, values: Sequence[float]) -> Writing:
    """Return the format of an item's values. They get two digits if the row gives no hint."""
    if row.binary:
        return writing(row.unit, True, ())
    spread = max(values, default=0.0) - min(values, default=0.0)
    return writing(row.unit, False, [spread] if spread else [abs(value) / 10 for value in values[:1] if value])


def _scored(scored: Scored | None, written: Writing) -> str:
    if scored is None:
        return NONE
    return reason_in_words(scored.reason) if isinstance(scored, Unscored) else written.value(scored.value)


@dataclass(frozen=True, slots=True)
class Absence:
    """Pairs of item and seed that a side has no score for, by reason. Metrics that lack the same are listed
    together."""

    metrics: tuple[str, ...]
    counted: str
    baseline: str
    candidate: str


def absences(rows: Sequence[MetricRow]) -> tuple[Absence, ...]:
    """Return the absences of the rows in which something was left out."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        if row.baseline_unscored or row.candidate_unscored:
            counts = (_counts(row.baseline_unscored), _counts(row.candidate_unscored))
            together.setdefault((f"{row.scored} of {row.wanted}", *counts), []).append(row.metric)
    return tuple(Absence(tuple(metrics), *lacking) for lacking, metrics in together.items())


def _counts(unscored: Mapping[str, int]) -> str:
    parts = sorted(unscored.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count} {reason_in_words(code)}" for code, count in parts) or "0"
