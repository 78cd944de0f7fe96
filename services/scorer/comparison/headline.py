"""A comparison in one sentence: what is surely better, what is surely worse, and that the rest is open.

Owns which rows are named: those over all items whose difference stands after correction.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.scorer.comparison.figures import counted, number, with_unit
from services.scorer.comparison.quantities import is_cost
from services.scorer.comparison.result import OVERALL, Disagreement, Row
from services.scorer.statistics.rules import FEWEST_ITEMS

SURE = 0.05
_NAMED = 3


def headline(candidate: str, baseline: str, suite: str, items: int, rows: Sequence[Row]) -> str:
    """``v23 against v21 on golden-en-emotion (35 items): worse in asr/wer (0.12 to 0.43); ...``"""
    judged = [row for row in rows if row.scope == OVERALL and row.p_corrected is not None]
    speech, costs = ([row for row in judged if is_cost(row.metric) is cost] for cost in (False, True))
    sure = _sure(speech)
    parts = _told("worse", "better", sure)
    if rest := len(speech) - len(sure):
        parts.append(f"no sure difference in {counted(rest, 'other metric') if sure else counted(rest, 'metric')}")
    parts += _told("dearer", "cheaper", _sure(costs))
    if not judged:
        parts.append("nothing that judges was scored on both sides")
    few = f", fewer than the {FEWEST_ITEMS} that a verdict needs" if items < FEWEST_ITEMS else ""
    return f"{candidate} against {baseline} on {suite} ({counted(items, 'item')}{few}): {'; '.join(parts)}"


def insisted(allowed: Sequence[Disagreement]) -> str:
    """What is to be said beside everything that was made although something blocks; empty where nothing did."""
    if not allowed:
        return ""
    told = "; ".join(f"{one.what} ({one.baseline} / {one.candidate})" for one in allowed)
    return f"Compared on demand although it differs: {told}"


def change(row: Row) -> str:
    """``3.62 to 3.97 MOS``"""
    assert row.baseline_mean is not None
    assert row.candidate_mean is not None
    return with_unit(f"{number(row.baseline_mean)} to {number(row.candidate_mean)}", row.unit)


def _sure(rows: Sequence[Row]) -> list[Row]:
    return sorted((row for row in rows if _p(row) < SURE), key=_p)


def _told(worse: str, better: str, sure: Sequence[Row]) -> list[str]:
    sides = ((worse, [row for row in sure if not _is_better(row)]), (better, [row for row in sure if _is_better(row)]))
    return [f"{word} in {_named(rows)}" for word, rows in sides if rows]


def _named(rows: Sequence[Row]) -> str:
    named = ", ".join(f"{row.metric} ({change(row)})" for row in rows[:_NAMED])
    return f"{named} and {len(rows) - _NAMED} more" if len(rows) > _NAMED else named


def _is_better(row: Row) -> bool:
    assert row.difference is not None
    return (row.difference.estimate > 0) is (row.direction == "higher")


def _p(row: Row) -> float:
    return row.p_corrected if row.p_corrected is not None else 1.0
