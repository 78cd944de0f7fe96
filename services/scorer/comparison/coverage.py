"""Of which items a metric could have a score at all, and where it has none all the same.

Owns which reasons are the metric's own lack and no fault of a clip. Knows no rule and no row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from services.scorer.comparison.alignment import Alignment
from shared.scores import Reason, Score

_WANT = frozenset(
    {
        Reason.LANGUAGE_NOT_COVERED,
        Reason.NEEDS_REFERENCE,
        Reason.NEEDS_TEXT,
        Reason.CLASS_NOT_COVERED,
        Reason.MODEL_NOT_PULLED,
    }
)
"""Why a metric has no score for a clip through no fault of the clip."""
Reasons = frozenset[Reason | None]
"""Why clips of either side are unscored; None among them where one is scored."""


def reasons_by_item(alignment: Alignment, metric: str, items: frozenset[str]) -> Mapping[str, Reasons]:
    """Of those ``items`` that either side has an entry for."""
    found: dict[str, set[Reason | None]] = defaultdict(set)
    for side in (alignment.baseline, alignment.candidate):
        for (item, _), scored in side.get(metric, {}).items():
            if item in items:
                found[item].add(None if isinstance(scored, Score) else scored.reason)
    return {item: frozenset(reasons) for item, reasons in found.items()}


def lacks(reasons: Reasons) -> bool:
    """Whether the metric does not cover these clips. One that was scored, or failed for a reason of its own, it does;
    one without audio tells nothing of what the metric covers.
    """
    told = reasons - {Reason.NOT_SPOKEN}
    return bool(told) and told <= _WANT


def has_gaps(alignment: Alignment, metric: str) -> bool:
    """Whether a clip of either side is unscored in a metric that both were asked for and that covers its item."""
    if metric not in alignment.baseline or metric not in alignment.candidate:
        return False
    told = reasons_by_item(alignment, metric, frozenset(item.id for item in alignment.items))
    return any(reasons != {None} and not lacks(reasons) for reasons in told.values())
