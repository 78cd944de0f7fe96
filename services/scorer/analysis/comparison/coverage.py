"""Which items a metric could score at all, and where a score is missing although it could.

Owns which reasons are the metric's own limits and no fault of a clip. Knows no rule and no row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from services.scorer.analysis.comparison.alignment import Alignment
from shared.scores import Reason, Score

_WANT = frozenset(
    {
        Reason.LANGUAGE_NOT_COVERED,
        Reason.NEEDS_REFERENCE,
        Reason.NEEDS_TEXT,
        Reason.NEEDS_PRONUNCIATION,
        Reason.CLASS_NOT_COVERED,
        Reason.MODEL_NOT_PULLED,
    }
)
"""Reasons for a missing score that are no fault of the clip."""
Reasons = frozenset[Reason | None]
"""The reasons why clips of either side are unscored. None is among them if a clip is scored."""


def reasons_by_item(alignment: Alignment, metric: str, items: frozenset[str]) -> Mapping[str, Reasons]:
    """Return the reasons for each of the ``items`` that either side has an entry for."""
    found: dict[str, set[Reason | None]] = defaultdict(set)
    for side in (alignment.baseline, alignment.candidate):
        for (item, _), scored in side.get(metric, {}).items():
            if item in items:
                found[item].add(None if isinstance(scored, Score) else scored.reason)
    return {item: frozenset(reasons) for item, reasons in found.items()}


def lacks(reasons: Reasons) -> bool:
    """Return whether the metric does not cover these clips.

    A clip that was scored, or that failed for a reason of its own, is covered. A clip without audio says nothing about
    what the metric covers.
    """
    told = reasons - {Reason.NOT_SPOKEN}
    return bool(told) and told <= _WANT


def has_gaps(alignment: Alignment, metric: str) -> bool:
    """Return whether a clip is unscored in a metric that both sides were asked for and that covers its item."""
    if metric not in alignment.baseline or metric not in alignment.candidate:
        return False
    told = reasons_by_item(alignment, metric, frozenset(item.id for item in alignment.items))
    return any(reasons != {None} and not lacks(reasons) for reasons in told.values())
