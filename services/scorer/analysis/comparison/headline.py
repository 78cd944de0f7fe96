"""A comparison in one sentence: what is clearly better, what is clearly worse, and how much is open.

Owns which rows are named: rows over all items that differ clearly, and rows where one side has too many missing scores.
Of several error rates only the one that judges is told, with its recogniser.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.scorer.analysis.comparison.figures import counted, number, with_unit
from services.scorer.analysis.comparison.intelligibility import intelligibility, judged_by, without_other_rates
from services.scorer.analysis.comparison.quantities import is_cost
from services.scorer.analysis.comparison.reads import Reads, reads
from services.scorer.analysis.comparison.result import OVERALL, MetricRow, SetupDifference
from services.scorer.analysis.statistics.rules import FEWEST_ITEMS

_NAMED = 3


def headline(candidate: str, baseline: str, suite: str, items: int, rows: Sequence[MetricRow]) -> str:
    """Return ``v23 against v21 on golden-en-emotion (35 items): worse in asr/wer (0.12 to 0.43); ...``."""
    judged = sorted((row for row in rows if row.scope == OVERALL and row.p_corrected is not None), key=_p)
    recognised = intelligibility(judged)
    told = without_other_rates(judged, recognised)
    speech, costs = ([row for row in told if is_cost(row.metric) is cost] for cost in (False, True))
    parts = _told("worse", "better", speech)
    if spared := _reading(speech, Reads.ONE_SIDED):
        parts.append(f"too much left out on one side of {_named(spared, left_out)}")
    if few := _reading(speech, Reads.FEW):
        parts.append(f"too few items for a verdict (below {FEWEST_ITEMS}) in {counted(len(few), 'metric')}")
    if even := _reading(speech, Reads.EVEN):
        other = "other metric" if parts else "metric"
        parts.append(f"{Reads.EVEN} in {counted(len(even), other)}")
    parts += _told("dearer", "cheaper", costs)
    parts += [judged_by(recognised)] if recognised else []
    if not judged:
        parts.append("no metric that judges was scored on both sides")
    return f"{candidate} against {baseline} on {suite} ({counted(items, 'item')}): {'; '.join(parts)}"


def insisted(allowed: Sequence[SetupDifference]) -> str:
    """Return the warning for everything that is made from a comparison that was allowed; empty if nothing had to be."""
    if not allowed:
        return ""
    told = "; ".join(f"{one.what} ({one.baseline} / {one.candidate})" for one in allowed)
    return f"Compared although these differ, as requested: {told}"


def change(row: MetricRow) -> str:
    """Return both means: ``3.62 to 3.97 MOS``."""
    assert row.baseline_mean is not None
    assert row.candidate_mean is not None
    return with_unit(f"{number(row.baseline_mean)} to {number(row.candidate_mean)}", row.unit)


def left_out(row: MetricRow) -> str:
    """Return the number of unscored pairs: ``baseline 0, candidate 7 of 35``."""
    sides = (sum(row.baseline_unscored.values()), sum(row.candidate_unscored.values()))
    return f"baseline {sides[0]}, candidate {sides[1]} of {row.wanted}"


def _told(worse: str, better: str, rows: Sequence[MetricRow]) -> list[str]:
    sides = ((worse, _reading(rows, Reads.WORSE)), (better, _reading(rows, Reads.BETTER)))
    return [f"{word} in {_named(those, change)}" for word, those in sides if those]


def _reading(rows: Sequence[MetricRow], as_: Reads) -> list[MetricRow]:
    return [row for row in rows if reads(row) is as_]


def _named(rows: Sequence[MetricRow], say: Callable[[MetricRow], str]) -> str:
    named = ", ".join(f"{row.metric} ({say(row)})" for row in rows[:_NAMED])
    return f"{named} and {len(rows) - _NAMED} more" if len(rows) > _NAMED else named


def _p(row: MetricRow) -> float:
    return row.p_corrected if row.p_corrected is not None else 1.0
