"""The comparison by group: the charts and the table of every kind of scope. Knows no page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.scorer.analysis.comparison.result import OVERALL, ComparisonResult, MetricRow
from services.scorer.analysis.comparison.scopes import kind
from services.scorer.report.bars import bars
from services.scorer.report.chart import Chart
from services.scorer.report.focus import PROBABILITY, judging
from services.scorer.report.table import TableRow, line
from shared.controls import CANONICAL_EMOTIONS


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One kind of scope (emotion, language, tag). ``tables``: by metric, one line per group."""

    kind: str
    charts: tuple[Chart, ...]
    tables: Mapping[str, tuple[TableRow, ...]]


def breakdowns(comparison: ComparisonResult, led: Sequence[MetricRow]) -> tuple[Breakdown, ...]:
    """Return the kinds of scope that the comparison has, with charts for the leading metrics."""
    kinds: dict[str, dict[str, list[MetricRow]]] = {}
    for row in sorted(comparison.rows, key=_order):
        if row.scope != OVERALL and not row.metric.startswith(PROBABILITY):
            kinds.setdefault(kind(row.scope), {}).setdefault(row.metric, []).append(row)
    return tuple(_breakdown(kind, metrics, led, comparison.confidence) for kind, metrics in kinds.items())


def _order(row: MetricRow) -> int:
    """Put the canonical emotions in their usual order and leave the rest as it comes."""
    group = row.scope.partition("/")[2]
    return CANONICAL_EMOTIONS.index(group) if group in CANONICAL_EMOTIONS else len(CANONICAL_EMOTIONS)


def _breakdown(
    kind: str, metrics: Mapping[str, Sequence[MetricRow]], led: Sequence[MetricRow], confidence: float
) -> Breakdown:
    drawn = [bars(kind, metrics.get(row.metric, ())) for row in led]
    first = [row.metric for row in led if row.metric in metrics]
    others = [name for name, rows in metrics.items() if name not in first and judging(rows)]
    return Breakdown(
        kind,
        tuple(chart for chart in drawn if chart is not None),
        {name: tuple(line(row, confidence) for row in metrics[name]) for name in (*first, *others)},
    )
