"""Which rows of a comparison the report shows, where, and which metrics it leads with.

Owns the order of metrics for a reader. Knows no form: neither page nor chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.scorer.analysis.comparison.intelligibility import intelligibility, without_other_rates
from services.scorer.analysis.comparison.result import OVERALL, ComparisonResult, GateResult, MetricRow
from shared.metrics import PRIMARY_MOS
from shared.scores import Direction

_LEADING = (
    "mos/",
    "emotion/correct",
    "emotion/target_probability",
    "pronunciation/right",
    "asr/",
    "semantic/",
    "speaker/",
)
"""One metric of each kind: quality, emotion, pronunciation, intelligibility, meaning, voice."""
PROBABILITY = "emotion/p_"
"""The metrics of the confusion matrices."""

FAMILIES: Mapping[str, str] = {
    "mos/": "Predicted quality",
    "asr/": "Intelligibility",
    "pronunciation/": "Pronunciation: share of the items",
    "semantic/": "Meaning",
    "emotion/": "Emotion",
    "speaker/": "Voice",
    "signal/": "Signal",
    "coverage/": "Coverage: share of clips that could be scored",
    "cost/": "Cost",
}
"""The heading of each prefix, in reading order. Other prefixes come between them."""
_DESCRIBED = "Described, not judged"


def overall(comparison: ComparisonResult) -> tuple[MetricRow, ...]:
    """Return the rows of all items, except the class probabilities."""
    return tuple(row for row in comparison.rows if row.scope == OVERALL and not row.metric.startswith(PROBABILITY))


def folded(row: MetricRow, gate: GateResult | None) -> bool:
    """Return whether a row is hidden at first: rows that only describe, and coverage that no rule of the gate is
    about."""
    if row.direction == Direction.NEUTRAL:
        return True
    asked = {judged.metric for judged in (gate.judged if gate else ())}
    return row.metric.startswith("coverage/") and row.metric not in asked


def judging(rows: Sequence[MetricRow]) -> tuple[MetricRow, ...]:
    """Return the rows that have a better and a worse."""
    return tuple(row for row in rows if row.direction != Direction.NEUTRAL)


def grouped(rows: Sequence[MetricRow]) -> Mapping[str, tuple[MetricRow, ...]]:
    """Return the rows of each heading, in reading order. Rows that only describe come last."""
    groups: dict[str, list[MetricRow]] = {}
    for row in in_order(rows):
        groups.setdefault(_heading(row), []).append(row)
    return {heading: tuple(rows) for heading, rows in groups.items()}


def in_order(rows: Sequence[MetricRow]) -> tuple[MetricRow, ...]:
    """Return the rows in reading order."""
    return tuple(sorted(rows, key=_place))


def leading(rows: Sequence[MetricRow]) -> tuple[MetricRow, ...]:
    """Return the metrics that get charts, the primary one first: of each kind the one with the most items.

    Of the error rates it is the one that judges intelligibility.
    """
    measured = [row for row in judging(rows) if row.difference is not None]
    measured = without_other_rates(measured, intelligibility(measured))
    led = [max(those, key=_weight) for prefix in _LEADING if (those := _under(measured, prefix))]
    return tuple(led) or tuple(measured[:1]) or tuple(row for row in rows if row.difference is not None)[:1]


def _under(rows: Sequence[MetricRow], prefix: str) -> list[MetricRow]:
    return [row for row in rows if row.metric.startswith(prefix)]


def _weight(row: MetricRow) -> tuple[int, int]:
    return row.n, -_primary(row)


def _primary(row: MetricRow) -> int:
    return PRIMARY_MOS.index(row.metric) if row.metric in PRIMARY_MOS else len(PRIMARY_MOS)


def _heading(row: MetricRow) -> str:
    if row.direction == Direction.NEUTRAL:
        return _DESCRIBED
    prefix = f"{row.metric.partition('/')[0]}/"
    return FAMILIES.get(prefix, prefix.rstrip("/").capitalize())


def _place(row: MetricRow) -> tuple[bool, int, bool, int, str]:
    prefixes = list(FAMILIES)
    prefix = f"{row.metric.partition('/')[0]}/"
    # an unknown family comes before coverage and cost
    place = prefixes.index(prefix) if prefix in prefixes else prefixes.index("signal/")
    return row.direction == Direction.NEUTRAL, place, row.difference is None, _primary(row), row.metric
